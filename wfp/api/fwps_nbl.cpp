// Fwps functions over NET_BUFFER_LISTs: check, call wfp/ndis, enter in the ledger. IRQL <= DISPATCH_LEVEL, any
// thread.
#include <cstdlib>
#include <string>

#include "fwpsk.h"
#include "nt/ke.h"
#include "nt/ntstatus.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/ndis/driver_pool.hpp"
#include "wfp/ndis/offsets.hpp"

using namespace wfp;
using namespace wfp::ndis;

namespace {

// Before a dereference. What drivers moved has to be undone when the stack and all drivers but this one have let go of
// the packet; clones may still be out. Earlier, somebody else may be at it.
void check_data_start(const NET_BUFFER_LIST& nbl, const std::string& packet) {
  const auto children = static_cast<std::uint32_t>(__atomic_load_n(&nbl.ChildRefCount, __ATOMIC_ACQUIRE));
  if (origin(nbl) != Origin::stack || reference_count(nbl) != children + 1) return;
  const std::int64_t back = driver_shift(nbl);
  if (back == 0) return;
  ledger::report({.rule = ledger::rule::kOffsets,
                  .message = kernel::text(
                      "FwpsDereferenceNetBufferList0: the packet's data start is %lld bytes too far %s; undo each "
                      "NdisRetreatNetBufferDataStart with NdisAdvanceNetBufferDataStart before giving it back",
                      static_cast<long long>(std::abs(back)), back > 0 ? "back" : "ahead"),
                  .packet = packet,
                  .stack = {},
                  .object = kernel::text("NET_BUFFER_LIST %p", static_cast<const void*>(&nbl))});
}

}  // namespace

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
  REQUIRE_ARGUMENT(netBufferList);
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsFreeNetBufferList0");
  free_list(*netBufferList, "FwpsFreeNetBufferList0");
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
  REQUIRE_ARGUMENT(netBufferList);
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsFreeCloneNetBufferList0");
  UNREFERENCED_PARAMETER(freeCloneFlags);
  free_clone(*netBufferList, "FwpsFreeCloneNetBufferList0");
}

void NTAPI FwpsReferenceNetBufferList0(NET_BUFFER_LIST* netBufferList, BOOLEAN intendToModify) {
  REQUIRE_ARGUMENT(netBufferList);
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsReferenceNetBufferList0");
  ledger::acquire(ledger::Kind::nbl_reference, netBufferList,
                  intendToModify ? "FwpsReferenceNetBufferList0(modify)" : "FwpsReferenceNetBufferList0");
  reference(*netBufferList);
}

void NTAPI FwpsDereferenceNetBufferList0(NET_BUFFER_LIST* netBufferList, BOOLEAN dispatchLevel) {
  REQUIRE_ARGUMENT(netBufferList);
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsDereferenceNetBufferList0");
  UNREFERENCED_PARAMETER(dispatchLevel);  // a hint that saves Windows a query of the IRQL
  const std::string packet = ledger::packet_of(ledger::Kind::nbl_reference, netBufferList);
  if (!strike_out(ledger::Kind::nbl_reference, netBufferList, "FwpsDereferenceNetBufferList0")) return;
  check_data_start(*netBufferList, packet);
  release(*netBufferList);
}

}  // extern "C"
