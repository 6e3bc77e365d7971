// extern "C": pool memory, lookaside lists and lists under a spin lock.
#include "nt/ex.h"
#include "nt/rtl.h"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"

using namespace wfp::kernel;

namespace {

constexpr ULONG kNoTag = 0x656e6f4e;  // 'None', the tag of allocations without one
constexpr USHORT kDefaultDepth = 256;

PVOID allocate(bool paged, SIZE_T size, ULONG tag, bool zeroed, const char* routine) {
  assert_irql_at_most(paged ? APC_LEVEL : DISPATCH_LEVEL, routine);
  return Kernel::current().pool().allocate(size, tag, zeroed);
}
bool is_paged(POOL_TYPE type) { return (type & PagedPool) != 0; }

PVOID take_block(LOOKASIDE_LIST_EX& list, const char* routine) {
  assert_irql_at_most(DISPATCH_LEVEL, routine);
  KIRQL level = KeAcquireSpinLockRaiseToDpc(&list.Lock);
  PSINGLE_LIST_ENTRY entry = PopEntryList(&list.Free);
  if (entry != nullptr) --list.Count;
  KeReleaseSpinLock(&list.Lock, level);
  return entry;
}
bool keep_block(LOOKASIDE_LIST_EX& list, PVOID block, const char* routine) {
  assert_irql_at_most(DISPATCH_LEVEL, routine);
  KIRQL level = KeAcquireSpinLockRaiseToDpc(&list.Lock);
  const bool room = list.Count < list.Depth && wfp::ledger::level() == wfp::ledger::Level::off;
  if (room) {  // the verifier wants every block to pass through the pool's checks
    PushEntryList(&list.Free, static_cast<PSINGLE_LIST_ENTRY>(block));
    ++list.Count;
  }
  KeReleaseSpinLock(&list.Lock, level);
  return room;
}
void give_back(LOOKASIDE_LIST_EX& list, PVOID block) {
  if (list.FreeRoutine != nullptr)
    list.FreeRoutine(block, &list);
  else
    ExFreePoolWithTag(block, list.Tag);
}

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

// --- lookaside lists ---

NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                           PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG, SIZE_T Size, ULONG Tag,
                                           USHORT Depth) {
  *Lookaside = {};
  Lookaside->Depth = Depth != 0 ? Depth : kDefaultDepth;
  Lookaside->Tag = Tag;
  Lookaside->Size = Size < sizeof(SINGLE_LIST_ENTRY) ? sizeof(SINGLE_LIST_ENTRY) : Size;
  Lookaside->Type = PoolType;
  Lookaside->Allocate = Allocate;
  Lookaside->FreeRoutine = Free;
  wfp::ledger::acquire(wfp::ledger::Kind::lookaside_list, Lookaside, "ExInitializeLookasideListEx");
  return STATUS_SUCCESS;
}
VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  wfp::ledger::release(wfp::ledger::Kind::lookaside_list, Lookaside);
  while (PVOID block = take_block(*Lookaside, "ExDeleteLookasideListEx")) give_back(*Lookaside, block);
}
PVOID NTAPI ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  if (PVOID block = take_block(*Lookaside, "ExAllocateFromLookasideListEx"); block != nullptr) return block;
  if (Lookaside->Allocate != nullptr)
    return Lookaside->Allocate(Lookaside->Type, Lookaside->Size, Lookaside->Tag, Lookaside);
  return ExAllocatePoolWithTag(Lookaside->Type, Lookaside->Size, Lookaside->Tag);
}
VOID NTAPI ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry) {
  if (!keep_block(*Lookaside, Entry, "ExFreeToLookasideListEx")) give_back(*Lookaside, Entry);
}
// The older form: its routines do not get the list.
VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                           PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth) {
  ExInitializeLookasideListEx(&Lookaside->L, nullptr, nullptr, NonPagedPoolNx, Flags, Size, Tag, Depth);
  Lookaside->Allocate = Allocate;
  Lookaside->FreeRoutine = Free;
}
VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  wfp::ledger::release(wfp::ledger::Kind::lookaside_list, &Lookaside->L);
  while (PVOID block = take_block(Lookaside->L, "ExDeleteNPagedLookasideList"))
    Lookaside->FreeRoutine != nullptr ? Lookaside->FreeRoutine(block) : give_back(Lookaside->L, block);
}
PVOID NTAPI ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  if (PVOID block = take_block(Lookaside->L, "ExAllocateFromNPagedLookasideList"); block != nullptr) return block;
  if (Lookaside->Allocate != nullptr)
    return Lookaside->Allocate(Lookaside->L.Type, Lookaside->L.Size, Lookaside->L.Tag);
  return ExAllocatePoolWithTag(Lookaside->L.Type, Lookaside->L.Size, Lookaside->L.Tag);
}
VOID NTAPI ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) {
  if (keep_block(Lookaside->L, Entry, "ExFreeToNPagedLookasideList")) return;
  Lookaside->FreeRoutine != nullptr ? Lookaside->FreeRoutine(Entry) : give_back(Lookaside->L, Entry);
}

// --- lists under a lock ---

PLIST_ENTRY NTAPI ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PLIST_ENTRY first = IsListEmpty(ListHead) ? nullptr : ListHead->Flink;
  InsertHeadList(ListHead, ListEntry);
  KeReleaseSpinLock(Lock, level);
  return first;
}
PLIST_ENTRY NTAPI ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PLIST_ENTRY last = IsListEmpty(ListHead) ? nullptr : ListHead->Blink;
  InsertTailList(ListHead, ListEntry);
  KeReleaseSpinLock(Lock, level);
  return last;
}
PLIST_ENTRY NTAPI ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PLIST_ENTRY entry = IsListEmpty(ListHead) ? nullptr : RemoveHeadList(ListHead);
  KeReleaseSpinLock(Lock, level);
  return entry;
}
PSINGLE_LIST_ENTRY NTAPI ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
                                                    PKSPIN_LOCK Lock) {
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PSINGLE_LIST_ENTRY first = ListHead->Next;
  PushEntryList(ListHead, ListEntry);
  KeReleaseSpinLock(Lock, level);
  return first;
}
PSINGLE_LIST_ENTRY NTAPI ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(Lock);
  PSINGLE_LIST_ENTRY entry = PopEntryList(ListHead);
  KeReleaseSpinLock(Lock, level);
  return entry;
}

}  // extern "C"
