// A reference to a counted block of memory: what a sender's bytes live in while they wait for their acknowledgement.
// Copying a BufferRef adds a reference; the last one gives the memory back to where it came from, from any thread.
// A block that a packet shares (Packet::append) is not written again: what is shown to others is final.
#pragma once

#include <cstddef>

#include "stack/base/bytes.hpp"

namespace wfp::ndis {
class Block;
}

namespace stack {

class BufferRef {
 public:
  BufferRef() = default;
  explicit BufferRef(wfp::ndis::Block* taken) : block_(taken) {}  // takes over one reference
  BufferRef(const BufferRef& other);
  BufferRef(BufferRef&& other) noexcept;
  BufferRef& operator=(BufferRef other) noexcept;
  ~BufferRef();

  explicit operator bool() const { return block_ != nullptr; }
  MutableBytes bytes() const;  // the whole block
  wfp::ndis::Block* block() const { return block_; }

 private:
  wfp::ndis::Block* block_ = nullptr;
};

// Memory from the heap; for tests and for data that is made once, such as a service's page.
BufferRef make_buffer(std::size_t size);

// The same without alignment and in the least memory: `size` bytes and kCompactOverhead. What many small pieces are kept in.
BufferRef make_compact_buffer(std::size_t size);
inline constexpr std::size_t kCompactOverhead = 48;  // of a block, the heap's own included

// Memory from the heap whose sum is known, wherever its blocks went. Used by one thread; blocks may come back from any.
class MeteredBuffers {
 public:
  MeteredBuffers();
  ~MeteredBuffers();
  MeteredBuffers(const MeteredBuffers&) = delete;
  MeteredBuffers& operator=(const MeteredBuffers&) = delete;

  BufferRef allocate(std::size_t size);  // empty: no memory
  std::size_t bytes_out() const;

 private:
  struct Home;
  Home* home_;
};

// Recycled blocks of one size, at most `limit` of them. Used by one thread; blocks may come back from any.
class BufferPool {
 public:
  BufferPool(std::size_t block_size, std::size_t limit);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  BufferRef allocate();  // empty when `limit` blocks are out
  std::size_t block_size() const { return block_size_; }
  std::size_t in_use() const;  // blocks that are out

 private:
  struct Impl;
  std::size_t block_size_;
  Impl* impl_;
};

}  // namespace stack
