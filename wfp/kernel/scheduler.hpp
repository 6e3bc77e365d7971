// The one scheduler: every thread, wait, lock, DPC, timer and work item of the kernel goes through it. RealScheduler
// runs real threads; SimScheduler lets exactly one run at a time, in virtual time, chosen by a seed. Everything but
// the virtual primitives (first turn, block, unblock, lock waiting) is common to both.
//
// Threads. A *processor* is the thread that runs a network stack; it binds itself with bind_processor, and between
// frames, after each classify has unwound, calls run_posted() and run_dpcs(). Other threads reach it by queue_dpc
// (asynchronous) and post_and_wait (synchronous). A processor's thread that itself waits keeps serving both while it
// waits: posted tasks always, DPCs when it waits below DISPATCH_LEVEL; so two processors that complete each other's
// operations, or a DriverUnload on a processor's thread, do not lock up. Time comes from the Clock. Bounds are the
// constants below; reaching one is counted and reported, and the call fails. Ownership: objects waited on, DPCs and
// timers are the caller's. Lock order: lock_ before a processor's lock. No outside function (wake, task, DPC) is
// called with either held.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wfp/kernel/clock.hpp"
#include "wfp/kernel/thread.hpp"
#include "wfp/kernel/thread_state.hpp"

namespace wfp::kernel {

inline constexpr unsigned kMaxProcessors = 64;
inline constexpr std::size_t kMaxThreads = 1024;
inline constexpr std::size_t kMaxQueuedDpcs = 4096;   // per processor
inline constexpr std::size_t kMaxPostedTasks = 1024;  // per processor
inline constexpr std::size_t kMaxTimers = 65536;
inline constexpr std::size_t kMaxQueuedWorkItems = 16384;
inline constexpr unsigned kWorkerThreads = 4;

using Lock = std::unique_lock<std::mutex>;

// A unit for the worker threads; the owner keeps it alive until run() is called, which may free it.
struct WorkEntry {
  LIST_ENTRY link{};
  void (*run)(WorkEntry&) = nullptr;
  DriverId driver = ledger::kNoDriver;
};

struct SchedulerCounts {
  std::size_t dpcs_run = 0, dpcs_refused = 0, tasks_run = 0, tasks_refused = 0, timers_refused = 0, work_run = 0,
              work_refused = 0, threads_refused = 0;
};

class Scheduler {
 public:
  Scheduler(Clock& clock, unsigned processor_count);
  virtual ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  Clock& clock() const { return clock_; }
  Instant now() const { return clock_.now(); }
  virtual bool simulated() const = 0;

  // --- threads ---
  // Null when kMaxThreads run, or the OS has no thread left. The caller owns one reference, given back with release().
  Thread* start_thread(std::string name, DriverId driver, std::function<void()> body);
  Thread& current();  // attaches a thread of the program at its first call
  void retain(Thread& thread);
  void release(Thread& thread);
  std::vector<std::string> threads_of(DriverId driver);  // names of those that still run

  // --- waiting ---
  // WaitAny returns STATUS_WAIT_0 + index, STATUS_TIMEOUT at `deadline`. No IRQL check here (nt_wait.cpp does it).
  NTSTATUS wait(std::span<void* const> objects, WAIT_TYPE type, Instant deadline);
  NTSTATUS wait(void* object, Instant deadline) {
    return wait(std::span<void* const>(&object, 1), WaitAny, deadline);
  }
  void sleep_until(Instant deadline);
  // Changes an object's state under the lock and wakes whom it satisfies; returns the state before.
  LONG set_state(DISPATCHER_HEADER& header, LONG state);
  LONG pulse(DISPATCHER_HEADER& header);
  LONG add_state(DISPATCHER_HEADER& header, LONG amount, LONG limit, bool& over_limit);
  bool release_mutant(KMUTANT& mutant);  // false when the caller does not own it

  // --- spin locks (spin_lock.cpp) ---
  virtual void lock_slow(KSPIN_LOCK& lock) = 0;  // returns holding it
  virtual void unlocked(KSPIN_LOCK& lock) = 0;   // someone waited for it
  virtual void preemption_point() {}             // the simulation may switch threads here

