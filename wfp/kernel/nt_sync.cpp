// extern "C": run-down protection and executive resources.
#include <atomic>

#include "nt/ex.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;

namespace {

constexpr ULONG_PTR kRunningDown = 1, kOneHolder = 2;
std::atomic_ref<ULONG_PTR> word_of(EX_RUNDOWN_REF& ref) { return std::atomic_ref(ref.Count); }

// On the stack of who waits for a run-down. The word points to it until the last holder has counted it down, which is
// also the last that anybody does with it.
struct RundownWait {
  std::atomic<ULONG_PTR> holders;
  KEVENT drained;
};

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
  REQUIRE_ARGUMENT(RunRef);
  word_of(*RunRef).store(0);
}
VOID NTAPI ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
  REQUIRE_ARGUMENT(RunRef);
  ExInitializeRundownProtection(RunRef);
}

BOOLEAN NTAPI ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef) {
  REQUIRE_ARGUMENT(RunRef);
  const auto word = word_of(*RunRef);
  ULONG_PTR seen = word.load(std::memory_order_relaxed);
  while ((seen & kRunningDown) == 0)
    if (word.compare_exchange_weak(seen, seen + kOneHolder, std::memory_order_acquire)) return TRUE;
  return FALSE;
}

VOID NTAPI ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef) {
  REQUIRE_ARGUMENT(RunRef);
  const auto word = word_of(*RunRef);
  ULONG_PTR seen = word.load(std::memory_order_acquire);
  while (seen >= kOneHolder && (seen & kRunningDown) == 0)
    if (word.compare_exchange_weak(seen, seen - kOneHolder, std::memory_order_acq_rel)) return;
  if (seen < kOneHolder) {
    report_violation(wfp::ledger::rule::kRundown,
                     text("ExReleaseRundownProtection: nobody holds %p", static_cast<void*>(RunRef)));
    return;
  }
  auto* const wait = reinterpret_cast<RundownWait*>(seen & ~kRunningDown);
  if (wait->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) KeSetEvent(&wait->drained, IO_NO_INCREMENT, FALSE);
}

VOID NTAPI ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef) {
  REQUIRE_ARGUMENT(RunRef);
  assert_irql_at_most(APC_LEVEL, "ExWaitForRundownProtectionRelease");
  const auto word = word_of(*RunRef);
  RundownWait wait;
  KeInitializeEvent(&wait.drained, NotificationEvent, FALSE);
  ULONG_PTR seen = word.load(std::memory_order_acquire);
  for (ULONG_PTR next = 0;;) {
    if ((seen & kRunningDown) != 0) break;
    next = seen == 0 ? kRunningDown : reinterpret_cast<ULONG_PTR>(&wait) | kRunningDown;
    wait.holders.store(seen / kOneHolder, std::memory_order_relaxed);
    if (word.compare_exchange_weak(seen, next, std::memory_order_acq_rel)) break;
  }
  if (seen >= kOneHolder && (seen & kRunningDown) == 0) {
    wait_on(&wait.drained);
    word.store(kRunningDown, std::memory_order_release);
  } else if (seen > kRunningDown) {
    report_violation(wfp::ledger::rule::kRundown,
                     text("ExWaitForRundownProtectionRelease: another thread waits for %p already; only one may",
                          static_cast<void*>(RunRef)));
  }
}

VOID NTAPI ExRundownCompleted(PEX_RUNDOWN_REF RunRef) {
  REQUIRE_ARGUMENT(RunRef);
  word_of(*RunRef).store(kRunningDown, std::memory_order_release);
}

// --- resources ---

NTSTATUS NTAPI ExInitializeResourceLite(PERESOURCE Resource) {
  REQUIRE_ARGUMENT(Resource);
  *Resource = {};
  KeInitializeSemaphore(&Resource->Readers, 0, static_cast<LONG>(kMaxThreads));
  KeInitializeSemaphore(&Resource->Writers, 0, static_cast<LONG>(kMaxThreads));
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI ExDeleteResourceLite(PERESOURCE Resource) {
  REQUIRE_ARGUMENT(Resource);
  if (Resource->ActiveCount != 0)
    report_violation(wfp::ledger::rule::kObject,
                     text("ExDeleteResourceLite: %p is still held", static_cast<void*>(Resource)));
  return STATUS_SUCCESS;
}
BOOLEAN NTAPI ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait) {
  REQUIRE_ARGUMENT(Resource);
  return acquire(*Resource, true, Wait != FALSE, "ExAcquireResourceExclusiveLite");
}
BOOLEAN NTAPI ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait) {
  REQUIRE_ARGUMENT(Resource);
  return acquire(*Resource, false, Wait != FALSE, "ExAcquireResourceSharedLite");
}
VOID NTAPI ExReleaseResourceLite(PERESOURCE Resource) {
  REQUIRE_ARGUMENT(Resource);
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
