// What was sent and not yet acknowledged, range by range: which of it the peer reported (SACK), which is taken for
// lost, which was sent again. The ranges are adjacent and cover [snd_una, snd_nxt) exactly, SYN and FIN included.
//
// A range is what one packet carried, up to 64 KiB; acknowledgements and SACK blocks split it where they cut it, so
// that a super-segment of which one part arrived is accounted for byte by byte. RFC 6675 4: pipe() and the rule for
// what is lost.
//
// Owns no data. Bounded by kMaxRanges: beyond it a SACK block that would split a range is ignored, which is always
// safe, and what is sent makes the last range longer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"

namespace stack::tcp {

struct SentRange {
  Seq begin;
  Seq end;
  Instant sent_at;             // last transmission
  bool sacked = false;         // the peer has it
  bool reported = false;       // the peer said so once, which a timeout does not undo
  bool lost = false;           // to be sent again
  bool retransmitted = false;  // was sent more than once: no round-trip sample (Karn)
  bool twice = false;          // sent again although not taken for lost: both copies may be under way

  std::uint32_t size() const { return end - begin; }
};

class Scoreboard {
 public:
  static constexpr std::size_t kMaxRanges = 16'384;

  struct Delivered {
    std::uint32_t bytes = 0;                // newly acknowledged or reported
    std::uint32_t first_bytes = 0;          // of these, what was never reported before
    std::uint32_t packet_bytes = 0;         // the largest range that was under way, as it was sent or the peer cut it
    std::optional<Instant> sample_sent_at;  // when the newest unambiguous one of them was sent
    bool any_retransmitted = false;

    void add(const Delivered& other);  // all but the sample
  };

  // Everything outstanding is acknowledged up to `una`.
  Delivered acknowledge(Seq una);
  // The peer holds [left, right), which lies within what is outstanding.
  Delivered sack(Seq left, Seq right);
  // New data [begin, end) left; begin is where the last range ended.
  void on_sent(Seq begin, Seq end, Instant now);
  // [begin, end), the front of a range that was lost (or any range, for a probe), left again.
  void on_retransmitted(Seq begin, Seq end, Instant now);

  // RFC 6675 4 IsLost(): what lies below three SACKed sequences, or below more than two segments' worth of SACKed
  // bytes, is lost. Returns the end of the last range that was newly marked, if any was.
  std::optional<Seq> mark_lost_by_sack(std::uint32_t mss);
  // The timer expired: all that was not SACKed is lost; the marks of the peer are forgotten too (RFC 2018 8), because
  // it may have given up what it only promised.
  void mark_all_lost(bool forget_sacks);
  // The first `size` bytes are lost, whatever is known of them (fast retransmit without SACK, persist probes).
  void mark_front_lost(std::uint32_t size);

  // The next lost range to be sent again, cut to `limit` bytes.
  std::optional<SentRange> next_lost(std::uint32_t limit) const;
  // The first range below something reported that is neither lost nor sent again (RFC 6675 4, NextSeg (3)).
  std::optional<SentRange> next_hole(std::uint32_t limit) const;
  // The end of the last range that was not reported, unless it was sent again already: for the rescue transmission
  // (RFC 6675 4, NextSeg (4)).
  std::optional<SentRange> last_unsacked(std::uint32_t limit) const;

  bool empty() const { return first_ == ranges_.size(); }
  std::size_t range_count() const { return ranges_.size() - first_; }
  std::uint32_t outstanding_bytes() const { return empty() ? 0 : ranges_.back().end - ranges_[first_].begin; }
  std::uint32_t sacked_bytes() const { return sacked_bytes_; }
  std::uint32_t lost_bytes() const { return lost_bytes_; }
  bool has_lost() const { return lost_bytes_ > 0; }
  // RFC 6675 SetPipe(): what is thought to be in the network.
  std::uint32_t pipe() const { return outstanding_bytes() - sacked_bytes_ - lost_bytes_ + twice_bytes_; }
  void clear();

 private:
  std::size_t index_of(Seq seq) const;    // the range that contains seq
  bool split(std::size_t index, Seq at);  // false: no room for one more range
  void note_delivered(const SentRange& range, Delivered& delivered) const;
  void set_lost(SentRange& range, bool lost);
  void set_twice(SentRange& range, bool twice);
  void pop_front();
  void merge_sacked(std::size_t index);

  std::vector<SentRange> ranges_;  // [first_, size) are live
  std::size_t first_ = 0;
  std::uint32_t sacked_bytes_ = 0;
  std::uint32_t lost_bytes_ = 0;  // lost and not sent again since
  std::uint32_t twice_bytes_ = 0;
};

}  // namespace stack::tcp