  // --- DPCs and posted tasks ---
  void bind_processor(unsigned processor);    // the calling thread runs it from now on
  void unbind_processor(unsigned processor);  // tasks still posted are given back unrun
  unsigned processor_count() const { return static_cast<unsigned>(processors_.size()); }
  void set_processor_wake(unsigned processor, std::function<void()> wake);
  bool queue_dpc(KDPC& dpc, void* argument1, void* argument2);  // false: already queued, or kMaxQueuedDpcs
  bool remove_dpc(KDPC& dpc);
  void flush_dpcs();
  std::size_t run_dpcs(unsigned processor);  // those queued at entry; returns how many ran
  // Hands `task` to the processor's thread and returns when it has run; at once on that thread. False: nobody runs
  // the processor (any more), or kMaxPostedTasks wait, and the task did not run.
  bool post_and_wait(unsigned processor, const std::function<void()>& task);
  std::size_t run_posted(unsigned processor);
  bool has_work(unsigned processor) const;  // DPCs or posted tasks; cheap, any thread

  // --- timers ---
  bool set_timer(KTIMER& timer, Instant due, LONG period_ms, KDPC* dpc);  // true: it was set before
  bool cancel_timer(KTIMER& timer);
  std::size_t cancel_timers_of(DriverId driver);  // those still set at unload; returns how many
  Instant next_deadline();                        // of timers and timed waits; kNever when there is none

  // --- work items ---
  bool queue_work(WorkEntry& entry);
  void drain_work(DriverId driver);  // waits until none of the driver's is queued or running

  SchedulerCounts counts();
  std::string blocked_report();  // one line a blocked thread: who waits for what

 protected:
  struct WaitFrame;
  struct PostedTask;
  struct Processor {
    Thread* thread = nullptr;  // (L)
    std::mutex lock;           // guards the two queues
    LIST_ENTRY dpcs{};
    std::vector<PostedTask*> posted;
    std::atomic<std::size_t> dpc_count{0}, posted_count{0};
    std::atomic<std::size_t> dpcs_run{0}, dpcs_refused{0}, tasks_run{0}, tasks_refused{0};
    std::function<void()> wake;  // set before traffic, then constant
  };

  // Gives up the turn until unblocked (true) or until `deadline` (false). `lock` is lock_, held before and after.
  virtual bool block(Lock& lock, Thread& self, Instant deadline) = 0;
  virtual void unblock(Thread& thread) = 0;                   // lock_ held
  virtual void spawned(Lock&, Thread&) {}                     // its OS thread exists
  virtual void await_first_turn(Thread& thread) = 0;          // on the new OS thread, before its body
  virtual void thread_ended(Lock& lock, Thread& thread) = 0;  // last thing that it does
  virtual void attached(Lock& lock, Thread& thread) = 0;      // a thread from outside came in
  virtual void timers_changed() {}                            // lock_ held

  void run_thread(Thread& thread);  // the body of every OS thread
  void stop_workers();              // called by the most derived destructor
  void expire_timers(Lock& lock, Instant now);
  Instant next_timer() const { return timers_.empty() ? kNever : timers_.begin()->first.first; }
  void wake_processor(unsigned processor);  // lock_ not held

  Clock& clock_;
  std::mutex lock_;
  std::vector<Thread*> threads_;  // all that have not ended, plus those from outside (L)

 private:
  bool is_satisfied(const WaitFrame& frame) const;
  void finish(WaitFrame& frame, NTSTATUS status);
  void release_waiters(DISPATCHER_HEADER& header);
  bool push_task(Processor& p, PostedTask& entry);  // false: as post_and_wait says
  bool serve_while_waiting(Lock& lock, Thread& self);
  void unlink_timer(KTIMER& timer);
  unsigned target_of(const KDPC& dpc, unsigned fallback) const;
  bool insert_dpc(KDPC& dpc, unsigned processor, void* argument1, void* argument2);
  bool begin(Thread& thread);
  void start_workers();
  void worker_body();
  void reap_ended();

  const std::uint64_t generation_;
  std::vector<std::unique_ptr<Processor>> processors_;
  std::map<std::pair<Instant, ULONGLONG>, KTIMER*> timers_;  // (L)
  ULONGLONG timer_sequence_ = 0;
  LIST_ENTRY work_{};                               // (L)
  std::size_t work_count_ = 0;                      // (L)
  std::map<DriverId, std::size_t> work_by_driver_;  // queued or running (L)
  KSEMAPHORE work_ready_{};
  KEVENT work_done_{};
  std::vector<Thread*> workers_;
  std::vector<Thread*> ended_;  // to be joined (L)
  bool stopping_ = false;
  bool workers_started_ = false;
  SchedulerCounts counts_;
};

}  // namespace wfp::kernel
