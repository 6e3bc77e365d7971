#include "wfp/ndis/block.hpp"

#include <new>

namespace wfp::ndis {
namespace {

constexpr std::size_t kBlockAlignment = 64;

// Block and bytes in one piece, aligned so that headers at usual offsets are aligned too.
struct HeapHome final : BlockHome {
  void take_back(Block& block) noexcept override {
    block.~Block();
    ::operator delete (static_cast<void*>(&block), std::align_val_t{kBlockAlignment});
  }
};

constexpr std::size_t kHeaderSize = (sizeof(Block) + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;

struct WrappedBlock final : BlockHome {
  WrappedBlock(std::byte* data, std::size_t size, BlockHome& memory_owner)
      : block(data, size, *this, 1), owner(&memory_owner) {}
  void take_back(Block& gone) noexcept override {
    owner->take_back(gone);
    delete this;
  }
  Block block;
  BlockHome* owner;
};

}  // namespace

BlockRef make_block(std::size_t size) {
  static HeapHome home;
  void* const memory = ::operator new (kHeaderSize + size, std::align_val_t{kBlockAlignment}, std::nothrow);
  if (memory == nullptr) return {};
  auto* const bytes = static_cast<std::byte*>(memory) + kHeaderSize;
  return BlockRef(new (memory) Block(bytes, size, home, 1));
}

BlockRef wrap_block(std::byte* data, std::size_t size, BlockHome& home) {
  auto* const wrapped = new (std::nothrow) WrappedBlock(data, size, home);
  return wrapped != nullptr ? BlockRef(&wrapped->block) : BlockRef();
}

}  // namespace wfp::ndis
