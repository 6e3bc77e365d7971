// One thread at a time, in virtual time, chosen by a seed: the same seed gives the same run, another seed another
// order.
//
// The thread that constructs it is the *main loop*: it runs every processor (bind_processor) and moves time. Kernel
// threads are OS threads, but only the one that holds the turn runs; the turn passes when it waits, when it ends,
// and, with a chance decided by the seed, at preemption points (before a lock is taken, after an event is set, a DPC
// queued, a thread started). Preemption happens at any IRQL: it stands for other processors. The main loop gives the
// turn away in run_ready(), and also when it waits itself; then, with nobody able to run, time moves to the next
// deadline, and without one the deadlock is named (set_deadlock_handler; a bug check without one). Another OS thread
// that calls in is a mistake and ends the process.
#pragma once

#include <random>

#include "wfp/kernel/scheduler.hpp"

namespace wfp::kernel {

class SimScheduler final : public Scheduler {
 public:
  SimScheduler(VirtualClock& clock, std::uint64_t seed, unsigned processor_count = 1);
  ~SimScheduler() override;

  bool simulated() const override { return true; }
  void lock_slow(KSPIN_LOCK& lock) override;
  void unlocked(KSPIN_LOCK& lock) override;
  void preemption_point() override;

  // Lets threads run until all wait (or kMaxTurns passed); false when none could run.
  bool run_ready();
  // Moves time to `when`, expiring timers and timed waits on the way in order. The caller then runs threads and DPCs.
  void advance_to(Instant when);
  // run_ready, posted tasks and DPCs of all processors until nothing is left to do at this time.
  void settle();
  // settle, and the same at each deadline up to `when`.
  void run_until(Instant when);
  // Called with the report when nobody can ever run again; it may wake someone, or the process ends.
  void set_deadlock_handler(std::function<void(const std::string&)> handler) { on_deadlock_ = std::move(handler); }

  static constexpr std::size_t kMaxTurns = 1'000'000;  // in one run_ready: a thread that polls cannot hold time up

 protected:
  bool block(Lock& lock, Thread& self, Instant deadline) override;
  void unblock(Thread& thread) override;
  void spawned(Lock& lock, Thread& thread) override;
  void await_first_turn(Thread& thread) override;
  void thread_ended(Lock& lock, Thread& thread) override;
  void attached(Lock& lock, Thread& thread) override;

 private:
  static constexpr unsigned kPreemptOneIn = 4;

  Thread& choose();                                        // who runs next; the main loop when nobody is ready
  void pass_turn(Lock& lock, Thread& self, Thread& next);  // returns when it is self's turn again
  bool block_main(Lock& lock, Instant deadline);
  void expire(Lock& lock);
  void deadlocked(Lock& lock, const std::string& why);
  std::string lock_cycle() const;

  VirtualClock& virtual_clock_;
  std::mt19937_64 random_;
  Thread* main_ = nullptr;
  Thread* running_ = nullptr;   // (L)
  std::vector<Thread*> ready_;  // (L) never main while it is in run_ready
  std::size_t turns_ = 0;
  std::function<void(const std::string&)> on_deadlock_;
};

}  // namespace wfp::kernel
