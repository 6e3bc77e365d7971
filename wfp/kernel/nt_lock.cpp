// extern "C": IRQL, spin locks, processors, bug checks and assertions.
#include "nt/ke.h"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/spin_lock.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;

namespace {
constexpr KPRIORITY kNormalPriority = 8;
}

extern "C" {

KIRQL NTAPI KeGetCurrentIrql(VOID) { return current_irql(); }
VOID NTAPI KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql) {
  REQUIRE_ARGUMENT(OldIrql);
  *OldIrql = raise_irql(NewIrql);
}
VOID NTAPI KeLowerIrql(KIRQL NewIrql) { lower_irql(NewIrql); }
KIRQL NTAPI KeRaiseIrqlToDpcLevel(VOID) { return raise_irql(DISPATCH_LEVEL); }
BOOLEAN NTAPI KeAreApcsDisabled(VOID) { return thread_state.critical_regions != 0 || current_irql() >= APC_LEVEL; }
VOID NTAPI KeEnterCriticalRegion(VOID) { ++thread_state.critical_regions; }
VOID NTAPI KeLeaveCriticalRegion(VOID) {
  if (thread_state.critical_regions != 0)
    --thread_state.critical_regions;
  else
    report_violation(wfp::ledger::rule::kObject, "KeLeaveCriticalRegion: this thread has entered none");
}

VOID NTAPI KeInitializeSpinLock(PKSPIN_LOCK SpinLock) {
  REQUIRE_ARGUMENT(SpinLock);
  *SpinLock = 0;
}

KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) {
  REQUIRE_ARGUMENT(SpinLock);
  const KIRQL before = current_irql();
  if (assert_irql_at_most(DISPATCH_LEVEL, "KeAcquireSpinLock")) raise_irql(DISPATCH_LEVEL);
  acquire_spin_lock(*SpinLock, "KeAcquireSpinLock");
  return before;
}
VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  REQUIRE_ARGUMENT(SpinLock);
  assert_irql_at_least(DISPATCH_LEVEL, "KeReleaseSpinLock");
  release_spin_lock(*SpinLock, "KeReleaseSpinLock");
  lower_irql(NewIrql);
}
VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  REQUIRE_ARGUMENT(SpinLock);
  acquire_spin_lock(*SpinLock, "KeAcquireSpinLockAtDpcLevel");
}
VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  REQUIRE_ARGUMENT(SpinLock);
  assert_irql_at_least(DISPATCH_LEVEL, "KeReleaseSpinLockFromDpcLevel");
  release_spin_lock(*SpinLock, "KeReleaseSpinLockFromDpcLevel");
}
BOOLEAN NTAPI KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  REQUIRE_ARGUMENT(SpinLock);
  assert_irql_at_least(DISPATCH_LEVEL, "KeTryToAcquireSpinLockAtDpcLevel");
  return try_acquire_spin_lock(*SpinLock);
}
BOOLEAN NTAPI KeTestSpinLock(PKSPIN_LOCK SpinLock) {
  REQUIRE_ARGUMENT(SpinLock);
  return LockWords(*SpinLock).state().load(std::memory_order_acquire) == LockWords::kFree;
}

VOID NTAPI KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  REQUIRE_ARGUMENT(SpinLock);
  REQUIRE_ARGUMENT(LockHandle);
  LockHandle->LockQueue = {nullptr, SpinLock};
  LockHandle->OldIrql = current_irql();
  if (assert_irql_at_most(DISPATCH_LEVEL, "KeAcquireInStackQueuedSpinLock")) raise_irql(DISPATCH_LEVEL);
  acquire_spin_lock(*SpinLock, "KeAcquireInStackQueuedSpinLock");
}
VOID NTAPI KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle) {
  REQUIRE_ARGUMENT(LockHandle);
  assert_irql_at_least(DISPATCH_LEVEL, "KeReleaseInStackQueuedSpinLock");
  release_spin_lock(*LockHandle->LockQueue.Lock, "KeReleaseInStackQueuedSpinLock");
  lower_irql(LockHandle->OldIrql);
}
VOID NTAPI KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  REQUIRE_ARGUMENT(SpinLock);
  REQUIRE_ARGUMENT(LockHandle);
  LockHandle->LockQueue = {nullptr, SpinLock};
  LockHandle->OldIrql = DISPATCH_LEVEL;
  acquire_spin_lock(*SpinLock, "KeAcquireInStackQueuedSpinLockAtDpcLevel");
}
VOID NTAPI KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle) {
  REQUIRE_ARGUMENT(LockHandle);
  assert_irql_at_least(DISPATCH_LEVEL, "KeReleaseInStackQueuedSpinLockFromDpcLevel");
  release_spin_lock(*LockHandle->LockQueue.Lock, "KeReleaseInStackQueuedSpinLockFromDpcLevel");
}

// --- processors ---

ULONG NTAPI KeGetCurrentProcessorNumber(VOID) { return thread_state.processor; }
ULONG NTAPI KeGetCurrentProcessorIndex(VOID) { return thread_state.processor; }
ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber) {
  if (ProcNumber != nullptr) *ProcNumber = {0, static_cast<UCHAR>(thread_state.processor), 0};
  return thread_state.processor;
}
ULONG NTAPI KeQueryActiveProcessorCountEx(USHORT) { return Kernel::current().scheduler().processor_count(); }
ULONG NTAPI KeQueryMaximumProcessorCount(VOID) { return Kernel::current().scheduler().processor_count(); }
ULONG NTAPI KeQueryActiveProcessorCount(KAFFINITY* ActiveProcessors) {
  const ULONG count = Kernel::current().scheduler().processor_count();
  if (ActiveProcessors != nullptr) *ActiveProcessors = ~KAFFINITY{0} >> (kMaxProcessors - count);
  return count;
}
PKTHREAD NTAPI KeGetCurrentThread(VOID) { return &Kernel::current().scheduler().current(); }
// Accepted without effect.
KPRIORITY NTAPI KeSetPriorityThread(PKTHREAD, KPRIORITY) { return kNormalPriority; }

// --- the end, and what leads there ---

VOID NTAPI KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
                        ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4) {
  bugcheck({.code = BugCheckCode,
            .parameters = {BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4},
            .message = {}});
}
VOID NTAPI KeBugCheck(ULONG BugCheckCode) { KeBugCheckEx(BugCheckCode, 0, 0, 0, 0); }

VOID NTAPI RtlAssert(PVOID FailedAssertion, PVOID FileName, ULONG LineNumber, PSTR Message) {
  report_violation(wfp::ledger::rule::kAssert,
                   text("assertion failed: %s at %s:%u %s", static_cast<const char*>(FailedAssertion),
                        static_cast<const char*>(FileName), LineNumber, Message != nullptr ? Message : ""));
}
VOID NTAPI WfptapPagedCode(PCSTR Function) { assert_irql_at_most(APC_LEVEL, Function); }

}  // extern "C"
