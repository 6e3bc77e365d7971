#include "stack/packet/buffer.hpp"

#include <utility>

#include "wfp/ndis/block_pool.hpp"

namespace stack {

BufferRef::BufferRef(const BufferRef& other) : block_(other.block_) {
  if (block_ != nullptr) block_->reference();
}
BufferRef::BufferRef(BufferRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
BufferRef& BufferRef::operator=(BufferRef other) noexcept {
  std::swap(block_, other.block_);
  return *this;
}
BufferRef::~BufferRef() {
  if (block_ != nullptr) block_->release();
}
MutableBytes BufferRef::bytes() const {
  return block_ == nullptr ? MutableBytes{} : MutableBytes{block_->data(), block_->capacity()};
}

BufferRef make_buffer(std::size_t size) { return BufferRef{wfp::ndis::make_block(size).detach()}; }

struct BufferPool::Impl {
  Impl(std::size_t block_size, std::size_t limit) : pool(block_size, limit) {}
  wfp::ndis::BlockPool pool;
};

BufferPool::BufferPool(std::size_t block_size, std::size_t limit)
    : block_size_(block_size), impl_(new Impl{block_size, limit}) {}
BufferPool::~BufferPool() { delete impl_; }
BufferRef BufferPool::allocate() { return BufferRef{impl_->pool.allocate().detach()}; }

}  // namespace stack
