// extern "C": pool memory and lists under a spin lock.
#include "nt/ex.h"
#include "nt/rtl.h"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/ledger/require.hpp"

using namespace wfp::kernel;

namespace {

constexpr ULONG kNoTag = 0x656e6f4e;  // 'None', the tag of allocations without one

PVOID allocate(bool paged, SIZE_T size, ULONG tag, bool zeroed, const char* routine) {
  assert_irql_at_most(paged ? APC_LEVEL : DISPATCH_LEVEL, routine);
  return Kernel::current().pool().allocate(size, tag, zeroed);
}
bool is_paged(POOL_TYPE type) { return (type & PagedPool) != 0; }

}  // namespace

extern "C" {

PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate(is_paged(PoolType), NumberOfBytes, Tag, false, "ExAllocatePoolWithTag");
}
PVOID NTAPI ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate(is_paged(PoolType), NumberOfBytes, Tag, true, "ExAllocatePoolZero");
}
PVOID NTAPI ExAllocatePoolUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate(is_paged(PoolType), NumberOfBytes, Tag, false, "ExAllocatePoolUninitialized");
}
PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag) {
  constexpr POOL_FLAGS kPools = POOL_FLAG_PAGED | POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE;
  if ((Flags & kPools) == 0 || Tag == 0 || NumberOfBytes == 0) return nullptr;  // documented parameter errors
  PVOID memory = allocate((Flags & POOL_FLAG_PAGED) != 0, NumberOfBytes, Tag, (Flags & POOL_FLAG_UNINITIALIZED) == 0,
                          "ExAllocatePool2");
  if (memory == nullptr && (Flags & POOL_FLAG_RAISE_ON_FAILURE) != 0)
    bugcheck({.code = 0x1E, .message = "ExAllocatePool2 with POOL_FLAG_RAISE_ON_FAILURE ran out of memory"});
  return memory;
}
PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes) {
  return allocate(is_paged(PoolType), NumberOfBytes, kNoTag, false, "ExAllocatePool");
}
VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag) {
  assert_irql_at_most(DISPATCH_LEVEL, "ExFreePoolWithTag");
  Kernel::current().pool().free(P, Tag);
}
VOID NTAPI ExFreePool(PVOID P) { ExFreePoolWithTag(P, 0); }
VOID NTAPI ExInitializeDriverRuntime(ULONG) {}  // selects no-execute pool, which ours always is

// --- lists under a lock ---

PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  REQUIRE_ARGUMENT(ListHead);
  REQUIRE_ARGUMENT(ListEntry);
  REQUIRE_ARGUMENT(Lock);
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PLIST_ENTRY first = IsListEmpty(ListHead) ? nullptr : ListHead->Flink;
  InsertHeadList(ListHead, ListEntry);
  KeReleaseSpinLock(Lock, level);
  return first;
}
PLIST_ENTRY NTAPI ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  REQUIRE_ARGUMENT(ListHead);
  REQUIRE_ARGUMENT(ListEntry);
  REQUIRE_ARGUMENT(Lock);
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PLIST_ENTRY last = IsListEmpty(ListHead) ? nullptr : ListHead->Blink;
  InsertTailList(ListHead, ListEntry);
  KeReleaseSpinLock(Lock, level);
  return last;
}
PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  REQUIRE_ARGUMENT(ListHead);
  REQUIRE_ARGUMENT(Lock);
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PLIST_ENTRY entry = IsListEmpty(ListHead) ? nullptr : RemoveHeadList(ListHead);
  KeReleaseSpinLock(Lock, level);
  return entry;
}
PSINGLE_LIST_ENTRY NTAPI ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
                                                    PKSPIN_LOCK Lock) {
  REQUIRE_ARGUMENT(ListHead);
  REQUIRE_ARGUMENT(ListEntry);
  REQUIRE_ARGUMENT(Lock);
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PSINGLE_LIST_ENTRY first = ListHead->Next;
  PushEntryList(ListHead, ListEntry);
  KeReleaseSpinLock(Lock, level);
  return first;
}
PSINGLE_LIST_ENTRY NTAPI ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  REQUIRE_ARGUMENT(ListHead);
  REQUIRE_ARGUMENT(Lock);
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PSINGLE_LIST_ENTRY entry = PopEntryList(ListHead);
  KeReleaseSpinLock(Lock, level);
  return entry;
}

}  // extern "C"
