// extern "C": run-down protection and executive resources.
#include "nt/ex.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;

namespace {

constexpr LONG64 kRunningDown = 1, kOneHolder = 2;
std::atomic_ref<LONG64> count_of(EX_RUNDOWN_REF& ref) { return std::atomic_ref(ref.Count); }

void wait_on(void* object) { Kernel::current().scheduler().wait(object, kNever); }

// Takes the resource, or enters the caller among those that wait for it. New readers wait behind a waiting writer.
bool take_or_enter(ERESOURCE& resource, bool exclusive, bool may_wait) {
  PKTHREAD self = KeGetCurrentThread();
  const KIRQL level = KeAcquireSpinLockRaiseToDpc(&resource.Lock);
  bool taken = true;
  if (resource.Owner == self) {
    --resource.ActiveCount;  // the owner again, exclusively or shared: one level deeper
  } else if (exclusive && resource.ActiveCount == 0) {
    resource.ActiveCount = -1;
    resource.Owner = self;
  } else if (!exclusive && resource.ActiveCount >= 0 && resource.WaitingWriters == 0) {
    ++resource.ActiveCount;
  } else {
    taken = false;
    if (may_wait) ++(exclusive ? resource.WaitingWriters : resource.WaitingReaders);
  }
  KeReleaseSpinLock(&resource.Lock, level);
  return taken;
}

BOOLEAN acquire(ERESOURCE& resource, bool exclusive, bool may_wait, const char* routine) {
  assert_irql_at_most(APC_LEVEL, routine);
  if (take_or_enter(resource, exclusive, may_wait)) return TRUE;
  if (!may_wait) return FALSE;
  wait_on(exclusive ? &resource.Writers : &resource.Readers);  // who wakes here holds it already
  if (exclusive) {
    const KIRQL level = KeAcquireSpinLockRaiseToDpc(&resource.Lock);
    resource.Owner = KeGetCurrentThread();
    KeReleaseSpinLock(&resource.Lock, level);
  }
  return TRUE;
}

// A free resource goes to one waiting writer, else to all waiting readers. The lock is held; returns what to wake.
struct Grant {
  LONG writers = 0, readers = 0;
};
Grant hand_over(ERESOURCE& resource) {
  Grant grant;
  if (resource.ActiveCount != 0) return grant;
  if (resource.WaitingWriters != 0) {
    --resource.WaitingWriters;
    grant.writers = 1;
    resource.ActiveCount = -1;
  } else {
    grant.readers = static_cast<LONG>(resource.WaitingReaders);
    resource.WaitingReaders = 0;
    resource.ActiveCount = grant.readers;
  }
  return grant;
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
    report_violation(wfp::ledger::rule::kRundown,
                     text("ExReleaseRundownProtection: nobody holds %p", static_cast<void*>(RunRef)));
    return;
  }
  if (before == (kOneHolder | kRunningDown)) KeSetEvent(&RunRef->Drained, IO_NO_INCREMENT, FALSE);
}

VOID NTAPI ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef) {
  assert_irql_at_most(APC_LEVEL, "ExWaitForRundownProtectionRelease");
  const LONG64 before = count_of(*RunRef).fetch_or(kRunningDown, std::memory_order_acq_rel);
  if (before >= kOneHolder) wait_on(&RunRef->Drained);
}

VOID NTAPI ExRundownCompleted(PEX_RUNDOWN_REF RunRef) {
  count_of(*RunRef).store(kRunningDown, std::memory_order_release);
}

// --- resources ---

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource) {
  *Resource = {};
  KeInitializeSemaphore(&Resource->Readers, 0, static_cast<LONG>(kMaxThreads));
  KeInitializeSemaphore(&Resource->Writers, 0, static_cast<LONG>(kMaxThreads));
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource) {
  if (Resource->ActiveCount != 0)
    report_violation(wfp::ledger::rule::kObject,
                     text("ExDeleteResourceLite: %p is still held", static_cast<void*>(Resource)));
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
  // Who reads is not known; who writes is.
  const bool held =
      Resource->ActiveCount > 0 || (Resource->ActiveCount < 0 && Resource->Owner == KeGetCurrentThread());
  if (Resource->ActiveCount > 0)
    --Resource->ActiveCount;
  else if (held && ++Resource->ActiveCount == 0)
    Resource->Owner = nullptr;
  const Grant grant = held ? hand_over(*Resource) : Grant{};
  KeReleaseSpinLock(&Resource->Lock, level);
  if (!held)
    report_violation(wfp::ledger::rule::kObject,
                     text("ExReleaseResourceLite: %p is not held by this thread", static_cast<void*>(Resource)));
  if (grant.writers != 0) KeReleaseSemaphore(&Resource->Writers, IO_NO_INCREMENT, grant.writers, FALSE);
  if (grant.readers != 0) KeReleaseSemaphore(&Resource->Readers, IO_NO_INCREMENT, grant.readers, FALSE);
}

}  // extern "C"
