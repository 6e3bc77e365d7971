#include "stack/packet/buffer.hpp"

#include <atomic>
#include <new>
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

namespace {

// Block and bytes in one piece.
struct CompactHome final : wfp::ndis::BlockHome {
  void take_back(wfp::ndis::Block& block) noexcept override {
    block.~Block();
    ::operator delete(static_cast<void*>(&block));
  }
};

BufferRef make_compact_in(wfp::ndis::BlockHome& home, std::size_t size) {
  void* const memory = ::operator new(sizeof(wfp::ndis::Block) + size, std::nothrow);
  if (memory == nullptr) return {};
  auto* const bytes = static_cast<std::byte*>(memory) + sizeof(wfp::ndis::Block);
  return BufferRef{new (memory) wfp::ndis::Block(bytes, size, home, 1)};
}

constexpr std::size_t kHeapOverhead = 16;
static_assert(sizeof(wfp::ndis::Block) + kHeapOverhead <= kCompactOverhead);

}  // namespace

BufferRef make_compact_buffer(std::size_t size) {
  static CompactHome home;
  return make_compact_in(home, size);
}

BufferRef make_buffer(std::size_t size) { return BufferRef{wfp::ndis::make_block(size).detach()}; }

// Held by the buffers' owner and by every block that is out.
struct MeteredBuffers::Home final : wfp::ndis::BlockHome {
  void take_back(wfp::ndis::Block& block) noexcept override {
    bytes.fetch_sub(block.capacity(), std::memory_order_relaxed);
    CompactHome{}.take_back(block);
    drop();
  }
  void drop() noexcept {
    if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> holders{1};
};

MeteredBuffers::MeteredBuffers() : home_(new Home) {}
MeteredBuffers::~MeteredBuffers() { home_->drop(); }
std::size_t MeteredBuffers::bytes_out() const { return home_->bytes.load(std::memory_order_relaxed); }

BufferRef MeteredBuffers::allocate(std::size_t size) {
  BufferRef made = make_compact_in(*home_, size);
  if (!made) return made;
  home_->bytes.fetch_add(size, std::memory_order_relaxed);
  home_->holders.fetch_add(1, std::memory_order_relaxed);
  return made;
}

struct BufferPool::Impl {
  Impl(std::size_t block_size, std::size_t limit) : pool(block_size, limit) {}
  wfp::ndis::BlockPool pool;
};

BufferPool::BufferPool(std::size_t block_size, std::size_t limit)
    : block_size_(block_size), impl_(new Impl{block_size, limit}) {}
BufferPool::~BufferPool() { delete impl_; }
std::size_t BufferPool::in_use() const { return impl_->pool.in_use(); }
BufferRef BufferPool::allocate() { return BufferRef{impl_->pool.allocate().detach()}; }

}  // namespace stack
