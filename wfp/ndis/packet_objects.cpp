#include "wfp/ndis/packet_objects.hpp"

#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>

#include "wfp/ndis/pool_core.hpp"

namespace wfp::ndis {

static_assert(std::is_standard_layout_v<NblObject> && offsetof(NblObject, nbl) == 0);
static_assert(std::is_standard_layout_v<NbObject> && offsetof(NbObject, nb) == 0);
static_assert(std::is_standard_layout_v<MdlObject> && offsetof(MdlObject, mdl) == 0);

Slot::Slot(PoolCore& pool_core, std::byte* bytes, std::size_t size, BlockHome& home)
    : core(pool_core), has_bytes(size != 0), block(bytes, size, home), nbl(), nb(), mdl() {}

// --- MDLs ---

void set_range(MDL& mdl, std::byte* first, std::size_t size) {
  mdl.MappedSystemVa = first;
  mdl.StartVa = PAGE_ALIGN(first);
  mdl.ByteOffset = BYTE_OFFSET(first);
  mdl.ByteCount = static_cast<ULONG>(size);
  mdl.Size = static_cast<CSHORT>(sizeof(MDL));
  mdl.MdlFlags = MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL;
  mdl.Process = nullptr;
}

MDL* make_mdl(NbObject& nb, Block* block, std::byte* first, std::size_t size) {
  MdlObject* const object = nb.core->allocate_mdl();
  if (object == nullptr) return nullptr;
  set_range(object->mdl, first, size);
  object->mdl.Next = nullptr;
  if (block != nullptr) block->reference();
  object->block = block;
  object->nb = &nb;
  object->next_owned = nb.owned;
  nb.owned = object;
  object->origin = MdlOrigin::pooled;
  object->from_retreat = false;
  return &object->mdl;
}

void free_mdl(NbObject& nb, MDL& mdl) {
  MdlObject& object = object_of(mdl);
  if (object.origin != MdlOrigin::pooled || object.nb != &nb) return;
  MdlObject** link = &nb.owned;
  while (*link != &object) link = &(*link)->next_owned;
  *link = object.next_owned;
  if (object.block != nullptr) object.block->release();
  nb.core->free_mdl(object);
}

bool is_private(const NET_BUFFER& nb, const MDL& mdl) {
  const MdlObject& object = object_of(mdl);
  return object.block != nullptr && object.nb == &object_of(nb) && object.block->reference_count() == 1;
}

// --- NBs ---

void reset(NbObject& nb, NblObject* nbl, PoolCore& core) {
  std::memset(&nb.nb, 0, sizeof(nb.nb));
  nb.nbl = nbl;
  nb.core = &core;
  nb.owned = nullptr;
  nb.is_saved = false;
  nb.driver_shift = 0;
}

void find_current_mdl(NET_BUFFER& nb) {
  MDL* mdl = nb.MdlChain;
  ULONG offset = nb.DataOffset;
  // The end of the last MDL is a valid place for a buffer without data.
  while (mdl != nullptr && offset >= mdl->ByteCount && mdl->Next != nullptr) {
    offset -= mdl->ByteCount;
    mdl = mdl->Next;
  }
  nb.CurrentMdl = mdl;
  nb.CurrentMdlOffset = offset;
}

void attach_chain(NET_BUFFER& nb, MDL* chain, std::size_t data_offset, std::size_t data_length) {
  nb.MdlChain = chain;
  nb.DataOffset = static_cast<ULONG>(data_offset);
  nb.stDataLength = data_length;
  find_current_mdl(nb);
}

void free_mdls(NbObject& nb) {
  nb.nb.MdlChain = nullptr;
  while (nb.owned != nullptr) free_mdl(nb, nb.owned->mdl);
}

// --- NBLs ---

void destroy(NblObject& object) noexcept {
  Slot& slot = *object.slot;
  NET_BUFFER_LIST* const parent = object.origin == Origin::clone ? object.nbl.ParentNetBufferList : nullptr;
  for (NET_BUFFER* nb = object.nbl.FirstNetBuffer; nb != nullptr;) {
    NET_BUFFER* const next = nb->Next;
    NbObject& part = object_of(*nb);
    if (part.nbl == &object) {  // a driver may have hung its own NBs on its NBL; those it frees itself
      free_mdls(part);
      if (&part != &slot.nb) slot.core.free_nb(part);
    }
    nb = next;
  }
  object.nbl.FirstNetBuffer = nullptr;
  std::free(object.context_memory);
  object.context_memory = nullptr;
  if (parent != nullptr) {
    __atomic_sub_fetch(&parent->ChildRefCount, 1, __ATOMIC_ACQ_REL);
    release(*parent);
  }
  slot.block.release();
}

}  // namespace wfp::ndis
