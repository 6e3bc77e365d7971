// extern "C": lists for many processors, and the lookaside lists over them.
//
// A list's header has 16 bytes: its depth, and the first entry, whose lowest bit is the lock. It is held for a handful of
// instructions, at no preemption point. The alternative, an exchange of 16 bytes at once, would read the next pointer of
// an entry that somebody else may have popped and freed: Windows forgives that fault, a sanitizer does not.
#include <sched.h>

#include <atomic>
#include <limits>

#include "nt/ex.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;
namespace ledger = wfp::ledger;

namespace {

constexpr USHORT kDefaultDepth = 256;
constexpr ULONGLONG kLocked = 1;
constexpr int kSpinsBeforeYield = 200;

class LockedList {
 public:
  explicit LockedList(SLIST_HEADER& header) : header_(header) {
    const auto word = region();
    ULONGLONG seen = word.load(std::memory_order_relaxed) & ~kLocked;
    for (int spins = 1; !word.compare_exchange_weak(seen, seen | kLocked, std::memory_order_acquire); ++spins) {
      seen &= ~kLocked;
      if (spins % kSpinsBeforeYield == 0) sched_yield();
    }
    first_ = reinterpret_cast<PSLIST_ENTRY>(seen);
  }
  ~LockedList() { region().store(reinterpret_cast<ULONGLONG>(first_), std::memory_order_release); }
  LockedList(const LockedList&) = delete;
  LockedList& operator=(const LockedList&) = delete;

  PSLIST_ENTRY first() const { return first_; }
  void set(PSLIST_ENTRY first, USHORT depth) {
    first_ = first;
    depth_word().store(depth, std::memory_order_relaxed);
  }
  USHORT depth() const { return static_cast<USHORT>(depth_word().load(std::memory_order_relaxed)); }

 private:
  std::atomic_ref<ULONGLONG> region() const { return std::atomic_ref(header_.Region); }
  std::atomic_ref<ULONGLONG> depth_word() const { return std::atomic_ref(header_.Alignment); }

  SLIST_HEADER& header_;
  PSLIST_ENTRY first_;
};

PVOID allocate_by_default(POOL_TYPE type, SIZE_T size, ULONG tag, PLOOKASIDE_LIST_EX) {
  return ExAllocatePoolWithTag(type, size, tag);
}
VOID free_by_default(PVOID block, PLOOKASIDE_LIST_EX list) { ExFreePoolWithTag(block, list->L.Tag); }

// Without depth the list keeps nothing: the verifier wants every block to pass through the pool's checks, also when the
// driver's own code looks at the depth.
template <class General>
void initialize(General& list, POOL_TYPE type, SIZE_T size, ULONG tag, USHORT depth) {
  list = {};
  list.MaximumDepth = depth != 0 ? depth : kDefaultDepth;
  list.Depth = ledger::level() == ledger::Level::off ? list.MaximumDepth : USHORT{0};
  list.Type = type;
  list.Tag = tag;
  list.Size = static_cast<ULONG>(size < sizeof(PVOID) ? sizeof(PVOID) : size);
}

template <class General>
PVOID take_block(General& list, const char* routine) {
  assert_irql_at_most(DISPATCH_LEVEL, routine);
  std::atomic_ref(list.TotalAllocates).fetch_add(1, std::memory_order_relaxed);
  PVOID block = ExpInterlockedPopEntrySList(&list.ListHead);
  if (block == nullptr) std::atomic_ref(list.AllocateMisses).fetch_add(1, std::memory_order_relaxed);
  return block;
}

template <class General>
bool keep_block(General& list, PVOID block, const char* routine) {
  assert_irql_at_most(DISPATCH_LEVEL, routine);
  std::atomic_ref(list.TotalFrees).fetch_add(1, std::memory_order_relaxed);
  if (ExQueryDepthSList(&list.ListHead) < list.Depth) {
    ExpInterlockedPushEntrySList(&list.ListHead, static_cast<PSLIST_ENTRY>(block));
    return true;
  }
  std::atomic_ref(list.FreeMisses).fetch_add(1, std::memory_order_relaxed);
  return false;
}

// A list is deleted once; what its blocks would be freed with the second time is no longer there.
bool may_delete(const void* list, const char* routine) {
  if (ledger::release(ledger::Kind::lookaside_list, list) != ledger::Release::unknown) return true;
  report_violation(ledger::rule::kObject,
                   text("%s: the lookaside list at %p was never initialized, or was deleted before", routine, list));
  return false;
}

}  // namespace

