// Bytes that arrived before their turn (RFC 9293 3.10.7.4), sorted and without overlap, and the SACK blocks that report
// them (RFC 2018 4, RFC 2883). Always copied, into memory of their own size: no packet waits for a hole to be filled.
//
// They may be lost again: when the account has no room the holder of the most is pruned (RFC 2018 8), what is furthest
// from its turn first. What is reported is read from what is held, so that nothing pruned is ever reported again.
// Bounded by the receive window, by kMaxPieces and, over all connections, by the account.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "stack/base/seq.hpp"
#include "stack/base/teller.hpp"
#include "stack/packet/packet.hpp"
#include "stack/tcp/piece.hpp"
#include "stack/wire/tcp_options.hpp"

namespace stack::tcp {

class OutOfOrder final : private Teller::Holder {
 public:
  static constexpr std::size_t kMaxPieces = 4'096;

  enum class Added : std::uint8_t { Stored, Duplicate, Full, NoMemory };

  explicit OutOfOrder(std::shared_ptr<Teller> teller) : teller_(std::move(teller)) {}
  ~OutOfOrder() override { clear(); }

  // Copies what is missing of the payload that begins at `begin`, which lies after rcv_nxt. The packet stays the
  // caller's.
  Added add(Seq begin, const Packet& payload);
  // The next bytes that begin at or before `rcv_nxt` and end after it, cut to begin exactly there; entered in the account
  // as bytes in order from now on.
  std::optional<Piece> take_next(Seq rcv_nxt);
  // A FIN that came early: where it stands.
  void set_fin(Seq at) { fin_ = at; }
  bool fin_reached(Seq rcv_nxt) const { return fin_ && *fin_ == rcv_nxt; }
  std::optional<Seq> fin() const { return fin_; }

  // The duplicate [begin, end) is to be reported once, in front of the others (RFC 2883 4).
  void note_duplicate(Seq begin, Seq end) { duplicate_ = {begin, end}; }
  // Adds as many blocks as fit, the most recently changed first. Consumes the note of a duplicate.
  void report(wire::TcpOptions& options, Seq rcv_nxt);
  bool has_report() const { return !pieces_.empty() || duplicate_.has_value(); }

  bool empty() const { return pieces_.empty(); }
  std::size_t piece_count() const { return pieces_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t memory() const { return held(); }
  void clear();

 private:
  struct Held {
    Seq begin;
    Piece piece;
    Seq end() const { return begin + piece.size; }
  };
  // What a new range means to those that are held.
  struct Gap {
    std::size_t at = 0;       // of the first piece that begins behind the range's beginning
    std::size_t covered = 0;  // pieces from there on that lie within the range
    Seq begin, end;           // what is to be stored, covered pieces included
  };
  void prune(std::size_t bytes) override;
  void drop_back();
  std::size_t first_after(Seq at) const;  // index
  Gap gap_for(Seq begin, Seq end) const;
  void drop_covered(const Gap& gap);
  std::size_t capacity_for(const Gap& gap, std::size_t size);
  Added store(const Gap& gap, const Packet& payload, std::size_t offset);
  void note_changed(Seq at);
  wire::SackBlock island_around(Seq at) const;  // the contiguous bytes around one that is held

  std::shared_ptr<Teller> teller_;
  std::deque<Held> pieces_;
  std::size_t bytes_ = 0;
  std::optional<Seq> fin_;
  std::optional<wire::SackBlock> duplicate_;
  std::array<Seq, wire::TcpOptions::kMaxSackBlocks>
      recent_{};  // a byte in each recently changed island, newest first
  std::size_t recent_count_ = 0;
};

}  // namespace stack::tcp
