#include "stack/tcp/send_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace stack::tcp {

BufferRef SendBlocks::allocate(std::size_t wanted) {
  BufferPool& first = wanted <= kSmallBlock ? small_ : large_;
  BufferPool& second = wanted <= kSmallBlock ? large_ : small_;
  if (BufferRef block = first.allocate()) return block;
  return second.allocate();
}

std::size_t SendBuffer::write(Bytes from, SendBlocks& blocks) {
  const std::size_t share = blocks.share();
  from = from.first(std::min({from.size(), room(), share > copied_ ? share - copied_ : 0}));
  std::size_t taken = 0;
  while (taken < from.size()) {
    if (pieces_.empty() || pieces_.back().capacity <= pieces_.back().size) {
      // A first small write gets a small block; whoever keeps writing gets large ones.
      BufferRef block = blocks.allocate(pieces_.empty() ? from.size() : SendBlocks::kLargeBlock);
      if (!block) break;
      const std::size_t capacity = block.bytes().size();
      pieces_.push_back({std::move(block), 0, 0, capacity, begin_ + size_});
    }
    // The free end of a block may be filled although its front is being sent: what a packet shows is only what was
    // there.
    Piece& tail = pieces_.back();
    const std::size_t count = std::min(tail.capacity - tail.size, from.size() - taken);
    std::memcpy(tail.block.bytes().data() + tail.offset + tail.size, from.data() + taken, count);
    tail.size += count;
    size_ += count;
    copied_ += count;
    taken += count;
  }
  return taken;
}

std::size_t SendBuffer::write(const BufferRef& block, std::size_t offset, std::size_t count, SendBlocks& blocks) {
  CHECK(offset + count <= block.bytes().size());
  if (count < kCopyBelow) return write(block.bytes().subspan(offset, count), blocks);
  count = std::min(count, room());
  if (count == 0) return 0;
  pieces_.push_back({block, offset, count, 0, begin_ + size_});
  size_ += count;
  return count;
}

void SendBuffer::drop_front(std::size_t count) {
  DCHECK(count <= size_);
  size_ -= count;
  begin_ += count;
  while (count > 0) {
    Piece& front = pieces_.front();
    const std::size_t from_this = std::min(count, front.size);
    if (front.capacity > 0) copied_ -= from_this;
    front.offset += from_this;
    front.size -= from_this;
    front.capacity -= std::min(front.capacity, from_this);
    front.position += from_this;
    count -= from_this;
    if (front.size == 0) pieces_.pop_front();
  }
}

template <typename Visit>
void SendBuffer::for_each_piece(std::size_t offset, std::size_t count, Visit visit) const {
  DCHECK(offset + count <= size_);
  const std::uint64_t position = begin_ + offset;
  auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), position,
                                [](std::uint64_t at, const Piece& p) { return at < p.position; });
  if (piece != pieces_.begin()) --piece;
  std::size_t skip = static_cast<std::size_t>(position - piece->position);
  for (; count > 0; ++piece, skip = 0) {
    const std::size_t here = std::min(count, piece->size - skip);
    if (!visit(piece->block, piece->offset + skip, here)) return;
    count -= here;
  }
}

std::size_t SendBuffer::append_to(Packet& packet, std::size_t offset, std::size_t count) const {
  std::size_t appended = 0;
  if (count == 0) return 0;
  for_each_piece(offset, count, [&](const BufferRef& block, std::size_t at, std::size_t size) {
    if (!packet.append(block, at, size)) return false;
    appended += size;
    return true;
  });
  return appended;
}

std::size_t SendBuffer::copy_out(std::size_t offset, MutableBytes into) const {
  std::size_t copied = 0;
  if (into.empty()) return 0;
  for_each_piece(offset, into.size(), [&](const BufferRef& block, std::size_t at, std::size_t size) {
    std::memcpy(into.data() + copied, block.bytes().data() + at, size);
    copied += size;
    return true;
  });
  return copied;
}

void SendBuffer::clear() {
  pieces_.clear();
  begin_ += size_;
  size_ = copied_ = 0;
}

}  // namespace stack::tcp
