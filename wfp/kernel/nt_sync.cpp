// extern "C": run-down protection and executive resources.
#include "nt/ex.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"

using namespace wfp::kernel;

namespace {

constexpr LONG64 kRunningDown = 1, kOneHolder = 2;
std::atomic_ref<LONG64> count_of(EX_RUNDOWN_REF& ref) { return std::atomic_ref(ref.Count); }

void wait_for_event(KEVENT& event) { Kernel::current().scheduler().wait(&event, kNever); }

// One try; the lock is held only to look. True when the resource was taken.
bool try_take(ERESOURCE& resource, bool exclusive) {
  PKTHREAD self = KeGetCurrentThread();
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(&resource.Lock);
  const bool mine = resource.Owner == self;
  bool taken = true;
  if (mine)
    --resource.ActiveCount;  // the owner again, exclusively or shared: one level deeper
  else if (exclusive && resource.ActiveCount == 0)
    resource.ActiveCount = -1;
  else if (!exclusive && resource.ActiveCount >= 0 && resource.WaitingWriters == 0)
    ++resource.ActiveCount;
  else
    taken = false;
  if (taken && resource.ActiveCount < 0) resource.Owner = self;
  KeReleaseSpinLock(&resource.Lock, level);
  return taken;
}

void count_waiting_writer(ERESOURCE& resource, bool more) {
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(&resource.Lock);
  more ? ++resource.WaitingWriters : --resource.WaitingWriters;
  KeReleaseSpinLock(&resource.Lock, level);
  if (!more) KeSetEvent(&resource.Changed, IO_NO_INCREMENT, FALSE);
}

BOOLEAN acquire(ERESOURCE& resource, bool exclusive, bool may_wait, const char* routine) {
  assert_irql_at_most(APC_LEVEL, routine);
  if (try_take(resource, exclusive)) return TRUE;
  if (!may_wait) return FALSE;
  if (exclusive) count_waiting_writer(resource, true);
  for (;;) {
    KeClearEvent(&resource.Changed);  // before the look, so that a release after it is seen
    if (try_take(resource, exclusive)) break;
    wait_for_event(resource.Changed);
  }
  if (exclusive) count_waiting_writer(resource, false);
  return TRUE;
}

}  // namespace

extern "C" {

// --- run-down protection ---

VOID NTAPI ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
  RunRef->Count = 0;
  KeInitializeEvent(&RunRef->Drained, NotificationEvent, FALSE);
}
VOID NTAPI ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) { ExInitializeRundownProtection(RunRef); }

BOOLEAN NTAPI ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef) {
  const auto count = count_of(*RunRef);
  LONG64 seen = count.load(std::memory_order_relaxed);
  while ((seen & kRunningDown) == 0)
    if (count.compare_exchange_weak(seen, seen + kOneHolder, std::memory_order_acquire)) return TRUE;
  return FALSE;
}

VOID NTAPI ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef) {
  const LONG64 before = count_of(*RunRef).fetch_sub(kOneHolder, std::memory_order_acq_rel);
  if (before < kOneHolder) {
    count_of(*RunRef).fetch_add(kOneHolder, std::memory_order_relaxed);
    report_violation(rule::kRundown, text("ExReleaseRundownProtection: nobody holds %p", static_cast<void*>(RunRef)));
    return;
  }
  if (before == (kOneHolder | kRunningDown)) KeSetEvent(&RunRef->Drained, IO_NO_INCREMENT, FALSE);
}

VOID NTAPI ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef) {
  assert_irql_at_most(APC_LEVEL, "ExWaitForRundownProtectionRelease");
  const LONG64 before = count_of(*RunRef).fetch_or(kRunningDown, std::memory_order_acq_rel);
  if (before >= kOneHolder) wait_for_event(RunRef->Drained);
}

VOID NTAPI ExRundownCompleted(PEX_RUNDOWN_REF RunRef) {
  count_of(*RunRef).store(kRunningDown, std::memory_order_release);
}

// --- resources ---

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource) {
  *Resource = {};
  KeInitializeEvent(&Resource->Changed, NotificationEvent, FALSE);
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource) {
  if (Resource->ActiveCount != 0)
    report_violation(rule::kObject, text("ExDeleteResourceLite: %p is still held", static_cast<void*>(Resource)));
  return STATUS_SUCCESS;
}
BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait) {
  return acquire(*Resource, true, Wait != FALSE, "ExAcquireResourceExclusiveLite");
}
BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait) {
  return acquire(*Resource, false, Wait != FALSE, "ExAcquireResourceSharedLite");
}
VOID NTAPI ExReleaseResourceLite(PERESOURCE Resource) {
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(&Resource->Lock);
  const bool held = Resource->ActiveCount != 0;
  if (Resource->ActiveCount > 0)
    --Resource->ActiveCount;
  else if (held && ++Resource->ActiveCount == 0)
    Resource->Owner = nullptr;
  KeReleaseSpinLock(&Resource->Lock, level);
  if (!held)
    report_violation(rule::kObject, text("ExReleaseResourceLite: %p is not held", static_cast<void*>(Resource)));
  else
    KeSetEvent(&Resource->Changed, IO_NO_INCREMENT, FALSE);
}

}  // extern "C"
