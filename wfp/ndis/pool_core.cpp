#include "wfp/ndis/pool_core.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "wfp/ledger/ledger.hpp"
#include "wfp/ndis/nbl_pool.hpp"

// Slots and holders are not standard-layout, but offsetof works on them with gcc and clang.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace wfp::ndis {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kSlotSize = (sizeof(Slot) + kAlignment - 1) / kAlignment * kAlignment;

Recycled* make_slot(PoolCore& core, std::size_t size) noexcept {
  void* const memory = ::operator new (kSlotSize + size, std::align_val_t{kAlignment}, std::nothrow);
  if (memory == nullptr) return nullptr;
  return new (memory) Slot(core, static_cast<std::byte*>(memory) + kSlotSize, size, core);
}
Recycled* make_full_slot(void* core) noexcept { return make_slot(*static_cast<PoolCore*>(core), kInlineSize); }
Recycled* make_bare_slot(void* core) noexcept { return make_slot(*static_cast<PoolCore*>(core), 0); }
void destroy_slot(Recycled* object) noexcept {
  auto* const slot = static_cast<Slot*>(object);
  slot->~Slot();
  ::operator delete (static_cast<void*>(slot), std::align_val_t{kAlignment});
}

template <class T>
Recycled* make_plain(void*) noexcept {
  return new (std::nothrow) T();
}
template <class T>
void destroy_plain(Recycled* object) noexcept {
  delete static_cast<T*>(object);
}

std::size_t mdl_limit(std::size_t limit) { return std::max(limit * kMdlsPerPacket, kMdlLimitFloor); }

// The recycled object that a part is the payload of.
template <class Holder, class Part>
Holder* holder_of(Part& part) {
  return static_cast<Holder*>(static_cast<void*>(reinterpret_cast<std::byte*>(&part) - offsetof(Holder, object)));
}

// What its last packet left is gone: one reference, an NB and an MDL without data.
void restart(Slot& slot, Origin origin, PoolCore& core) {
  slot.block.restart(1);
  NblObject& nbl = slot.nbl;
  std::memset(&nbl.nbl, 0, sizeof(nbl.nbl));
  std::memset(nbl.owner_area, 0, sizeof(nbl.owner_area));
  nbl.references.store(1, std::memory_order_relaxed);
  nbl.origin = origin;
  nbl.handler.store(nullptr, std::memory_order_relaxed);
  nbl.slot = &slot;
  nbl.context_memory = nullptr;
  nbl.mark = InjectionMark{};
  reset(slot.nb, &nbl, core);
  slot.mdl.block = nullptr;
  slot.mdl.nb = &slot.nb;
  slot.mdl.origin = MdlOrigin::embedded;
  slot.mdl.from_retreat = false;
  slot.mdl.mdl.Next = nullptr;
  nbl.nbl.FirstNetBuffer = &slot.nb.nb;
}

}  // namespace

PoolCore::PoolCore(std::size_t limit)
    : limit_(limit),
      slots_(limit, make_full_slot, destroy_slot, this),
      bare_slots_(limit, make_bare_slot, destroy_slot, this),
      nbs_(mdl_limit(limit), make_plain<RecycledNb>, destroy_plain<RecycledNb>, nullptr),
      mdls_(mdl_limit(limit), make_plain<RecycledMdl>, destroy_plain<RecycledMdl>, nullptr),
      small_blocks_(kInlineSize, mdl_limit(limit)),
      large_blocks_(kLargeBlockSize, kLargeBlockLimit),
      quarantine_(std::min(kQuarantineLimit, limit / 4)) {}

Slot* PoolCore::allocate_slot(bool with_bytes, Origin origin) noexcept {
  auto before = holders_.fetch_add(1, std::memory_order_relaxed);  // `before` counts the pool itself
  if (before > limit_) {
    if (Slot* const oldest = quarantine_.take()) {
      recycle(*oldest);
      --before;
    }
  }
  Recycled* object = nullptr;
  if (before <= limit_) object = (with_bytes ? slots_ : bare_slots_).allocate();
  if (object == nullptr) {
    count_failure();
    holders_.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }
  const auto waiting = quarantine_.size();  // read apart from `before`, so it may be ahead of it
  if (before > waiting) note_high_water(before - waiting);

  auto& slot = *static_cast<Slot*>(object);
  restart(slot, origin, *this);
  return &slot;
}

BlockRef PoolCore::allocate_block(std::size_t size) {
  BlockRef block;
  if (size <= kInlineSize)
    block = small_blocks_.allocate();
  else if (size <= kLargeBlockSize)
    block = large_blocks_.allocate();
  return block ? std::move(block) : make_block(size);
}

NbObject* PoolCore::allocate_nb(NblObject* nbl) noexcept {
  auto* const holder = static_cast<RecycledNb*>(nbs_.allocate());
  if (holder == nullptr) return nullptr;
  reset(holder->object, nbl, *this);
  return &holder->object;
}

MdlObject* PoolCore::allocate_mdl() noexcept {
  auto* const holder = static_cast<RecycledMdl*>(mdls_.allocate());
  return holder != nullptr ? &holder->object : nullptr;
}

void PoolCore::free_nb(NbObject& nb) noexcept { nbs_.give_back(holder_of<RecycledNb>(nb)); }
void PoolCore::free_mdl(MdlObject& mdl) noexcept { mdls_.give_back(holder_of<RecycledMdl>(mdl)); }

void PoolCore::take_back(Block& block) noexcept {
  auto* const slot =
      static_cast<Slot*>(static_cast<void*>(reinterpret_cast<std::byte*>(&block) - offsetof(Slot, block)));
  Slot* free = slot;
  if (slot->nbl.origin != Origin::stack && ledger::level() == ledger::Level::full) free = quarantine_.put(slot);
  if (free != nullptr) recycle(*free);
}

void PoolCore::recycle(Slot& slot) noexcept {
  (slot.has_bytes ? slots_ : bare_slots_).give_back(&slot);
  if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void PoolCore::drop() noexcept {
  quarantine_.close();
  while (Slot* const slot = quarantine_.take()) recycle(*slot);
  if (holders_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void PoolCore::note_high_water(std::size_t in_use) noexcept {
  auto seen = high_water_.load(std::memory_order_relaxed);
  while (in_use > seen && !high_water_.compare_exchange_weak(seen, in_use, std::memory_order_relaxed)) {
  }
}

}  // namespace wfp::ndis

#pragma GCC diagnostic pop
