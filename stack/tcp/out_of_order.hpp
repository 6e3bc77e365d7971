// Segments that arrived before their turn (RFC 9293 3.10.7.4), kept sorted and without overlap, and the SACK blocks
// that report them (RFC 2018 4, RFC 2883). Bounded by the receive window in bytes and by kMaxSegments in number.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "stack/base/seq.hpp"
#include "stack/packet/packet.hpp"
#include "stack/wire/tcp_options.hpp"

namespace stack::tcp {

class OutOfOrder {
 public:
  static constexpr std::size_t kMaxSegments = 4'096;

  enum class Added : std::uint8_t { Stored, Duplicate, Full };

  // The payload that begins at `begin`, which lies after rcv_nxt. Taken when Stored, without the parts that are there
  // already; otherwise it stays the caller's.
  Added add(Seq begin, Packet& payload);
  // The next packet that begins at or before `rcv_nxt` and ends after it, cut to begin exactly there.
  std::optional<Packet> take_next(Seq rcv_nxt);
  // A FIN that came early: where it stands.
  void set_fin(Seq at) { fin_ = at; }
  bool fin_reached(Seq rcv_nxt) const { return fin_ && *fin_ == rcv_nxt; }
  std::optional<Seq> fin() const { return fin_; }

  // The duplicate [begin, end) is to be reported once, in front of the others (RFC 2883 4).
  void note_duplicate(Seq begin, Seq end) { duplicate_ = {begin, end}; }
  // Adds as many blocks as fit, the most recently changed first. Consumes the note of a duplicate.
  void report(wire::TcpOptions& options, Seq rcv_nxt);
  bool has_report() const { return !segments_.empty() || duplicate_.has_value(); }

  bool empty() const { return segments_.empty(); }
  std::size_t segment_count() const { return segments_.size(); }
  std::size_t bytes() const { return bytes_; }
  void clear();

 private:
  struct Held {
    Seq begin;
    Seq end;
    Packet packet;
  };
  wire::SackBlock island_around(Seq at) const;  // the contiguous bytes around one that is held

  std::deque<Held> segments_;
  std::size_t bytes_ = 0;
  std::optional<Seq> fin_;
  std::optional<wire::SackBlock> duplicate_;
  std::array<Seq, wire::TcpOptions::kMaxSackBlocks>
      recent_{};  // a byte in each recently changed island, newest first
  std::size_t recent_count_ = 0;
};

}  // namespace stack::tcp
