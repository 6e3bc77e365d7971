#include "wfp/ndis/nbl_pool.hpp"

#include "wfp/ndis/pool_core.hpp"

namespace wfp::ndis {
namespace {

NET_BUFFER_LIST* allocate_from(PoolCore& core, std::size_t headroom, std::size_t size) {
  const std::size_t total = headroom + size;
  Slot* const slot = core.allocate_slot(total <= kInlineSize, Origin::stack);
  if (slot == nullptr) return nullptr;
  if (slot->has_bytes) {
    slot->mdl.block = &slot->block;
    set_range(slot->mdl.mdl, slot->block.data(), slot->block.capacity());
    attach_chain(slot->nb.nb, &slot->mdl.mdl, headroom, size);
    return &slot->nbl.nbl;
  }
  const BlockRef block = core.allocate_block(total);
  MDL* const mdl = block ? make_mdl(slot->nb, block.get(), block->data(), block->capacity()) : nullptr;
  if (mdl == nullptr) {
    core.count_failure();
    release(slot->nbl.nbl);
    return nullptr;
  }
  attach_chain(slot->nb.nb, mdl, headroom, size);
  return &slot->nbl.nbl;
}

}  // namespace

NblPool::NblPool(std::size_t limit) : core_(new PoolCore(limit)) {}
NblPool::~NblPool() { core_->drop(); }

NET_BUFFER_LIST* NblPool::allocate(std::size_t headroom, std::size_t size) {
  return allocate_from(*core_, headroom, size);
}

NET_BUFFER_LIST* NblPool::adopt(BlockRef block, std::size_t offset, std::size_t length) {
  if (!block || offset > block->capacity() || length > block->capacity() - offset) return nullptr;
  Slot* const slot = core_->allocate_slot(false, Origin::stack);
  if (slot == nullptr) return nullptr;
  MDL* const mdl = make_mdl(slot->nb, block.get(), block->data(), offset + length);
  if (mdl == nullptr) {
    core_->count_failure();
    release(slot->nbl.nbl);
    return nullptr;
  }
  attach_chain(slot->nb.nb, mdl, offset, length);
  return &slot->nbl.nbl;
}

BlockRef NblPool::allocate_block(std::size_t size) { return core_->allocate_block(size); }
std::size_t NblPool::limit() const { return core_->limit(); }
std::size_t NblPool::in_use() const { return core_->in_use(); }
std::size_t NblPool::high_water() const { return core_->high_water(); }
std::uint64_t NblPool::failed() const { return core_->failed(); }

NblPool& shared_pool() {
  static constexpr std::size_t kSharedPoolLimit = 262'144;
  static NblPool* const pool = new NblPool(kSharedPoolLimit);
  return *pool;
}

NET_BUFFER_LIST* allocate_like(NET_BUFFER_LIST& nbl, std::size_t headroom, std::size_t size) {
  return allocate_from(object_of(nbl).slot->core, headroom, size);
}

}  // namespace wfp::ndis
