// The NDIS functions that allocate, free and clone NET_BUFFER_LISTs: check, call, enter in the ledger.
#include <new>

#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/driver_pool.hpp"
#include "wfp/ndis/pool_core.hpp"

using namespace wfp;
using namespace wfp::ndis;

namespace {

// What leads the parameters of both kinds of pool.
bool is_valid(const NDIS_OBJECT_HEADER& header, UCHAR revision, USHORT size) {
  return header.Type == NDIS_OBJECT_TYPE_DEFAULT && header.Revision >= revision && header.Size >= size;
}

NDIS_HANDLE enter_pool(DriverPool* pool, const char* function) {
  if (pool != nullptr) ledger::acquire(ledger::Kind::buffer_pool, pool, function);
  return pool;
}

void free_pool(NDIS_HANDLE handle, const char* function) {
  DriverPool* const pool = pool_of(handle);
  if (pool == nullptr) return;
  ledger::release(ledger::Kind::buffer_pool, pool);  // its handle says whether it is alive
  const auto alone = pool->buffers_out.load(std::memory_order_acquire);
  const auto out = pool->packets->in_use() + alone;
  if (out != 0)
    ledger::report({.rule = ledger::rule::kNblPoolInUse,
                    .message = std::string(function) + ": " + std::to_string(out) +
                               " of the pool's buffers are still out. Free them before their pool.",
                    .packet = {},
                    .stack = {}});
  if (alone != 0) return;  // lone NET_BUFFERs would lose their pool: it stays
  retire_pool(*pool);
}

NET_BUFFER_LIST* enter_nbl(NET_BUFFER_LIST* nbl, NDIS_HANDLE pool, const char* function) {
  if (nbl == nullptr) return nullptr;
  nbl->NdisPoolHandle = pool;
  ledger::acquire(ledger::Kind::net_buffer_list, nbl, function);
  return nbl;
}

}  // namespace

extern "C" {

NDIS_HANDLE NTAPI NdisAllocateNetBufferListPool(NDIS_HANDLE NdisHandle,
                                                const NET_BUFFER_LIST_POOL_PARAMETERS* Parameters) {
  assert_dispatch_at_most("NdisAllocateNetBufferListPool");
  UNREFERENCED_PARAMETER(NdisHandle);
  if (Parameters == nullptr || !is_valid(Parameters->Header, NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1,
                                         NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1))
    return nullptr;
  if (Parameters->DataSize != 0 && !Parameters->fAllocateNetBuffer) return nullptr;  // as documented
  auto* const pool = new (std::nothrow) DriverPool;
  if (pool == nullptr) return nullptr;
  pool->context_size = Parameters->ContextSize;
  pool->data_size = Parameters->DataSize;
  pool->allocate_net_buffer = Parameters->fAllocateNetBuffer != FALSE;
  return enter_pool(pool, "NdisAllocateNetBufferListPool");
}

void NTAPI NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle) {
  REQUIRE_ARGUMENT(PoolHandle);
  assert_dispatch_at_most("NdisFreeNetBufferListPool");
  free_pool(PoolHandle, "NdisFreeNetBufferListPool");
}

NDIS_HANDLE NTAPI NdisAllocateNetBufferPool(NDIS_HANDLE NdisHandle, const NET_BUFFER_POOL_PARAMETERS* Parameters) {
  assert_dispatch_at_most("NdisAllocateNetBufferPool");
  UNREFERENCED_PARAMETER(NdisHandle);
  if (Parameters == nullptr || !is_valid(Parameters->Header, NET_BUFFER_POOL_PARAMETERS_REVISION_1,
                                         NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1))
    return nullptr;
  auto* const pool = new (std::nothrow) DriverPool;
  if (pool == nullptr) return nullptr;
  pool->data_size = Parameters->DataSize;
  return enter_pool(pool, "NdisAllocateNetBufferPool");
}

void NTAPI NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle) {
  REQUIRE_ARGUMENT(PoolHandle);
  assert_dispatch_at_most("NdisFreeNetBufferPool");
  free_pool(PoolHandle, "NdisFreeNetBufferPool");
}

NET_BUFFER_LIST* NTAPI NdisAllocateNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize, USHORT ContextBackFill) {
  assert_dispatch_at_most("NdisAllocateNetBufferList");
  DriverPool* const pool = pool_of(PoolHandle);
  if (pool == nullptr) return nullptr;
  ContextBackFill = back_fill_of(*pool, ContextSize, ContextBackFill);
  NET_BUFFER_LIST* nbl = nullptr;
  if (pool->data_size != 0) {  // NET_BUFFER, MDL and data come along
    nbl = pool->packets->allocate(pool->data_size, 0);
    if (nbl != nullptr) {
      object_of(*nbl).origin = Origin::driver;
      if (!allocate_context(*nbl, ContextSize, ContextBackFill)) {
        release(*nbl);
        nbl = nullptr;
      }
    }
  } else {
    nbl = allocate_for_driver(*pool->packets, ContextSize, ContextBackFill, nullptr, 0, 0);
    if (nbl != nullptr && !pool->allocate_net_buffer) nbl->FirstNetBuffer = nullptr;
  }
  return enter_nbl(nbl, PoolHandle, "NdisAllocateNetBufferList");
}

