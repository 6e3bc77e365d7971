#include "wfp/ndis/offsets.hpp"

#include <algorithm>
#include <limits>

#include "wfp/ndis/pool_core.hpp"

namespace wfp::ndis {
namespace {

// New memory of `size` bytes in front of the chain: the driver's when it brings an allocator, else ours.
MDL* make_front(NbObject& nb, std::size_t size, NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR allocate_mdl) {
  if (allocate_mdl != nullptr) {
    auto granted = static_cast<ULONG>(size);
    MDL* const mdl = allocate_mdl(&granted);
    if (mdl == nullptr || mdl->ByteCount < size) return nullptr;
    object_of(*mdl).from_retreat = true;
    return mdl;
  }
  const BlockRef block = nb.core->allocate_block(size);
  MDL* const mdl = block ? make_mdl(nb, block.get(), block->data(), size) : nullptr;
  if (mdl != nullptr) object_of(*mdl).from_retreat = true;
  return mdl;
}

}  // namespace

bool retreat(NET_BUFFER& nb, std::size_t delta, std::size_t back_fill,
             NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR allocate_mdl) {
  if (delta + back_fill > std::numeric_limits<ULONG>::max() / 2) return false;
  if (delta > nb.DataOffset) {
    const std::size_t missing = delta - nb.DataOffset;
    MDL* const front = make_front(object_of(nb), missing + back_fill, allocate_mdl);
    if (front == nullptr) return false;
    front->Next = nb.MdlChain;
    nb.MdlChain = front;
    nb.DataOffset += front->ByteCount;
  }
  nb.DataOffset -= static_cast<ULONG>(delta);
  nb.stDataLength = nb.DataLength + delta;
  find_current_mdl(nb);
  return true;
}

bool retreat(NET_BUFFER_LIST& nbl, std::size_t delta, std::size_t back_fill,
             NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR allocate_mdl, NET_BUFFER_FREE_MDL_HANDLER_PTR free_mdl) {
  for (NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next) {
    if (retreat(*nb, delta, back_fill, allocate_mdl)) continue;
    for (NET_BUFFER* done = nbl.FirstNetBuffer; done != nb; done = done->Next) advance(*done, delta, true, free_mdl);
    return false;
  }
  return true;
}

void advance(NET_BUFFER& nb, std::size_t delta, bool free_mdls, NET_BUFFER_FREE_MDL_HANDLER_PTR free_handler) {
  delta = std::min<std::size_t>(delta, nb.DataLength);
  nb.DataOffset += static_cast<ULONG>(delta);
  nb.stDataLength = nb.DataLength - delta;
  while (free_mdls && nb.MdlChain != nullptr && nb.MdlChain->Next != nullptr &&
         nb.DataOffset >= nb.MdlChain->ByteCount && object_of(*nb.MdlChain).from_retreat) {
    MDL* const front = nb.MdlChain;
    nb.MdlChain = front->Next;
    nb.DataOffset -= front->ByteCount;
    object_of(*front).from_retreat = false;
    if (object_of(*front).origin != MdlOrigin::driver)
      free_mdl(object_of(nb), *front);
    else if (free_handler != nullptr)
      free_handler(front);
    else
      IoFreeMdl(front);
  }
  find_current_mdl(nb);
}

void advance(NET_BUFFER_LIST& nbl, std::size_t delta, bool free_mdls, NET_BUFFER_FREE_MDL_HANDLER_PTR free_handler) {
  for (NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next)
    advance(*nb, delta, free_mdls, free_handler);
}

std::int64_t driver_shift(const NET_BUFFER_LIST& nbl) noexcept {
  for (const NET_BUFFER* nb = nbl.FirstNetBuffer; nb != nullptr; nb = nb->Next)
    if (const auto shift = object_of(*nb).driver_shift; shift != 0) return shift;
  return 0;
}

void note_driver_shift(NET_BUFFER& nb, std::int64_t back) noexcept { object_of(nb).driver_shift += back; }

void forget_driver_shift(NET_BUFFER& nb) noexcept { object_of(nb).driver_shift = 0; }

}  // namespace wfp::ndis
