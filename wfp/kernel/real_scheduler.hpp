// Real threads: each kernel thread is an OS thread, a wait is a condition variable, a contended spin lock spins
// briefly and then waits in the OS, and one thread of its own expires the timers. Destroy it after every driver has
// unloaded.
#pragma once

#include "wfp/kernel/scheduler.hpp"

namespace wfp::kernel {

class RealScheduler final : public Scheduler {
 public:
  // Later: no thread exists before start(), as a program wants it that still has privileges to give up; timers that
  // are set meanwhile expire when it has been called.
  enum class Timers { Now, Later };
  explicit RealScheduler(Clock& clock, unsigned processor_count = 1, Timers timers = Timers::Now);
  ~RealScheduler() override;

  bool start();  // false: the OS has no thread left

  bool simulated() const override { return false; }
  void lock_slow(KSPIN_LOCK& lock) override;
  void unlocked(KSPIN_LOCK& lock) override;

 protected:
  bool block(Lock& lock, Thread& self, Instant deadline) override;
  void unblock(Thread& thread) override;
  void await_first_turn(Thread& thread) override;
  void thread_ended(Lock&, Thread&) override {}
  void attached(Lock&, Thread&) override {}
  void timers_changed() override { timer_wake_.notify_one(); }

 private:
  void timer_loop();

  std::condition_variable timer_wake_;
  bool ending_ = false;
  std::thread timer_thread_;
};

}  // namespace wfp::kernel
