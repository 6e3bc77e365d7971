#include "stack/tcp/out_of_order.hpp"

#include <algorithm>

namespace stack::tcp {

OutOfOrder::Added OutOfOrder::add(Seq begin, Packet& payload) {
  const Seq end = begin + static_cast<std::uint32_t>(payload.size());
  // From the back, because most segments extend what came last.
  std::size_t at = segments_.size();
  while (at > 0 && begin.before(segments_[at - 1].begin)) --at;
  if (at > 0 && end.at_or_before(segments_[at - 1].end)) {
    note_duplicate(begin, end);
    return Added::Duplicate;
  }
  Seq keep_begin = begin;
  if (at > 0 && segments_[at - 1].end.after(begin)) keep_begin = segments_[at - 1].end;
  // Those that it covers completely go; one that it only touches cuts its end.
  while (at < segments_.size() && segments_[at].end.at_or_before(end)) {
    bytes_ -= segments_[at].end - segments_[at].begin;
    segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  Seq keep_end = end;
  if (at < segments_.size() && segments_[at].begin.before(end)) keep_end = segments_[at].begin;
  if (!keep_begin.before(keep_end)) {
    note_duplicate(begin, end);
    return Added::Duplicate;
  }
  if (segments_.size() >= kMaxSegments) return Added::Full;
  payload.trim(keep_end - begin);
  payload.pull(keep_begin - begin);
  bytes_ += payload.size();
  segments_.insert(segments_.begin() + static_cast<std::ptrdiff_t>(at),
                   Held{keep_begin, keep_end, std::move(payload)});

  std::move_backward(recent_.begin(), recent_.end() - 1, recent_.end());
  recent_[0] = keep_begin;
  recent_count_ = std::min(recent_count_ + 1, recent_.size());
  return Added::Stored;
}

std::optional<Packet> OutOfOrder::take_next(Seq rcv_nxt) {
  while (!segments_.empty() && segments_.front().begin.at_or_before(rcv_nxt)) {
    Held held = std::move(segments_.front());
    segments_.pop_front();
    bytes_ -= held.end - held.begin;
    if (held.end.at_or_before(rcv_nxt)) continue;
    held.packet.pull(rcv_nxt - held.begin);
    return std::move(held.packet);
  }
  return std::nullopt;
}

wire::SackBlock OutOfOrder::island_around(Seq at) const {
  auto found = std::find_if(segments_.begin(), segments_.end(),
                            [at](const Held& held) { return at.within(held.begin, held.end - held.begin); });
  if (found == segments_.end()) return {at, at};
  auto left = found;
  while (left != segments_.begin() && std::prev(left)->end == left->begin) --left;
  auto right = found;
  while (std::next(right) != segments_.end() && std::next(right)->begin == right->end) ++right;
  return {left->begin, right->end};
}

void OutOfOrder::report(wire::TcpOptions& options, Seq rcv_nxt) {
  if (duplicate_) options.add_sack_block(*std::exchange(duplicate_, std::nullopt));
  const auto is_listed = [&options](const wire::SackBlock& block) {
    return std::ranges::find(options.sack_blocks(), block) != options.sack_blocks().end();
  };
  std::array<Seq, wire::TcpOptions::kMaxSackBlocks> kept{};
  std::size_t kept_count = 0;
  for (std::size_t i = 0; i < recent_count_; ++i) {
    const wire::SackBlock island = island_around(recent_[i]);
    if (island.left == island.right || island.right.at_or_before(rcv_nxt) || is_listed(island)) continue;
    kept[kept_count++] = recent_[i];
    options.add_sack_block(island);
  }
  recent_ = kept;
  recent_count_ = kept_count;
}

void OutOfOrder::clear() {
  segments_.clear();
  bytes_ = 0;
  fin_.reset();
  duplicate_.reset();
  recent_count_ = 0;
}

}  // namespace stack::tcp
