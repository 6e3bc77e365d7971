// Fwps functions over NET_BUFFER_LISTs: check, call wfp/ndis, enter in the ledger. IRQL <= DISPATCH_LEVEL, any
// thread.
#include "fwpsk.h"
#include "nt/ke.h"
#include "nt/ntstatus.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/ledger.hpp"
#include "wfp/ndis/driver_pool.hpp"

using namespace wfp;
using namespace wfp::ndis;

extern "C" {

NTSTATUS NTAPI FwpsAllocateNetBufferAndNetBufferList0(NDIS_HANDLE poolHandle, USHORT contextSize,
                                                      USHORT contextBackFill, MDL* mdlChain, ULONG dataOffset,
                                                      SIZE_T dataLength, NET_BUFFER_LIST** netBufferList) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsAllocateNetBufferAndNetBufferList0");
  NblPool* const pool = pool_or_shared(poolHandle);
  if (pool == nullptr || netBufferList == nullptr) return STATUS_INVALID_PARAMETER;
  if (poolHandle != nullptr) contextBackFill = back_fill_of(*pool_of(poolHandle), contextSize, contextBackFill);
  NET_BUFFER_LIST* const nbl =
      allocate_for_driver(*pool, contextSize, contextBackFill, mdlChain, dataOffset, dataLength);
  if (nbl == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  nbl->NdisPoolHandle = poolHandle;
  ledger::acquire(ledger::Kind::net_buffer_list, nbl, "FwpsAllocateNetBufferAndNetBufferList0");
  *netBufferList = nbl;
  return STATUS_SUCCESS;
}

void NTAPI FwpsFreeNetBufferList0(NET_BUFFER_LIST* netBufferList) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsFreeNetBufferList0");
  if (netBufferList != nullptr) free_list(*netBufferList, "FwpsFreeNetBufferList0");
}

NTSTATUS NTAPI FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST* originalNetBufferList,
                                               NDIS_HANDLE netBufferListPoolHandle, NDIS_HANDLE netBufferPoolHandle,
                                               ULONG allocateCloneFlags, NET_BUFFER_LIST** netBufferList) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsAllocateCloneNetBufferList0");
  UNREFERENCED_PARAMETER(netBufferPoolHandle);  // a clone's buffers come from the list's pool
  NblPool* const pool = pool_or_shared(netBufferListPoolHandle);
  if (originalNetBufferList == nullptr || netBufferList == nullptr || pool == nullptr)
    return STATUS_INVALID_PARAMETER;
  const bool original_mdls = (allocateCloneFlags & NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS) != 0;
  NET_BUFFER_LIST* const copy =
      clone(*originalNetBufferList, *pool, {.inherit_offload = true, .use_original_mdls = original_mdls});
  if (copy == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  copy->NdisPoolHandle = netBufferListPoolHandle;
  ledger::acquire(ledger::Kind::clone, copy, "FwpsAllocateCloneNetBufferList0");
  *netBufferList = copy;
  return STATUS_SUCCESS;
}

void NTAPI FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST* netBufferList, ULONG freeCloneFlags) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsFreeCloneNetBufferList0");
  UNREFERENCED_PARAMETER(freeCloneFlags);
  if (netBufferList != nullptr) free_clone(*netBufferList, "FwpsFreeCloneNetBufferList0");
}

void NTAPI FwpsReferenceNetBufferList0(NET_BUFFER_LIST* netBufferList, BOOLEAN intendToModify) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsReferenceNetBufferList0");
  if (netBufferList == nullptr) return;
  ledger::acquire(ledger::Kind::nbl_reference, netBufferList,
                  intendToModify ? "FwpsReferenceNetBufferList0(modify)" : "FwpsReferenceNetBufferList0");
  reference(*netBufferList);
}

void NTAPI FwpsDereferenceNetBufferList0(NET_BUFFER_LIST* netBufferList, BOOLEAN dispatchLevel) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsDereferenceNetBufferList0");
  UNREFERENCED_PARAMETER(dispatchLevel);  // a hint that saves Windows a query of the IRQL
  if (netBufferList == nullptr) return;
  if (strike_out(ledger::Kind::nbl_reference, netBufferList, "FwpsDereferenceNetBufferList0"))
    release(*netBufferList);
}

}  // extern "C"
