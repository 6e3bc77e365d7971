// extern "C": clocks, timers and DPCs.
#include <algorithm>

#include "nt/ke.h"
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/time.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::kernel {

namespace {
constexpr LONGLONG kLongestUnits = 100LL * 365 * 24 * 3600 * 10'000'000;  // a hundred years, so that sums cannot wrap
}

Instant instant_of(const Clock& clock, LARGE_INTEGER due) {
  const LONGLONG units = due.QuadPart < 0 ? -std::max(due.QuadPart, -kLongestUnits)
                                          : due.QuadPart - static_cast<LONGLONG>(clock.system_time());
  return clock.now() + Duration{std::clamp(units, LONGLONG{0}, kLongestUnits) * 100};
}

Instant deadline_of(const Clock& clock, const LARGE_INTEGER* timeout) {
  if (timeout == nullptr) return kNever;
  return timeout->QuadPart == 0 ? clock.now() : instant_of(clock, *timeout);
}

}  // namespace wfp::kernel

using namespace wfp::kernel;

namespace {
Scheduler& scheduler() { return Kernel::current().scheduler(); }
constexpr UCHAR kDpcObject = 19;             // the object number of DPCs, which debuggers show
constexpr LONGLONG kUnitsPerTick = 156'250;  // 15.625 ms, as KeQueryTimeIncrement reports
ULONGLONG units_since_start() { return static_cast<ULONGLONG>(scheduler().now().count()) / 100; }
}  // namespace

extern "C" {

LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency) {
  if (PerformanceFrequency != nullptr) PerformanceFrequency->QuadPart = 10'000'000;
  LARGE_INTEGER counter;
  counter.QuadPart = static_cast<LONGLONG>(units_since_start());
  return counter;
}
VOID NTAPI KeQuerySystemTime(PLARGE_INTEGER CurrentTime) {
  REQUIRE_ARGUMENT(CurrentTime);
  CurrentTime->QuadPart = static_cast<LONGLONG>(scheduler().clock().system_time());
}
VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime) {
  REQUIRE_ARGUMENT(CurrentTime);
  KeQuerySystemTime(CurrentTime);
}
ULONGLONG NTAPI KeQueryInterruptTime(VOID) { return units_since_start(); }
ULONGLONG NTAPI KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp) {
  REQUIRE_ARGUMENT(QpcTimeStamp);
  return *QpcTimeStamp = units_since_start();
}
VOID NTAPI KeQueryTickCount(PLARGE_INTEGER CurrentCount) {
  REQUIRE_ARGUMENT(CurrentCount);
  CurrentCount->QuadPart = static_cast<LONGLONG>(units_since_start()) / kUnitsPerTick;
}
ULONG NTAPI KeQueryTimeIncrement(VOID) { return kUnitsPerTick; }

// --- DPCs ---

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  REQUIRE_ARGUMENT(Dpc);
  REQUIRE_ARGUMENT(DeferredRoutine);
  *Dpc = {};
  Dpc->Type = kDpcObject;
  Dpc->DeferredRoutine = DeferredRoutine;
  Dpc->DeferredContext = DeferredContext;
  Dpc->Driver = wfp::ledger::current_driver();
  Dpc->Importance = MediumImportance;
}
VOID NTAPI KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  REQUIRE_ARGUMENT(Dpc);
  REQUIRE_ARGUMENT(DeferredRoutine);
  KeInitializeDpc(Dpc, DeferredRoutine, DeferredContext);
}
BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2) {
  REQUIRE_ARGUMENT(Dpc);
  if (Dpc->DeferredRoutine == nullptr) {
    report_violation(
        wfp::ledger::rule::kObject,
        text("KeInsertQueueDpc: %p has no routine; call KeInitializeDpc first", static_cast<void*>(Dpc)));
    return FALSE;
  }
  return scheduler().queue_dpc(*Dpc, SystemArgument1, SystemArgument2);
}
BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc) {
  REQUIRE_ARGUMENT(Dpc);
  return scheduler().remove_dpc(*Dpc);
}
VOID NTAPI KeFlushQueuedDpcs(VOID) {
  if (assert_irql_at_most(PASSIVE_LEVEL, "KeFlushQueuedDpcs")) scheduler().flush_dpcs();
}
VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number) {
  REQUIRE_ARGUMENT(Dpc);
  Dpc->Number = static_cast<USHORT>(static_cast<unsigned char>(Number) + 1);
}
VOID NTAPI KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance) {
  REQUIRE_ARGUMENT(Dpc);
  Dpc->Importance = static_cast<UCHAR>(Importance);
}

// --- timers ---

VOID NTAPI KeInitializeTimer(PKTIMER Timer) {
  REQUIRE_ARGUMENT(Timer);
  KeInitializeTimerEx(Timer, NotificationTimer);
}
VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type) {
  REQUIRE_ARGUMENT(Timer);
  *Timer = {};
  init_header(Timer->Header,
              Type == NotificationTimer ? DispatchType::NotificationTimer : DispatchType::SynchronizationTimer, 0);
}
BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc) {
  REQUIRE_ARGUMENT(Timer);
  return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}
BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc) {
  REQUIRE_ARGUMENT(Timer);
  assert_irql_at_most(DISPATCH_LEVEL, "KeSetTimerEx");
  if (!is_dispatcher_object(Timer)) {
    report_violation(wfp::ledger::rule::kObject,
                     text("KeSetTimerEx: %p was never initialized", static_cast<void*>(Timer)));
    return FALSE;
  }
  return scheduler().set_timer(*Timer, instant_of(scheduler().clock(), DueTime), Period, Dpc);
}
BOOLEAN NTAPI KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG, PKDPC Dpc) {
  REQUIRE_ARGUMENT(Timer);
  return KeSetTimerEx(Timer, DueTime, static_cast<LONG>(Period), Dpc);
}
BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer) {
  REQUIRE_ARGUMENT(Timer);
  assert_irql_at_most(DISPATCH_LEVEL, "KeCancelTimer");
  return is_dispatcher_object(Timer) && scheduler().cancel_timer(*Timer);
}
BOOLEAN NTAPI KeReadStateTimer(PKTIMER Timer) {
  REQUIRE_ARGUMENT(Timer);
  return __atomic_load_n(&Timer->Header.SignalState, __ATOMIC_ACQUIRE) != 0;
}

}  // extern "C"
