// Block: counted memory that packets share. An MDL describes a range of a block and holds one reference to it.
//
// References may be added and dropped on any thread. The last release hands the block back to its home, on the thread
// that dropped it. Contents are not synchronized: bytes that more than one holder can see are not written.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace wfp::ndis {

class Block;

// Where memory comes from and returns to. take_back() runs on any thread.
class BlockHome {
 public:
  virtual void take_back(Block& block) noexcept = 0;

 protected:
  ~BlockHome() = default;
};

class Block {
 public:
  // A block inside its home's own structure, such as a receive buffer; starts with `references` holders.
  Block(std::byte* data, std::size_t capacity, BlockHome& home, std::uint32_t references = 0) noexcept
      : data_(data), capacity_(capacity), home_(&home), references_(references) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  std::byte* data() const noexcept { return data_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::uint32_t reference_count() const noexcept { return references_.load(std::memory_order_acquire); }

  void reference() noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) home_->take_back(*this);
  }
  // For its home, when the block goes out again: nobody else may know of it.
  void restart(std::uint32_t references) noexcept { references_.store(references, std::memory_order_relaxed); }

 private:
  std::byte* data_;
  std::size_t capacity_;
  BlockHome* home_;
  std::atomic<std::uint32_t> references_;
};

// One reference; copying adds another.
class BlockRef {
 public:
  BlockRef() noexcept = default;
  explicit BlockRef(Block* taken) noexcept : block_(taken) {}  // takes over one reference
  static BlockRef share(Block& block) noexcept {
    block.reference();
    return BlockRef(&block);
  }
  BlockRef(const BlockRef& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->reference();
  }
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr) block_->release();
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }
  Block* get() const noexcept { return block_; }
  Block* operator->() const noexcept { return block_; }
  Block& operator*() const noexcept { return *block_; }
  Block* detach() noexcept { return std::exchange(block_, nullptr); }  // the caller takes over the reference

 private:
  Block* block_ = nullptr;
};

// Memory from the heap; empty when there is none.
BlockRef make_block(std::size_t size);

// Memory of somebody else. take_back() is told of this very block on its last release, and the block itself is gone
// after that. A home with many buffers embeds its blocks instead and spares the allocation.
BlockRef wrap_block(std::byte* data, std::size_t size, BlockHome& home);

}  // namespace wfp::ndis
