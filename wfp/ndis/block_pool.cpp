#include "wfp/ndis/block_pool.hpp"

#include <new>

#include "wfp/ndis/recycler.hpp"

namespace wfp::ndis {

namespace {
constexpr std::size_t kAlignment = 64;
}

// Held once by the pool and once by every block that is out.
class BlockPool::Core final : public BlockHome {
 public:
  Core(std::size_t size, std::size_t limit) : block_size(size), recycler_(limit, make, destroy, this) {}

  BlockRef allocate() {
    auto* const element = static_cast<Element*>(recycler_.allocate());
    if (element == nullptr) {
      failed.fetch_add(1, std::memory_order_relaxed);
      return {};
    }
    holders_.fetch_add(1, std::memory_order_relaxed);
    element->block.restart(1);
    return BlockRef(&element->block);
  }

  void take_back(Block& block) noexcept override {
    // The bytes follow their element, and both are as long as they were made.
    auto* const element = reinterpret_cast<Element*>(block.data() - kElementSize);
    recycler_.give_back(element);
    drop();
  }

  void drop() noexcept {
    if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  std::size_t in_use() const { return holders_.load(std::memory_order_relaxed) - 1; }

  const std::size_t block_size;
  std::atomic<std::uint64_t> failed{0};

 private:
  struct Element : Recycled {
    Element(std::byte* data, std::size_t size, BlockHome& home) : block(data, size, home) {}
    Block block;
  };
  static constexpr std::size_t kElementSize = (sizeof(Element) + kAlignment - 1) / kAlignment * kAlignment;

  static Recycled* make(void* context) noexcept {
    auto& core = *static_cast<Core*>(context);
    void* const memory = ::operator new (kElementSize + core.block_size, std::align_val_t{kAlignment}, std::nothrow);
    if (memory == nullptr) return nullptr;
    return new (memory) Element(static_cast<std::byte*>(memory) + kElementSize, core.block_size, core);
  }
  static void destroy(Recycled* object) noexcept {
    auto* const element = static_cast<Element*>(object);
    element->~Element();
    ::operator delete (static_cast<void*>(element), std::align_val_t{kAlignment});
  }

  Recycler recycler_;
  std::atomic<std::size_t> holders_{1};
};

BlockPool::BlockPool(std::size_t block_size, std::size_t limit) : core_(new Core(block_size, limit)) {}
BlockPool::~BlockPool() { core_->drop(); }

BlockRef BlockPool::allocate() { return core_->allocate(); }
std::size_t BlockPool::block_size() const { return core_->block_size; }
std::size_t BlockPool::in_use() const { return core_->in_use(); }
std::uint64_t BlockPool::failed() const { return core_->failed.load(std::memory_order_relaxed); }

}  // namespace wfp::ndis
