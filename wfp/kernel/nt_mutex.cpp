// extern "C": fast and guarded mutexes. Their structures hold a count, the owner and an event, in the documented places,
// because a compiled driver initialises a fast mutex by code of its own: Count 1, the rest zero, KeInitializeEvent.
#include <atomic>

#include "nt/ex.h"
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;

namespace {

constexpr LONG kFree = 1, kHeld = 0;    // below: held, and that many wait
constexpr ULONG kOneRecursion = 0x100;  // above the level in OldIrql

template <class Mutex>
struct Words;  // where a kind keeps what its holder saved
template <>
struct Words<FAST_MUTEX> {
  static ULONG& saved(FAST_MUTEX& mutex) { return mutex.OldIrql; }
};
template <>
struct Words<KGUARDED_MUTEX> {
  static ULONG& saved(KGUARDED_MUTEX& mutex) { return mutex.CombinedApcDisable; }
};

Scheduler& scheduler() { return Kernel::current().scheduler(); }

template <class Mutex>
void initialize(Mutex& mutex) {
  mutex = {};
  mutex.Count = kFree;
  KeInitializeEvent(&mutex.Event, SynchronizationEvent, FALSE);
}

template <class Mutex>
bool is_held_by_this_thread(Mutex& mutex) {
  return std::atomic_ref(mutex.Owner).load(std::memory_order_relaxed) == KeGetCurrentThread();
}

// True when the caller may wait for it: the level allows it, it was initialized, and the caller does not hold it yet.
template <class Mutex>
bool may_take(Mutex& mutex, const char* routine) {
  if (!assert_irql_at_most(APC_LEVEL, routine)) return false;
  if (!is_dispatcher_object(&mutex.Event)) {
    report_violation(wfp::ledger::rule::kObject, text("%s: %p was never initialized, or was overwritten", routine,
                                                      static_cast<const void*>(&mutex)));
    return false;
  }
  if (!is_held_by_this_thread(mutex)) return true;
  report_violation(wfp::ledger::rule::kLockRecursion,
                   text("%s: mutex %p is already held by this thread; on Windows this never returns", routine,
                        static_cast<const void*>(&mutex)));
  Words<Mutex>::saved(mutex) += kOneRecursion;
  return false;
}

template <class Mutex>
void own(Mutex& mutex, ULONG saved) {
  std::atomic_ref(mutex.Owner).store(KeGetCurrentThread(), std::memory_order_relaxed);
  Words<Mutex>::saved(mutex) = saved;
}

template <class Mutex>
void take(Mutex& mutex) {
  scheduler().preemption_point();
  if (std::atomic_ref(mutex.Count).fetch_sub(1, std::memory_order_acquire) == kFree) return;
  std::atomic_ref(mutex.Contention).fetch_add(1, std::memory_order_relaxed);
  KeWaitForSingleObject(&mutex.Event, Executive, KernelMode, FALSE, nullptr);  // its releaser hands it over
}

template <class Mutex>
bool try_take(Mutex& mutex) {
  LONG free = kFree;
  return std::atomic_ref(mutex.Count).compare_exchange_strong(free, kHeld, std::memory_order_acquire);
}

// False when the mutex stays with its holder: who calls does not own it, or has acquired it more than once.
template <class Mutex>
bool may_give_back(Mutex& mutex) {
  if (!is_held_by_this_thread(mutex)) {
    report_violation(wfp::ledger::rule::kMutex, text("mutex %p was released by a thread that does not own it",
                                                     static_cast<const void*>(&mutex)));
    return false;
  }
  if (Words<Mutex>::saved(mutex) < kOneRecursion) return true;
  Words<Mutex>::saved(mutex) -= kOneRecursion;
  return false;
}

template <class Mutex>
void give_back(Mutex& mutex) {
  std::atomic_ref(mutex.Owner).store(nullptr, std::memory_order_relaxed);
  if (std::atomic_ref(mutex.Count).fetch_add(1, std::memory_order_release) != kHeld)
    KeSetEvent(&mutex.Event, IO_NO_INCREMENT, FALSE);
  scheduler().preemption_point();
}

}  // namespace

extern "C" {

VOID NTAPI ExInitializeFastMutex(PFAST_MUTEX FastMutex) {
  REQUIRE_ARGUMENT(FastMutex);
  initialize(*FastMutex);
}

VOID NTAPI ExAcquireFastMutex(PFAST_MUTEX FastMutex) {
  REQUIRE_ARGUMENT(FastMutex);
  if (!may_take(*FastMutex, "ExAcquireFastMutex")) return;
  const KIRQL before = raise_irql(APC_LEVEL);
  take(*FastMutex);
  own(*FastMutex, before);
}

BOOLEAN NTAPI ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex) {
  REQUIRE_ARGUMENT(FastMutex);
  if (!assert_irql_at_most(APC_LEVEL, "ExTryToAcquireFastMutex") || !try_take(*FastMutex)) return FALSE;
  own(*FastMutex, raise_irql(APC_LEVEL));
  return TRUE;
}

VOID NTAPI ExReleaseFastMutex(PFAST_MUTEX FastMutex) {
  REQUIRE_ARGUMENT(FastMutex);
  assert_irql_at_most(APC_LEVEL, "ExReleaseFastMutex");
  assert_irql_at_least(APC_LEVEL, "ExReleaseFastMutex");
  if (!may_give_back(*FastMutex)) return;
  const auto before = static_cast<KIRQL>(FastMutex->OldIrql);
  give_back(*FastMutex);
  set_irql(before);
}

VOID NTAPI KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex) {
  REQUIRE_ARGUMENT(Mutex);
  initialize(*Mutex);
}

VOID NTAPI KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
  REQUIRE_ARGUMENT(Mutex);
  if (!may_take(*Mutex, "KeAcquireGuardedMutex")) return;
  KeEnterCriticalRegion();
  take(*Mutex);
  own(*Mutex, 0);
}

BOOLEAN NTAPI KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
  REQUIRE_ARGUMENT(Mutex);
  if (!assert_irql_at_most(APC_LEVEL, "KeTryToAcquireGuardedMutex") || !try_take(*Mutex)) return FALSE;
  KeEnterCriticalRegion();
  own(*Mutex, 0);
  return TRUE;
}

VOID NTAPI KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex) {
  REQUIRE_ARGUMENT(Mutex);
  assert_irql_at_most(APC_LEVEL, "KeReleaseGuardedMutex");
  if (!may_give_back(*Mutex)) return;
  give_back(*Mutex);
  KeLeaveCriticalRegion();
}

}  // extern "C"
