// extern "C": events, semaphores, mutexes and waits.
#include <algorithm>
#include <array>

#include "nt/ex.h"
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/time.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;

namespace {

Scheduler& scheduler() { return Kernel::current().scheduler(); }

bool is_usable(const void* object, const char* routine) {
  if (is_dispatcher_object(object)) return true;
  report_violation(wfp::ledger::rule::kObject,
                   text("%s: %p was never initialized, or was overwritten", routine, object));
  return false;
}

LONG set_event(PRKEVENT event, LONG state, const char* routine) {
  assert_irql_at_most(DISPATCH_LEVEL, routine);
  return is_usable(event, routine) ? scheduler().set_state(event->Header, state) : 0;
}

NTSTATUS wait_for(std::span<void* const> objects, WAIT_TYPE type, PLARGE_INTEGER timeout, const char* routine) {
  const bool may_block = timeout == nullptr || timeout->QuadPart != 0;
  if (!assert_irql_at_most(may_block ? APC_LEVEL : DISPATCH_LEVEL, routine) && may_block) return STATUS_UNSUCCESSFUL;
  if (may_block && thread_state.held_count != 0)
    report_violation(wfp::ledger::rule::kLockHeld,
                     text("%s with spin lock %p held", routine, static_cast<const void*>(thread_state.held[0].lock)));
  for (const void* object : objects)
    if (!is_usable(object, routine)) return STATUS_INVALID_PARAMETER;
  return scheduler().wait(objects, type, deadline_of(scheduler().clock(), timeout));
}

}  // namespace

extern "C" {

VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
  REQUIRE_ARGUMENT(Event);
  init_header(Event->Header,
              Type == NotificationEvent ? DispatchType::NotificationEvent : DispatchType::SynchronizationEvent,
              State != FALSE ? 1 : 0);
}

LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY, BOOLEAN) {
  REQUIRE_ARGUMENT(Event);
  return set_event(Event, 1, "KeSetEvent");
}
VOID NTAPI KeClearEvent(PRKEVENT Event) {
  REQUIRE_ARGUMENT(Event);
  set_event(Event, 0, "KeClearEvent");
}
LONG NTAPI KeResetEvent(PRKEVENT Event) {
  REQUIRE_ARGUMENT(Event);
  return set_event(Event, 0, "KeResetEvent");
}
LONG NTAPI KeReadStateEvent(PRKEVENT Event) {
  REQUIRE_ARGUMENT(Event);
  return __atomic_load_n(&Event->Header.SignalState, __ATOMIC_ACQUIRE);
}
LONG NTAPI KePulseEvent(PRKEVENT Event, KPRIORITY, BOOLEAN) {
  REQUIRE_ARGUMENT(Event);
  return is_usable(Event, "KePulseEvent") ? scheduler().pulse(Event->Header) : 0;
}

VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit) {
  REQUIRE_ARGUMENT(Semaphore);
  init_header(Semaphore->Header, DispatchType::Semaphore, Count);
  Semaphore->Limit = Limit;
}

LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY, LONG Adjustment, BOOLEAN) {
  REQUIRE_ARGUMENT(Semaphore);
  assert_irql_at_most(DISPATCH_LEVEL, "KeReleaseSemaphore");
  if (!is_usable(Semaphore, "KeReleaseSemaphore")) return 0;
  bool over_limit = false;
  const LONG before = scheduler().add_state(Semaphore->Header, Adjustment, Semaphore->Limit, over_limit);
  if (over_limit)
    report_violation(wfp::ledger::rule::kObject, text("KeReleaseSemaphore: %d more would exceed the limit %d of %p",
                                                      Adjustment, Semaphore->Limit, static_cast<void*>(Semaphore)));
  return before;
}

LONG NTAPI KeReadStateSemaphore(PRKSEMAPHORE Semaphore) {
  REQUIRE_ARGUMENT(Semaphore);
  return __atomic_load_n(&Semaphore->Header.SignalState, __ATOMIC_ACQUIRE);
}

VOID NTAPI KeInitializeMutex(PRKMUTEX Mutex, ULONG) {
  REQUIRE_ARGUMENT(Mutex);
  *Mutex = {};
  init_header(Mutex->Header, DispatchType::Mutant, 1);
  Mutex->ApcDisable = 1;
}

LONG NTAPI KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN) {
  REQUIRE_ARGUMENT(Mutex);
  assert_irql_at_most(DISPATCH_LEVEL, "KeReleaseMutex");
  if (is_usable(Mutex, "KeReleaseMutex") && !scheduler().release_mutant(*Mutex))
    report_violation(wfp::ledger::rule::kMutex,
                     text("mutex %p was released by a thread that does not own it", static_cast<void*>(Mutex)));
  return 0;
}

NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON, KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout) {
  REQUIRE_ARGUMENT(Object);
  return wait_for(std::span(&Object, 1), WaitAny, Timeout, "KeWaitForSingleObject");
}

NTSTATUS NTAPI KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON,
                                        KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout,
                                        PKWAIT_BLOCK WaitBlockArray) {
  if (Count == 0 || Count > (WaitBlockArray != nullptr ? MAXIMUM_WAIT_OBJECTS : THREAD_WAIT_OBJECTS))
    return STATUS_INVALID_PARAMETER;
  REQUIRE_ARGUMENT(Object);
  return wait_for(std::span(Object, Count), WaitType, Timeout, "KeWaitForMultipleObjects");
}

NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Interval) {
  REQUIRE_ARGUMENT(Interval);
  if (!assert_irql_at_most(APC_LEVEL, "KeDelayExecutionThread")) return STATUS_UNSUCCESSFUL;
  scheduler().sleep_until(deadline_of(scheduler().clock(), Interval));
  return STATUS_SUCCESS;
}

}  // extern "C"
