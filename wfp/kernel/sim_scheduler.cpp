#include "wfp/kernel/sim_scheduler.hpp"

#include <algorithm>

#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/spin_lock.hpp"

namespace wfp::kernel {

SimScheduler::SimScheduler(VirtualClock& clock, std::uint64_t seed, unsigned processor_count)
    : Scheduler(clock, processor_count), virtual_clock_(clock), random_(seed) {
  Thread& self = current();
  self.name = "main loop";
}

SimScheduler::~SimScheduler() { stop_workers(); }

void SimScheduler::attached(Lock&, Thread& thread) {
  KERNEL_CHECK(main_ == nullptr);  // a second thread from outside cannot take turns
  main_ = running_ = &thread;
}

// --- turns ---------------------------------------------------------------------------------------------------------

Thread& SimScheduler::choose() {
  if (ready_.empty() || ++turns_ > kMaxTurns) {
    std::erase(ready_, main_);  // it may have been preempted rather than idle
    return *main_;
  }
  const auto index = static_cast<std::ptrdiff_t>(random_() % ready_.size());
  Thread& next = *ready_[static_cast<std::size_t>(index)];
  ready_.erase(ready_.begin() + index);
  return next;
}

void SimScheduler::pass_turn(Lock& lock, Thread& self, Thread& next) {
  if (&next == &self) return;
  running_ = &next;
  next.wake.notify_one();
  self.wake.wait(lock, [&] { return running_ == &self; });
}

void SimScheduler::preemption_point() {
  Lock lock(lock_);
  Thread& self = *running_;
  const bool polls = &self != main_ && ++turns_ > kMaxTurns;
  if (!polls && (ready_.empty() || random_() % kPreemptOneIn != 0)) return;
  ready_.push_back(&self);
  pass_turn(lock, self, choose());
}

void SimScheduler::spawned(Lock&, Thread& thread) { ready_.push_back(&thread); }

void SimScheduler::await_first_turn(Thread& thread) {
  Lock lock(lock_);
  thread.wake.wait(lock, [&] { return running_ == &thread; });
}

void SimScheduler::thread_ended(Lock&, Thread&) {
  Thread& next = choose();
  running_ = &next;
  next.wake.notify_one();
}

bool SimScheduler::block(Lock& lock, Thread& self, Instant deadline) {
  if (std::exchange(self.woken, false)) return true;
  self.blocked = true;
  self.deadline = deadline;
  const bool woken = &self == main_ ? block_main(lock, deadline) : (pass_turn(lock, self, choose()), self.woken);
  self.blocked = false;
  self.woken = false;
  self.deadline = kNever;
  self.waits_for = nullptr;
  return woken;
}

void SimScheduler::unblock(Thread& thread) {
  thread.woken = true;
  if (thread.blocked && std::find(ready_.begin(), ready_.end(), &thread) == ready_.end()) ready_.push_back(&thread);
}

// The main loop waits: others run; when none can, time moves.
bool SimScheduler::block_main(Lock& lock, Instant deadline) {
  for (;;) {
    if (main_->woken) {
      std::erase(ready_, main_);
      return true;
    }
    if (now() >= deadline) return false;
    turns_ = 0;
    if (!ready_.empty()) {
      pass_turn(lock, *main_, choose());
      continue;
    }
    if (const std::string cycle = lock_cycle(); !cycle.empty()) deadlocked(lock, cycle);
    Instant next = next_timer();
    for (const Thread* thread : threads_)
      if (thread->blocked) next = std::min(next, thread->deadline);
    if (next == kNever) {
      deadlocked(lock, "nobody can run and nothing is due");
      continue;
    }
    virtual_clock_.advance_to(next);
    expire(lock);
  }
}

void SimScheduler::expire(Lock& lock) {
  for (Thread* thread : threads_)
    if (thread != main_ && thread->blocked && !thread->woken && thread->deadline <= now() &&
        std::find(ready_.begin(), ready_.end(), thread) == ready_.end())
      ready_.push_back(thread);
  expire_timers(lock, now());
}

// --- locks ---------------------------------------------------------------------------------------------------------

void SimScheduler::lock_slow(KSPIN_LOCK& spin) {
  const LockWords words(spin);
  Thread& self = current();
  Lock lock(lock_);
  while (words.state().exchange(LockWords::kContended, std::memory_order_acquire) != LockWords::kFree) {
    self.waits_for = &spin;
    self.wait_kind = "spin lock";
    block(lock, self, kNever);
  }
}

void SimScheduler::unlocked(KSPIN_LOCK& spin) {
  const Lock lock(lock_);
  for (Thread* thread : threads_)
    if (thread->blocked && thread->waits_for == &spin) unblock(*thread);
}

// A ring of threads that each wait for a spin lock of the next; empty when there is none.
std::string SimScheduler::lock_cycle() const {
  const auto is_lock_wait = [](const Thread& t) {
    return t.blocked && t.waits_for != nullptr && std::string_view(t.wait_kind) == "spin lock";
  };
  for (const Thread* start : threads_) {
    std::string report;
    const Thread* at = start;
    for (std::size_t steps = 0; steps < threads_.size() && at != nullptr && is_lock_wait(*at); ++steps) {
      auto& spin = *const_cast<KSPIN_LOCK*>(static_cast<const KSPIN_LOCK*>(at->waits_for));
      const std::uint32_t holder = LockWords(spin).holder().load(std::memory_order_relaxed);
      const auto found =
          std::find_if(threads_.begin(), threads_.end(), [&](const Thread* t) { return t->number == holder; });
      const Thread* next = found == threads_.end() ? nullptr : *found;
      report += text("%s waits for spin lock %p held by %s; ", at->name.c_str(), at->waits_for,
                     next != nullptr ? next->name.c_str() : "a thread that has ended");
      if (next == nullptr || next == start) return report;
      at = next;
    }
  }
  return {};
}

void SimScheduler::deadlocked(Lock& lock, const std::string& why) {
  lock.unlock();
  const std::string report = "deadlock: " + why + "\n" + blocked_report();
  if (on_deadlock_) on_deadlock_(report);
  lock.lock();
  bool someone = main_->woken || !ready_.empty() || next_timer() != kNever;
  for (const Thread* thread : threads_) someone = someone || (thread->blocked && thread->deadline != kNever);
  if (someone) return;
  lock.unlock();
  bugcheck({.code = kBugCheckDeadlock, .message = report});
}

// --- the main loop -------------------------------------------------------------------------------------------------

bool SimScheduler::run_ready() {
  Lock lock(lock_);
  KERNEL_CHECK(running_ == main_);
  if (ready_.empty()) {
    if (const std::string cycle = lock_cycle(); !cycle.empty()) deadlocked(lock, cycle);
    if (ready_.empty()) return false;
  }
  turns_ = 0;
  while (!ready_.empty() && turns_ <= kMaxTurns) pass_turn(lock, *main_, choose());
  return true;
}

void SimScheduler::advance_to(Instant when) {
  Lock lock(lock_);
  for (;;) {
    Instant next = next_timer();
    for (const Thread* thread : threads_)
      if (thread->blocked && !thread->woken && thread->deadline > now()) next = std::min(next, thread->deadline);
    if (next > when) break;
    virtual_clock_.advance_to(std::max(next, now()));
    expire(lock);
  }
  virtual_clock_.advance_to(when);
}

void SimScheduler::settle() {
  for (bool again = true; again;) {
    again = run_ready();
    for (unsigned i = 0; i < processor_count(); ++i) again = (run_posted(i) + run_dpcs(i)) != 0 || again;
  }
}

void SimScheduler::run_until(Instant when) {
  settle();
  for (Instant next = next_deadline(); next <= when; next = next_deadline()) {
    advance_to(next);
    settle();
  }
  advance_to(when);
}

}  // namespace wfp::kernel
