#include "stack/tcp/scoreboard.hpp"

#include <algorithm>

#include "stack/base/assert.hpp"

namespace stack::tcp {

std::size_t Scoreboard::index_of(Seq seq) const {
  DCHECK(!empty());
  const Seq base = ranges_[first_].begin;
  const auto after =
      std::upper_bound(ranges_.begin() + static_cast<std::ptrdiff_t>(first_), ranges_.end(), seq - base,
                       [base](std::uint32_t at, const SentRange& r) { return at < r.begin - base; });
  return static_cast<std::size_t>(after - ranges_.begin()) - 1;
}

//            at
//             v
//   ----- index -----        -- index -- - index+1 -
//   |       a       |   ->   |    a    |     a     |      both parts keep every mark
bool Scoreboard::split(std::size_t index, Seq at) {
  if (ranges_[index].begin == at) return true;
  if (range_count() >= kMaxRanges) return false;
  SentRange tail = ranges_[index];
  tail.begin = at;
  ranges_[index].end = at;
  ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(index) + 1, tail);
  return true;
}

void Scoreboard::set_lost(SentRange& range, bool lost) {
  if (range.lost == lost) return;
  range.lost = lost;
  lost_bytes_ = lost ? lost_bytes_ + range.size() : lost_bytes_ - range.size();
}

void Scoreboard::set_twice(SentRange& range, bool twice) {
  if (range.twice == twice) return;
  range.twice = twice;
  twice_bytes_ = twice ? twice_bytes_ + range.size() : twice_bytes_ - range.size();
}

void Scoreboard::Delivered::add(const Delivered& other) {
  bytes += other.bytes;
  first_bytes += other.first_bytes;
  packet_bytes = std::max(packet_bytes, other.packet_bytes);
  any_retransmitted |= other.any_retransmitted;
}

void Scoreboard::note_delivered(const SentRange& range, Delivered& delivered) const {
  delivered.bytes += range.size();
  if (!range.reported) delivered.first_bytes += range.size();
  if (!range.lost) delivered.packet_bytes = std::max(delivered.packet_bytes, range.size());
  if (range.retransmitted)
    delivered.any_retransmitted = true;
  else if (!delivered.sample_sent_at || *delivered.sample_sent_at < range.sent_at)
    delivered.sample_sent_at = range.sent_at;
}

