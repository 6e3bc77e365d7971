#include "stack/tcp/receive_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace stack::tcp {

void ReceiveQueue::append(Piece piece) {
  if (piece.is_lent) ++lent_;
  pieces_.push_back(std::move(piece));
}

// The blocks of the payload, each with its part of the charge. False: no memory for a copy of what a driver has lent.
bool ReceiveQueue::lend(const Packet& payload) {
  const std::size_t before = pieces_.size();
  const bool is_whole = payload.for_each_block([this](BufferRef block, std::size_t offset, std::size_t size) {
    append({.block = std::move(block),
            .offset = static_cast<std::uint32_t>(offset),
            .size = static_cast<std::uint32_t>(size),
            .charge = static_cast<std::uint32_t>(size + kPieceCharge),
            .is_lent = true});
  });
  if (is_whole) return true;
  lent_ -= pieces_.size() - before;
  pieces_.resize(before);
  return false;
}

bool ReceiveQueue::push(Packet& payload) {
  DCHECK(!payload.empty());
  const std::size_t size = payload.size();
  const std::size_t charge = size + payload.ranges(nullptr, 0) * kPieceCharge;
  const auto reserve = size_ <= kSmall ? Account::Reserve::Allowed : Account::Reserve::Untouched;
  if (!teller_->take(Use::InOrder, charge, reserve)) return false;
  if (!lend(payload)) {
    teller_->give(Use::InOrder, charge);
    return false;
  }
  size_ += size;
  payload.reset();
  return true;
}

void ReceiveQueue::push(Piece piece) {
  size_ += piece.size;
  append(std::move(piece));
}

// From the first that is lent on each piece is written anew, in place: what is copied takes no more pieces than before.
void ReceiveQueue::copy_out() {
  if (lent_ == 0) return;
  std::size_t to = 0;
  while (!pieces_[to].is_lent) ++to;
  lent_ = 0;
  for (std::size_t from = to; from < pieces_.size(); ++from) {
    Piece piece = std::move(pieces_[from]);
    if (piece.is_lent) fill_tail(to, piece);
    if (piece.is_lent && piece.size > 0) copy_out(to > 0 ? pieces_[to - 1].size : 0, piece);
    if (piece.size == 0) continue;
    if (piece.is_lent) ++lent_;
    pieces_[to++] = std::move(piece);
  }
  pieces_.resize(to);
}

// What the piece before the one at `end` has room for moves there.
void ReceiveQueue::fill_tail(std::size_t end, Piece& lent) {
  if (end > 0) {
    Piece& tail = pieces_[end - 1];
    const std::size_t count = std::min(tail.spare, lent.size);
    if (count > 0) std::memcpy(tail.extend(count).data(), lent.bytes().data(), count);
    lent.drop_front(count);
  }
  if (lent.size == 0) teller_->give(Use::InOrder, lent.charge);
}

// Never costs more than what was charged for the lent piece; room for bytes that follow is asked for in addition, and
// only while there is plenty. Without memory it stays where it is.
void ReceiveQueue::copy_out(std::size_t tail_size, Piece& lent) {
  std::size_t capacity = grown_capacity(tail_size, lent.size);
  const std::size_t extra = capacity - lent.size;
  if (extra > 0 && (extra > teller_->share() || !teller_->take(Use::InOrder, extra))) capacity = lent.size;
  Piece own = make_piece(capacity);
  if (!own.block) return teller_->give(Use::InOrder, capacity - lent.size);
  std::memcpy(own.extend(lent.size).data(), lent.bytes().data(), lent.size);
  teller_->give(Use::InOrder, lent.charge - (lent.size + kPieceCharge));
  lent = std::move(own);
}

void ReceiveQueue::consume_front(std::size_t count) {
  Piece& front = pieces_.front();
  size_ -= count;
  front.drop_front(count);
  if (front.size > 0) return;
  teller_->give(Use::InOrder, front.charge);
  if (front.is_lent) --lent_;
  pieces_.pop_front();
}

std::size_t ReceiveQueue::read(MutableBytes into) {
  std::size_t copied = 0;
  while (copied < into.size() && !pieces_.empty()) {
    const Bytes bytes = pieces_.front().bytes();
    const std::size_t count = std::min(bytes.size(), into.size() - copied);
    std::memcpy(into.data() + copied, bytes.data(), count);  // ranges::copy goes byte by byte
    consume_front(count);
    copied += count;
  }
  return copied;
}

std::size_t ReceiveQueue::read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit) {
  std::size_t consumed = 0;
  bool go_on = true;
  while (go_on && consumed < limit && !pieces_.empty()) {
    const Bytes bytes = pieces_.front().bytes();
    const std::size_t count = std::min(bytes.size(), limit - consumed);
    go_on = visit(bytes.first(count));
    consume_front(count);
    consumed += count;
  }
  return consumed;
}

void ReceiveQueue::clear() {
  for (const Piece& piece : pieces_) teller_->give(Use::InOrder, piece.charge);
  pieces_.clear();
  size_ = lent_ = 0;
}

}  // namespace stack::tcp
