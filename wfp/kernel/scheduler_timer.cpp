// Timers: an ordered table on the scheduler's clock. Expiry signals the timer and queues its DPC.
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/scheduler.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::kernel {

namespace {
Instant due_of(const KTIMER& timer) { return Instant{static_cast<Instant::rep>(timer.DueTime.QuadPart)}; }
void set_due(KTIMER& timer, Instant due) { timer.DueTime.QuadPart = static_cast<ULONGLONG>(due.count()); }
// A timer of ours is in a table and not in a list, so its list entry has room for these.
ULONGLONG& sequence_of(KTIMER& timer) { return timer.Entry[0]; }
ULONGLONG& driver_of(KTIMER& timer) { return timer.Entry[1]; }
}  // namespace

void Scheduler::unlink_timer(KTIMER& timer) {
  timers_.erase({due_of(timer), sequence_of(timer)});
  timer.Header.Inserted = 0;
}

bool Scheduler::set_timer(KTIMER& timer, Instant due, LONG period_ms, KDPC* dpc) {
  bool was_set, full;
  {
    const Lock lock(lock_);
    was_set = timer.Header.Inserted != 0;
    if (was_set) unlink_timer(timer);
    full = timers_.size() >= kMaxTimers;
    if (full) {
      ++counts_.timers_refused;
    } else {
      timer.Header.SignalState = 0;
      timer.Header.Inserted = 1;
      set_due(timer, due);
      sequence_of(timer) = ++timer_sequence_;
      timer.Period = period_ms;
      timer.Dpc = dpc;
      timer.Processor = thread_state.processor;
      driver_of(timer) = ledger::current_driver();
      timers_.emplace(std::pair{due, sequence_of(timer)}, &timer);
      timers_changed();
    }
  }
  if (full) report_violation(ledger::rule::kBound, text("KeSetTimer: %zu timers are set already", kMaxTimers));
  preemption_point();
  return was_set;
}

bool Scheduler::cancel_timer(KTIMER& timer) {
  const Lock lock(lock_);
  if (timer.Header.Inserted == 0) return false;
  unlink_timer(timer);
  return true;
}

// Everything due at `now`, in order of due time. A periodic timer is due again at the first multiple of its period
// after `now`: what was missed while nobody looked is one expiry, not many.
void Scheduler::expire_timers(Lock& lock, Instant now) {
  std::uint64_t to_wake = 0;
  static_assert(kMaxProcessors <= 64);
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    KTIMER& timer = *timers_.begin()->second;
    const Instant due = due_of(timer);
    unlink_timer(timer);
    timer.Header.SignalState = 1;
    if (timer.Period > 0) {
      const Duration period = std::chrono::milliseconds(timer.Period);
      set_due(timer, due + ((now - due) / period + 1) * period);
      sequence_of(timer) = ++timer_sequence_;
      timer.Header.Inserted = 1;
      timers_.emplace(std::pair{due_of(timer), sequence_of(timer)}, &timer);
    }
    if (timer.Dpc != nullptr) {  // under the lock, so that a cancelled timer's DPC cannot be queued after the cancel
      const unsigned processor = target_of(*timer.Dpc, timer.Processor);
      if (insert_dpc(*timer.Dpc, processor, nullptr, nullptr)) to_wake |= std::uint64_t{1} << processor;
    }
    release_waiters(timer.Header);  // last: who waited may free the timer
  }
  if (to_wake == 0) return;
  lock.unlock();
  for (unsigned i = 0; i < processors_.size(); ++i)
    if ((to_wake >> i & 1) != 0) wake_processor(i);
  lock.lock();
}

std::size_t Scheduler::cancel_timers_of(DriverId driver) {
  const Lock lock(lock_);
  std::size_t cancelled = 0;
  for (auto i = timers_.begin(); i != timers_.end();) {
    KTIMER& timer = *(i++)->second;
    if (driver_of(timer) != driver) continue;
    unlink_timer(timer);
    ++cancelled;
  }
  return cancelled;
}

Instant Scheduler::next_deadline() {
  const Lock lock(lock_);
  Instant next = next_timer();
  for (const Thread* thread : threads_)
    if (thread->blocked) next = std::min(next, thread->deadline);
  return next;
}

}  // namespace wfp::kernel
