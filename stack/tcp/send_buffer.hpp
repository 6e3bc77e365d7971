// Bytes that were written and are not yet acknowledged: a chain of pieces of reference-counted blocks. A transmitted
// packet shares the blocks (no copy) and holds them; an acknowledgement drops only this buffer's own reference, so
// that a packet that somebody keeps never loses its bytes and a retransmission never sees another's writes.
//
// Small writes are copied into blocks of the stack's pool, large ones may be queued in place. Positions are offsets
// from the first byte held.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>

#include "stack/packet/packet.hpp"

namespace stack::tcp {

// Where copied bytes go, of all connections: one pool of small blocks, so that a short answer does not hold much, and
// one of large ones; an eighth of the memory is the small ones'.
class SendBlocks {
 public:
  static constexpr std::size_t kSmallBlock = 2'048;
  static constexpr std::size_t kLargeBlock = 65'536;
  static constexpr std::size_t kLeastShare = 16'384;

  explicit SendBlocks(std::size_t bytes)
      : limit_(bytes),
        small_(kSmallBlock, count_of(bytes / 8, kSmallBlock)),
        large_(kLargeBlock, count_of(bytes - bytes / 8, kLargeBlock)) {}
  BufferRef allocate(std::size_t wanted);  // empty when the limit is reached

  std::size_t limit() const { return limit_; }
  std::size_t held() const { return small_.in_use() * kSmallBlock + large_.in_use() * kLargeBlock; }
  // Bytes that one connection may have queued: a part of what is free, so that those whose peers do not read leave
  // room for the others.
  std::size_t share() const { return std::max((limit_ - std::min(limit_, held())) / 8, kLeastShare); }

 private:
  static std::size_t count_of(std::size_t bytes, std::size_t size) { return std::max<std::size_t>(bytes / size, 1); }
  std::size_t limit_;
  BufferPool small_;
  BufferPool large_;
};

class SendBuffer {
 public:
  // Pieces below this size are copied rather than queued, which bounds how many there can be.
  static constexpr std::size_t kCopyBelow = 1'024;

  explicit SendBuffer(std::size_t limit) : limit_(limit) {}

  std::size_t size() const { return size_; }
  std::size_t limit() const { return limit_; }
  std::size_t room() const { return size_ < limit_ ? limit_ - size_ : 0; }
  bool empty() const { return size_ == 0; }

  std::size_t write(Bytes from, SendBlocks& blocks);  // copies; bytes taken
  std::size_t write(const BufferRef& block, std::size_t offset, std::size_t count, SendBlocks& blocks);
  void drop_front(std::size_t count);  // acknowledged

  // Appends bytes [offset, offset + count) to the packet, sharing; returns how many fitted its descriptors.
  std::size_t append_to(Packet& packet, std::size_t offset, std::size_t count) const;
  std::size_t copy_out(std::size_t offset, MutableBytes into) const;
  void clear();

 private:
  struct Piece {
    BufferRef block;
    std::size_t offset = 0;  // in the block
    std::size_t size = 0;
    std::size_t capacity = 0;    // bytes from `offset` on that we may fill; 0: not ours to write
    std::uint64_t position = 0;  // of its first byte in the stream
  };
  template <typename Visit>
  void for_each_piece(std::size_t offset, std::size_t count, Visit visit) const;

  std::deque<Piece> pieces_;
  std::size_t limit_;
  std::size_t size_ = 0;
  std::size_t copied_ = 0;   // of them, in blocks of the pool
  std::uint64_t begin_ = 0;  // stream position of the first byte held
};

}  // namespace stack::tcp