void Scoreboard::pop_front() {
  ++first_;
  if (first_ == ranges_.size()) {
    ranges_.clear();
    first_ = 0;
  } else if (first_ >= 64 && first_ * 2 >= ranges_.size()) {
    ranges_.erase(ranges_.begin(), ranges_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

//             una                         una
//              v                           v
//   | a | b |  c  | d |        | a |   b   |//c//| d |        // reported before: not delivered a second time
//    \------/ \__             \-----------/
//    delivered   stays, from una on
Scoreboard::Delivered Scoreboard::acknowledge(Seq una) {
  Delivered delivered;
  while (!empty() && ranges_[first_].begin.before(una)) {
    SentRange& range = ranges_[first_];
    SentRange acked = range;
    acked.end = earlier(range.end, una);
    if (range.sacked)
      sacked_bytes_ -= acked.size();
    else
      note_delivered(acked, delivered);
    if (range.lost) lost_bytes_ -= acked.size();
    if (range.twice) twice_bytes_ -= acked.size();
    range.begin = acked.end;
    if (range.begin != range.end) break;
    pop_front();
  }
  return delivered;
}

// Reported neighbours become one range, so that a long flight behind one hole costs two.
//          index                         index
//   | a |//b//|//c//| d |    ->    | a |///b///| d |
void Scoreboard::merge_sacked(std::size_t index) {
  const auto joins = [this](std::size_t left) {
    return left >= first_ && left + 1 < ranges_.size() && ranges_[left].sacked && ranges_[left + 1].sacked;
  };
  const auto join = [this](std::size_t left) {
    ranges_[left].end = ranges_[left + 1].end;
    ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(left) + 1);
  };
  if (joins(index)) join(index);
  if (index > first_ && joins(index - 1)) join(index - 1);
}

// A block against the ranges. Where it begins or ends inside one that was not reported, that is split; where it does so
// inside a reported one, nothing is to be done. Blocks reach at most from the first range to the last.
//
//   |    a    |    b    |    c    |          |    a    |////b////|    c    |         // reported before
//     [-----)                                    [---------)
//     a splits in three, the middle is new      the end of a is new, b merges with it
//
//   |    a    |    b    |    c    |          |////a////|    b    |////c////|
//        [-----------------)                      [-----------------)
//   a and c split, b is new as a whole        b alone is new, and all three merge
Scoreboard::Delivered Scoreboard::sack(Seq left, Seq right) {
  Delivered delivered;
  if (empty()) return delivered;
  left = later(left, ranges_[first_].begin);
  right = earlier(right, ranges_.back().end);
  if (!left.before(right)) return delivered;
  std::size_t at = index_of(left);
  if (!ranges_[at].sacked && ranges_[at].begin != left) {
    if (!split(at, left)) return delivered;
    ++at;
  }
  while (at < ranges_.size() && ranges_[at].begin.before(right)) {
    if (!ranges_[at].sacked) {
      if (right.before(ranges_[at].end) && !split(at, right)) break;
      SentRange& range = ranges_[at];
      note_delivered(range, delivered);
      set_lost(range, false);
      set_twice(range, false);
      range.sacked = range.reported = true;
      sacked_bytes_ += range.size();
      const Seq end = range.end;
      merge_sacked(at);
      if (!end.before(right)) break;
      at = index_of(end);
      continue;
    }
    ++at;
  }
  return delivered;
}

void Scoreboard::on_sent(Seq begin, Seq end, Instant now) {
  DCHECK(empty() || ranges_.back().end == begin);
  if (begin == end) return;
  SentRange* last = empty() ? nullptr : &ranges_.back();
  const bool is_plain = last != nullptr && !last->sacked && !last->lost && !last->retransmitted;
  if (range_count() < kMaxRanges || !is_plain)
    ranges_.push_back({begin, end, now});
  else
    *last = {last->begin, end, now};  // one entry for both: its time is that of the later one
}

// What left again need not be what was sent as one, but it never begins or ends with reported bytes.
//
//   |  a  |  b  |  c  |  d  |
//      [-----------)             a and c split; their parts inside, and b, are under way again
void Scoreboard::on_retransmitted(Seq begin, Seq end, Instant now) {
  std::size_t at = index_of(begin);
  if (ranges_[at].begin != begin && split(at, begin)) ++at;
  while (at < ranges_.size() && ranges_[at].begin.before(end)) {
    if (end.before(ranges_[at].end)) split(at, end);  // without room the whole range counts as sent: RTO repairs it
    SentRange& range = ranges_[at];
    set_twice(range, !range.lost);
    set_lost(range, false);
    range.retransmitted = true;
    range.sent_at = now;
    ++at;
  }
}

// Walks down from the top until what is reported above suffices; everything below that is lost which was not
// reported and not sent again.
//
//   | a |/b/| c |/d/| e |/f/| g |            // reported, each a segment
//    lost ^   two above c, one above e: no judgement yet
//         at: the third from the top
std::optional<Seq> Scoreboard::mark_lost_by_sack(std::uint32_t mss) {
  constexpr std::size_t kDupThresh = 3;  // RFC 6675 2
  std::uint32_t bytes_above = 0;
  std::size_t blocks_above = 0;
  std::size_t at = ranges_.size();
  while (at > first_ && blocks_above < kDupThresh && bytes_above <= (kDupThresh - 1) * mss) {
    --at;
    if (!ranges_[at].sacked) continue;
    bytes_above += ranges_[at].size();
    ++blocks_above;
  }
  if (blocks_above < kDupThresh && bytes_above <= (kDupThresh - 1) * mss) return std::nullopt;
  std::optional<Seq> marked;
  for (std::size_t i = first_; i < at; ++i) {
    SentRange& range = ranges_[i];
    if (range.sacked || range.lost) continue;
    set_twice(range, false);  // if it was sent again, the second copy is still under way
    if (range.retransmitted) continue;
    set_lost(range, true);
    marked = range.end;
  }
  return marked;
}

void Scoreboard::mark_all_lost(bool forget_sacks) {
  for (std::size_t i = first_; i < ranges_.size(); ++i) {
    SentRange& range = ranges_[i];
    if (range.sacked) {
      if (!forget_sacks) continue;
      range.sacked = false;
      range.retransmitted = true;  // what became of the first copy is unknown
      sacked_bytes_ -= range.size();
    }
    set_twice(range, false);
    set_lost(range, true);
  }
}

void Scoreboard::mark_front_lost(std::uint32_t size) {
  if (empty()) return;
  if (size < ranges_[first_].size()) split(first_, ranges_[first_].begin + size);
  if (!ranges_[first_].sacked) set_lost(ranges_[first_], true);
}

//   | a |~b~|~c~|~d~| e |~f~|                ~ lost
//       [----------)                         one packet may carry all of what was lost in a row, up to `limit`
std::optional<SentRange> Scoreboard::next_lost(std::uint32_t limit) const {
  if (lost_bytes_ == 0) return std::nullopt;
  std::size_t at = first_;
  while (!ranges_[at].lost) ++at;
  SentRange found = ranges_[at];
  while (found.size() < limit && ++at < ranges_.size() && ranges_[at].lost) found.end = ranges_[at].end;
  if (found.size() > limit) found.end = found.begin + limit;
  return found;
}

std::optional<SentRange> Scoreboard::next_hole(std::uint32_t limit) const {
  std::size_t end = ranges_.size();
  while (end > first_ && !ranges_[end - 1].sacked) --end;
  for (std::size_t at = first_; at < end; ++at) {
    SentRange range = ranges_[at];
    if (range.sacked || range.lost || range.retransmitted) continue;
    if (range.size() > limit) range.end = range.begin + limit;
    return range;
  }
  return std::nullopt;
}

std::optional<SentRange> Scoreboard::last_unsacked(std::uint32_t limit) const {
  for (std::size_t at = ranges_.size(); at > first_; --at) {
    SentRange range = ranges_[at - 1];
    if (range.sacked) continue;
    if (range.lost || range.retransmitted) break;
    if (range.size() > limit) range.begin = range.end - limit;
    return range;
  }
  return std::nullopt;
}

void Scoreboard::clear() {
  ranges_.clear();
  first_ = 0;
  sacked_bytes_ = lost_bytes_ = twice_bytes_ = 0;
}

}  // namespace stack::tcp