extern "C" {

// --- lists ---

PSLIST_ENTRY NTAPI ExpInterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry) {
  REQUIRE_ARGUMENT(ListHead);
  REQUIRE_ARGUMENT(ListEntry);
  LockedList list(*ListHead);
  PSLIST_ENTRY before = list.first();
  ListEntry->Next = before;
  list.set(ListEntry, static_cast<USHORT>(list.depth() + 1));
  return before;
}
PSLIST_ENTRY NTAPI ExpInterlockedPopEntrySList(PSLIST_HEADER ListHead) {
  REQUIRE_ARGUMENT(ListHead);
  LockedList list(*ListHead);
  PSLIST_ENTRY entry = list.first();
  if (entry != nullptr) list.set(entry->Next, static_cast<USHORT>(list.depth() - 1));
  return entry;
}
PSLIST_ENTRY NTAPI ExpInterlockedFlushSList(PSLIST_HEADER ListHead) {
  REQUIRE_ARGUMENT(ListHead);
  LockedList list(*ListHead);
  PSLIST_ENTRY entry = list.first();
  list.set(nullptr, 0);
  return entry;
}
USHORT NTAPI ExQueryDepthSList(PSLIST_HEADER SListHead) {
  REQUIRE_ARGUMENT(SListHead);
  return static_cast<USHORT>(std::atomic_ref(SListHead->Alignment).load(std::memory_order_relaxed));
}

// --- lookaside lists ---

NTSTATUS NTAPI ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                           PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG, SIZE_T Size, ULONG Tag,
                                           USHORT Depth) {
  REQUIRE_ARGUMENT(Lookaside);
  if (Size > std::numeric_limits<ULONG>::max()) return STATUS_INVALID_PARAMETER;
  initialize(Lookaside->L, PoolType, Size, Tag, Depth);
  Lookaside->L.AllocateEx = Allocate != nullptr ? Allocate : allocate_by_default;
  Lookaside->L.FreeEx = Free != nullptr ? Free : free_by_default;
  ledger::acquire(ledger::Kind::lookaside_list, Lookaside, "ExInitializeLookasideListEx");
  return STATUS_SUCCESS;
}
VOID NTAPI ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  REQUIRE_ARGUMENT(Lookaside);
  if (!may_delete(Lookaside, "ExDeleteLookasideListEx")) return;
  while (PVOID block = take_block(Lookaside->L, "ExDeleteLookasideListEx")) Lookaside->L.FreeEx(block, Lookaside);
}
PVOID NTAPI ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  REQUIRE_ARGUMENT(Lookaside);
  if (PVOID block = take_block(Lookaside->L, "ExAllocateFromLookasideListEx"); block != nullptr) return block;
  return Lookaside->L.AllocateEx(Lookaside->L.Type, Lookaside->L.Size, Lookaside->L.Tag, Lookaside);
}
VOID NTAPI ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry) {
  REQUIRE_ARGUMENT(Lookaside);
  REQUIRE_ARGUMENT(Entry);
  if (!keep_block(Lookaside->L, Entry, "ExFreeToLookasideListEx")) Lookaside->L.FreeEx(Entry, Lookaside);
}

// The older form: its routines do not get the list.
VOID NTAPI ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                           PFREE_FUNCTION Free, ULONG, SIZE_T Size, ULONG Tag, USHORT Depth) {
  REQUIRE_ARGUMENT(Lookaside);
  initialize(Lookaside->L, NonPagedPoolNx, Size, Tag, Depth);
  Lookaside->L.Allocate = Allocate != nullptr ? Allocate : ExAllocatePoolWithTag;
  Lookaside->L.Free = Free != nullptr ? Free : ExFreePool;
  ledger::acquire(ledger::Kind::lookaside_list, Lookaside, "ExInitializeNPagedLookasideList");
}
VOID NTAPI ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  REQUIRE_ARGUMENT(Lookaside);
  if (!may_delete(Lookaside, "ExDeleteNPagedLookasideList")) return;
  while (PVOID block = take_block(Lookaside->L, "ExDeleteNPagedLookasideList")) Lookaside->L.Free(block);
}
PVOID NTAPI ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  REQUIRE_ARGUMENT(Lookaside);
  if (PVOID block = take_block(Lookaside->L, "ExAllocateFromNPagedLookasideList"); block != nullptr) return block;
  return Lookaside->L.Allocate(Lookaside->L.Type, Lookaside->L.Size, Lookaside->L.Tag);
}
VOID NTAPI ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) {
  REQUIRE_ARGUMENT(Lookaside);
  REQUIRE_ARGUMENT(Entry);
  if (!keep_block(Lookaside->L, Entry, "ExFreeToNPagedLookasideList")) Lookaside->L.Free(Entry);
}

}  // extern "C"