NET_BUFFER_LIST* NTAPI NdisAllocateNetBufferAndNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize,
                                                             USHORT ContextBackFill, MDL* MdlChain, ULONG DataOffset,
                                                             SIZE_T DataLength) {
  assert_dispatch_at_most("NdisAllocateNetBufferAndNetBufferList");
  DriverPool* const pool = pool_of(PoolHandle);
  if (pool == nullptr) return nullptr;
  NET_BUFFER_LIST* const nbl =
      allocate_for_driver(*pool->packets, ContextSize, back_fill_of(*pool, ContextSize, ContextBackFill), MdlChain,
                          DataOffset, DataLength);
  return enter_nbl(nbl, PoolHandle, "NdisAllocateNetBufferAndNetBufferList");
}

void NTAPI NdisFreeNetBufferList(NET_BUFFER_LIST* NetBufferList) {
  REQUIRE_ARGUMENT(NetBufferList);
  assert_dispatch_at_most("NdisFreeNetBufferList");
  free_list(*NetBufferList, "NdisFreeNetBufferList");
}

NET_BUFFER* NTAPI NdisAllocateNetBuffer(NDIS_HANDLE PoolHandle, MDL* MdlChain, ULONG DataOffset, SIZE_T DataLength) {
  assert_dispatch_at_most("NdisAllocateNetBuffer");
  DriverPool* const pool = pool_of(PoolHandle);
  NbObject* const object = pool != nullptr ? pool->packets->core().allocate_nb(nullptr) : nullptr;
  if (object == nullptr) return nullptr;
  pool->buffers_out.fetch_add(1, std::memory_order_acq_rel);
  object->nb.NdisPoolHandle = PoolHandle;
  attach_chain(object->nb, MdlChain, DataOffset, DataLength);
  ledger::acquire(ledger::Kind::net_buffer, &object->nb, "NdisAllocateNetBuffer");
  return &object->nb;
}

NET_BUFFER* NTAPI NdisAllocateNetBufferMdlAndData(NDIS_HANDLE PoolHandle) {
  assert_dispatch_at_most("NdisAllocateNetBufferMdlAndData");
  DriverPool* const pool = pool_of(PoolHandle);
  if (pool == nullptr || pool->data_size == 0) return nullptr;
  NET_BUFFER* const nb = NdisAllocateNetBuffer(PoolHandle, nullptr, 0, 0);
  if (nb == nullptr) return nullptr;
  const BlockRef block = pool->packets->allocate_block(pool->data_size);
  MDL* const mdl = block ? make_mdl(object_of(*nb), block.get(), block->data(), pool->data_size) : nullptr;
  if (mdl == nullptr) {
    NdisFreeNetBuffer(nb);
    return nullptr;
  }
  attach_chain(*nb, mdl, pool->data_size, 0);  // all of it is unused space: the driver retreats into it
  return nb;
}

void NTAPI NdisFreeNetBuffer(NET_BUFFER* NetBuffer) {
  REQUIRE_ARGUMENT(NetBuffer);
  assert_dispatch_at_most("NdisFreeNetBuffer");
  if (ledger::release(ledger::Kind::net_buffer, NetBuffer) == ledger::Release::unknown) {
    ledger::report({.rule = ledger::rule::kNblDoubleFree,
                    .message = "NdisFreeNetBuffer: no live NET_BUFFER at this address. Give each back once.",
                    .packet = {},
                    .stack = {},
                    .kind = ledger::Kind::net_buffer,
                    .about = NetBuffer});
    return;
  }
  NbObject& object = object_of(*NetBuffer);
  DriverPool* const pool = pool_of(NetBuffer->NdisPoolHandle);
  if (object.nbl != nullptr || pool == nullptr) return;  // part of an NBL: freed with it
  free_mdls(object);
  object.core->free_nb(object);
  pool->buffers_out.fetch_sub(1, std::memory_order_acq_rel);
}

NET_BUFFER_LIST* NTAPI NdisAllocateCloneNetBufferList(NET_BUFFER_LIST* OriginalNetBufferList,
                                                      NDIS_HANDLE NetBufferListPoolHandle,
                                                      NDIS_HANDLE NetBufferPoolHandle, ULONG AllocateCloneFlags) {
  assert_dispatch_at_most("NdisAllocateCloneNetBufferList");
  UNREFERENCED_PARAMETER(NetBufferPoolHandle);  // its buffers come from the list's pool
  NblPool* const pool = pool_or_shared(NetBufferListPoolHandle);
  if (OriginalNetBufferList == nullptr || pool == nullptr) return nullptr;
  const bool original_mdls = (AllocateCloneFlags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS) != 0;
  NET_BUFFER_LIST* const copy =
      clone(*OriginalNetBufferList, *pool, {.inherit_offload = false, .use_original_mdls = original_mdls});
  if (copy == nullptr) return nullptr;
  copy->NdisPoolHandle = NetBufferListPoolHandle;
  ledger::acquire(ledger::Kind::clone, copy, "NdisAllocateCloneNetBufferList");
  return copy;
}

void NTAPI NdisFreeCloneNetBufferList(NET_BUFFER_LIST* CloneNetBufferList, ULONG FreeCloneFlags) {
  REQUIRE_ARGUMENT(CloneNetBufferList);
  assert_dispatch_at_most("NdisFreeCloneNetBufferList");
  UNREFERENCED_PARAMETER(FreeCloneFlags);
  free_clone(*CloneNetBufferList, "NdisFreeCloneNetBufferList");
}

}  // extern "C"
