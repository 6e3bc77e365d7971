// Threads and the worker threads that run work items.
#include <algorithm>
#include <system_error>

#include "nt/rtl.h"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/scheduler.hpp"
#include "wfp/kernel/system_thread.hpp"
#include "wfp/kernel/wait_frame.hpp"
#include "wfp/ledger/driver_call.hpp"

namespace wfp::kernel {

Scheduler::~Scheduler() {
  reap_ended();
  std::string left;
  DriverId driver = ledger::kNoDriver;
  for (Thread* thread : threads_) {
    if (thread->from_outside) continue;
    left += (left.empty() ? " system " : ", system ") + thread->name;
    if (driver == ledger::kNoDriver) driver = thread->driver;
  }
  if (!left.empty()) {
    const DriverScope scope(driver);  // its fault: the stack here is ours and says nothing
    bugcheck({.code = kBugCheckThreadLeft,
              .message = "the kernel ends while these threads still run:" + left +
                         "; signal each in DriverUnload and wait for the thread object",
              .has_stack = false});
  }
  for (Thread* thread : threads_) delete thread;
}

Thread& Scheduler::current() {
  if (thread_state.thread != nullptr && thread_state.scheduler_generation == generation_) return *thread_state.thread;
  auto* thread = new Thread;
  init_header(thread->header, DispatchType::Thread, 0);
  thread->number = current_thread_number();
  thread->from_outside = true;
  thread->name = text("thread %u", thread->number);
  thread_state.thread = thread;
  thread_state.scheduler_generation = generation_;
  Lock lock(lock_);
  threads_.push_back(thread);
  attached(lock, *thread);
  return *thread;
}

Thread* Scheduler::start_thread(std::string name, DriverId driver, std::function<void()> body) {
  auto thread = std::make_unique<Thread>();
  init_header(thread->header, DispatchType::Thread, 0);
  thread->name = std::move(name);
  thread->driver = driver;
  thread->body = std::move(body);
  thread->references = 2;  // the caller's, and the scheduler's until it has been joined
  reap_ended();
  Thread* const started = thread.get();
  {
    Lock lock(lock_);
    if (threads_.size() >= kMaxThreads || !begin(*started)) {
      ++counts_.threads_refused;
      return nullptr;
    }
    threads_.push_back(thread.release());
    spawned(lock, *started);
  }
  preemption_point();
  return started;
}

// False when the OS has no thread left, which the library tells by an exception.
bool Scheduler::begin(Thread& thread) {
  try {
    thread.os_thread = std::thread([this, &thread] {
      await_first_turn(thread);
      run_thread(thread);
    });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Scheduler::retain(Thread& thread) { thread.references.fetch_add(1, std::memory_order_relaxed); }
void Scheduler::release(Thread& thread) {
  if (thread.references.fetch_sub(1, std::memory_order_acq_rel) == 1 && !thread.from_outside) delete &thread;
}

void Scheduler::run_thread(Thread& thread) {
  thread_state.thread = &thread;
  thread_state.scheduler_generation = generation_;
  const DriverScope driver(thread.driver);
  const ledger::DriverCall under_way(ledger::CallKind::Thread);
  thread.number = current_thread_number();
  thread.exit_status = run_until_terminated(thread.body);
  check_returned(thread.name.c_str(), PASSIVE_LEVEL);
  Lock lock(lock_);
  thread.ended = true;
  thread.header.SignalState = 1;
  release_waiters(thread.header);
  std::erase(threads_, &thread);
  ended_.push_back(&thread);
  thread_ended(lock, thread);
}

void Scheduler::reap_ended() {
  std::vector<Thread*> ended;
  {
    const Lock lock(lock_);
    ended.swap(ended_);
  }
  for (Thread* thread : ended) {
    thread->os_thread.join();  // it is past its last use of the scheduler's lock, or about to be
    release(*thread);
  }
}

std::vector<std::string> Scheduler::threads_of(DriverId driver) {
  std::vector<std::string> names;
  const Lock lock(lock_);
  for (const Thread* thread : threads_)
    if (thread->driver == driver && !thread->from_outside) names.push_back(thread->name);
  return names;
}

// --- work items ----------------------------------------------------------------------------------------------------

void Scheduler::start_workers() {
  for (unsigned i = 0; i < kWorkerThreads; ++i)
    if (Thread* worker = start_thread(text("worker %u", i), ledger::kNoDriver, [this] { worker_body(); });
        worker != nullptr)
      workers_.push_back(worker);
}

bool Scheduler::queue_work(WorkEntry& entry) {
  bool first = false;
  {
    const Lock lock(lock_);
    if (stopping_ || work_count_ >= kMaxQueuedWorkItems) {
      ++counts_.work_refused;
      return false;
    }
    InsertTailList(&work_, &entry.link);
    ++work_count_;
    ++work_by_driver_[entry.driver];
    first = !workers_started_;
    workers_started_ = true;
  }
  if (first) start_workers();
  bool over_limit;
  add_state(work_ready_.Header, 1, work_ready_.Limit, over_limit);
  return true;
}

void Scheduler::worker_body() {
  for (;;) {
    wait(&work_ready_, kNever);
    Lock lock(lock_);
    if (IsListEmpty(&work_)) {
      if (stopping_) return;
      continue;
    }
    WorkEntry& entry = *CONTAINING_RECORD(RemoveHeadList(&work_), WorkEntry, link);
    --work_count_;
    const DriverId driver = entry.driver;
    lock.unlock();
    {
      const DriverScope scope(driver);
      const ledger::DriverCall under_way(ledger::CallKind::WorkItem);
      entry.run(entry);  // may free the entry
      check_returned("a work item", PASSIVE_LEVEL);
    }
    lock.lock();
    ++counts_.work_run;
    if (--work_by_driver_[driver] == 0) work_by_driver_.erase(driver);
    work_done_.Header.SignalState = 1;
    release_waiters(work_done_.Header);
  }
}

void Scheduler::drain_work(DriverId driver) {
  for (;;) {
    {
      const Lock lock(lock_);
      if (!work_by_driver_.contains(driver)) return;
      work_done_.Header.SignalState = 0;
    }
    wait(&work_done_, kNever);
  }
}

void Scheduler::stop_workers() {
  std::vector<Thread*> workers;
  {
    const Lock lock(lock_);
    stopping_ = true;
    workers.swap(workers_);
    work_ready_.Header.SignalState += static_cast<LONG>(workers.size());
    release_waiters(work_ready_.Header);
  }
  for (Thread* worker : workers) {
    wait(worker, kNever);
    release(*worker);
  }
  reap_ended();
}

}  // namespace wfp::kernel
