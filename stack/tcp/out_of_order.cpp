// What a new segment N can meet, with pieces a, b, c held, and what is stored of it (=):
//
//   held        aaaaa        bbbbb        ccccc
//
//   N in a gap          NNN                            |  ===        its own piece, or more of a when it begins at a's end
//   N within a   NNN                                   |             nothing: a duplicate
//   over a's end    NNNNN                              |  ===        from a's end
//   over b's begin          NNNNN                      |  ===        up to b's begin
//   N between          NNNNNNN                         |  ======     the gap alone: from a's end to b's begin
//   N covers b            NNNNNNNNN                    |  =========  b goes: one piece instead of three
//   covers b, over c      NNNNNNNNNNNNNNNNN            |  ============  b goes, and it ends where c begins
//   over a, covers b, over c
//                  NNNNNNNNNNNNNNNNNNNNNNN             |  ==============  from a's end to c's begin
//
// So at most the piece before N cuts its front and the first that it does not cover cuts its end, and what is left is
// one range.
#include "stack/tcp/out_of_order.hpp"

#include <algorithm>

namespace stack::tcp {

std::size_t OutOfOrder::first_after(Seq at) const {
  // Most segments extend what came last.
  if (pieces_.empty() || pieces_.back().begin.at_or_before(at)) return pieces_.size();
  const auto found = std::partition_point(pieces_.begin(), pieces_.end(),
                                          [at](const Held& held) { return held.begin.at_or_before(at); });
  return static_cast<std::size_t>(found - pieces_.begin());
}

OutOfOrder::Gap OutOfOrder::gap_for(Seq begin, Seq end) const {
  Gap gap{.at = first_after(begin), .begin = begin, .end = end};
  if (gap.at > 0) gap.begin = later(begin, pieces_[gap.at - 1].end());
  while (gap.at + gap.covered < pieces_.size() && pieces_[gap.at + gap.covered].end().at_or_before(end))
    ++gap.covered;
  if (gap.at + gap.covered < pieces_.size()) gap.end = earlier(end, pieces_[gap.at + gap.covered].begin);
  return gap;
}

OutOfOrder::Added OutOfOrder::add(Seq begin, const Packet& payload) {
  const Seq end = begin + static_cast<std::uint32_t>(payload.size());
  const Gap gap = gap_for(begin, end);
  if (!gap.begin.before(gap.end)) {
    note_duplicate(begin, end);
    return Added::Duplicate;
  }
  const Added added = store(gap, payload, gap.begin - begin);
  if (added == Added::Stored) note_changed(gap.begin);
  return added;
}

// Bytes for a new piece, those that the account grants. It may prune others that hold more, and this one only of what
// lies behind the gap: what is nearer to its turn is worth more.
std::size_t OutOfOrder::capacity_for(const Gap& gap, std::size_t size) {
  const bool continues = gap.at > 0 && pieces_[gap.at - 1].end() == gap.begin;
  const std::size_t wanted = continues ? grown_capacity(pieces_[gap.at - 1].piece.size, size) : size;
  if (wanted - size <= teller_->share() && teller_->take(*this, wanted + kPieceCharge)) return wanted;
  if (teller_->take(*this, size + kPieceCharge)) return size;
  if (!pieces_.empty() && pieces_.back().begin.at_or_after(gap.end)) {
    const std::size_t before = held();
    while (!pieces_.empty() && pieces_.back().begin.at_or_after(gap.end) && before - held() < size + kPieceCharge)
      drop_back();
    teller_->count_pruned(before - held());
    if (teller_->take(*this, size + kPieceCharge)) return size;
  }
  teller_->count_refused(Use::OutOfOrder);
  return 0;
}

// The bytes of a gap that begin at `offset` of the payload.
OutOfOrder::Added OutOfOrder::store(const Gap& gap, const Packet& payload, std::size_t offset) {
  const std::size_t size = gap.end - gap.begin;
  const bool continues = gap.at > 0 && pieces_[gap.at - 1].end() == gap.begin;
  const std::size_t spare = continues ? std::min<std::size_t>(pieces_[gap.at - 1].piece.spare, size) : 0;
  Piece made;
  if (size > spare) {
    if (pieces_.size() - gap.covered >= kMaxPieces) return Added::Full;
    const std::size_t capacity = capacity_for(gap, size - spare);
    if (capacity == 0) return Added::NoMemory;
    made = make_piece(capacity);
    if (!made.block) {
      teller_->give(*this, capacity + kPieceCharge);
      return Added::NoMemory;
    }
    payload.copy_out(offset + spare, made.extend(size - spare));
  }
  if (spare > 0) payload.copy_out(offset, pieces_[gap.at - 1].piece.extend(spare));
  drop_covered(gap);
  bytes_ += size;
  if (made.block) {
    const Seq begin = gap.begin + static_cast<std::uint32_t>(spare);
    pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(gap.at), Held{begin, std::move(made)});
  }
  return Added::Stored;
}

void OutOfOrder::drop_covered(const Gap& gap) {
  const auto first = pieces_.begin() + static_cast<std::ptrdiff_t>(gap.at);
  const auto last = first + static_cast<std::ptrdiff_t>(gap.covered);
  for (auto at = first; at != last; ++at) {
    bytes_ -= at->piece.size;
    teller_->give(*this, at->piece.charge);
  }
  pieces_.erase(first, last);
}

void OutOfOrder::note_changed(Seq at) {
  std::move_backward(recent_.begin(), recent_.end() - 1, recent_.end());
  recent_[0] = at;
  recent_count_ = std::min(recent_count_ + 1, recent_.size());
}

std::optional<Piece> OutOfOrder::take_next(Seq rcv_nxt) {
  while (!pieces_.empty() && pieces_.front().begin.at_or_before(rcv_nxt)) {
    Held held = std::move(pieces_.front());
    pieces_.pop_front();
    bytes_ -= held.piece.size;
    if (held.end().at_or_before(rcv_nxt)) {
      teller_->give(*this, held.piece.charge);
      continue;
    }
    teller_->move_in_order(*this, held.piece.charge);
    held.piece.drop_front(rcv_nxt - held.begin);
    return std::move(held.piece);
  }
  return std::nullopt;
}

void OutOfOrder::drop_back() {
  bytes_ -= pieces_.back().piece.size;
  teller_->give(*this, pieces_.back().piece.charge);
  pieces_.pop_back();
}

void OutOfOrder::prune(std::size_t bytes) {
  const std::size_t before = held();
  while (!pieces_.empty() && before - held() < bytes) drop_back();
}

wire::SackBlock OutOfOrder::island_around(Seq at) const {
  const std::size_t after = first_after(at);
  if (after == 0 || pieces_[after - 1].end().at_or_before(at)) return {at, at};
  std::size_t left = after - 1, right = after - 1;
  while (left > 0 && pieces_[left - 1].end() == pieces_[left].begin) --left;
  while (right + 1 < pieces_.size() && pieces_[right + 1].begin == pieces_[right].end()) ++right;
  return {pieces_[left].begin, pieces_[right].end()};
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
  while (!pieces_.empty()) drop_back();
  fin_.reset();
  duplicate_.reset();
  recent_count_ = 0;
}

}  // namespace stack::tcp
