// Deferred procedure calls and posted tasks: the two ways to reach a processor's thread.
#include "nt/rtl.h"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/scheduler.hpp"
#include "wfp/kernel/spin_lock.hpp"
#include "wfp/kernel/wait_frame.hpp"
#include "wfp/ledger/driver_call.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::kernel {

void Scheduler::bind_processor(unsigned processor) {
  Thread& self = current();
  thread_state.processor = static_cast<std::uint16_t>(processor);
  const Lock lock(lock_);
  KERNEL_CHECK(processor < processors_.size() && processors_[processor]->thread == nullptr);
  processors_[processor]->thread = &self;
  ++self.serves;
}

void Scheduler::unbind_processor(unsigned processor) {
  Processor& p = *processors_[processor];
  std::vector<PostedTask*> left;
  {
    const Lock lock(lock_);
    if (p.thread != nullptr) --p.thread->serves;
    p.thread = nullptr;
    const std::lock_guard guard(p.lock);
    left.swap(p.posted);
    p.posted_count.store(0, std::memory_order_release);
  }
  for (PostedTask* entry : left) set_state(entry->done.Header, 1);  // without having run
}

void Scheduler::set_processor_wake(unsigned processor, std::function<void()> wake) {
  const Lock lock(lock_);
  processors_[processor]->wake = std::move(wake);
}

bool Scheduler::has_work(unsigned processor) const {
  const Processor& p = *processors_[processor];
  return p.dpc_count.load(std::memory_order_acquire) != 0 || p.posted_count.load(std::memory_order_acquire) != 0;
}

// The processor's thread may sit in its event loop (wake) or in a wait of the kernel (unblock). In a wait it may be
// between looking for work and blocking, with the lock released: then unblock keeps its next block from lasting.
void Scheduler::wake_processor(unsigned processor) {
  Processor& p = *processors_[processor];
  if (p.wake) p.wake();
  const Lock lock(lock_);
  if (p.thread != nullptr) unblock(*p.thread);
}

// --- DPCs ----------------------------------------------------------------------------------------------------------

unsigned Scheduler::target_of(const KDPC& dpc, unsigned fallback) const {
  const unsigned target = dpc.Number != 0 ? dpc.Number - 1u : fallback;
  return target < processors_.size() ? target : 0;
}

bool Scheduler::insert_dpc(KDPC& dpc, unsigned processor, void* argument1, void* argument2) {
  Processor& p = *processors_[processor];
  const std::lock_guard guard(p.lock);
  std::atomic_ref<USHORT> queued(dpc.Queued);
  USHORT idle = 0;
  if (queued.load(std::memory_order_relaxed) != 0) return false;
  if (p.dpc_count.load(std::memory_order_relaxed) >= kMaxQueuedDpcs) {
    p.dpcs_refused.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  if (!queued.compare_exchange_strong(idle, static_cast<USHORT>(processor + 1))) return false;
  dpc.SystemArgument1 = argument1;
  dpc.SystemArgument2 = argument2;
  if (dpc.Importance == HighImportance)
    InsertHeadList(&p.dpcs, &dpc.DpcListEntry);
  else
    InsertTailList(&p.dpcs, &dpc.DpcListEntry);
  p.dpc_count.fetch_add(1, std::memory_order_release);
  return true;
}

bool Scheduler::queue_dpc(KDPC& dpc, void* argument1, void* argument2) {
  const unsigned processor = target_of(dpc, thread_state.processor);
  if (!insert_dpc(dpc, processor, argument1, argument2)) return false;
  // its own thread finds the DPC when the current classify has unwound
  const bool own = thread_state.scheduler_generation == generation_ && thread_state.thread != nullptr &&
                   thread_state.thread->serves != 0 && thread_state.processor == processor;
  if (!own) wake_processor(processor);
  preemption_point();
  return true;
}

bool Scheduler::remove_dpc(KDPC& dpc) {
  std::atomic_ref<USHORT> queued(dpc.Queued);
  for (;;) {
    const USHORT where = queued.load(std::memory_order_acquire);
    if (where == 0) return false;
    Processor& p = *processors_[where - 1u];
    const std::lock_guard guard(p.lock);
    if (queued.load(std::memory_order_relaxed) != where) continue;  // it ran or moved meanwhile
    RemoveEntryList(&dpc.DpcListEntry);
    p.dpc_count.fetch_sub(1, std::memory_order_release);
    queued.store(0, std::memory_order_release);
    return true;
  }
}

std::size_t Scheduler::run_dpcs(unsigned processor) {
  Processor& p = *processors_[processor];
  const std::size_t limit = p.dpc_count.load(std::memory_order_acquire);  // one that queues itself runs next time
  if (limit == 0) return 0;
  const std::uint16_t processor_before = std::exchange(thread_state.processor, static_cast<std::uint16_t>(processor));
  std::size_t ran = 0;
  for (; ran < limit; ++ran) {
    std::unique_lock guard(p.lock);
    if (IsListEmpty(&p.dpcs)) break;
    KDPC& dpc = *CONTAINING_RECORD(RemoveHeadList(&p.dpcs), KDPC, DpcListEntry);
    // Copied first: from here on the driver may queue the DPC again or free it, also inside its routine.
    const KDPC copy = dpc;
    p.dpc_count.fetch_sub(1, std::memory_order_release);
    std::atomic_ref<USHORT>(dpc.Queued).store(0, std::memory_order_release);
    guard.unlock();
    const DriverScope driver(copy.Driver);
    const IrqlScope level(DISPATCH_LEVEL);
    const ledger::DriverCall under_way(ledger::CallKind::Dpc);
    copy.DeferredRoutine(&dpc, copy.DeferredContext, copy.SystemArgument1, copy.SystemArgument2);
    check_returned("a DPC routine", DISPATCH_LEVEL);
  }
  p.dpcs_run.fetch_add(ran, std::memory_order_relaxed);
  thread_state.processor = processor_before;
  return ran;
}

void Scheduler::flush_dpcs() {
  for (unsigned i = 0; i < processors_.size(); ++i) post_and_wait(i, [this, i] { run_dpcs(i); });
}

// --- posted tasks --------------------------------------------------------------------------------------------------

bool Scheduler::post_and_wait(unsigned processor, const std::function<void()>& task) {
  Processor& p = *processors_[processor];
  Thread& self = current();
  bool is_own;
  {
    const Lock lock(lock_);
    is_own = p.thread == &self;
  }
  if (is_own) {
    task();
    return true;
  }
  PostedTask entry{.task = &task, .driver = ledger::current_driver()};
  init_header(entry.done.Header, DispatchType::NotificationEvent, 0);
  if (thread_state.held_count != 0)
    report_violation(ledger::rule::kLockHeld,
                     text("a call that waits for processor %u was made with spin lock %p held; release "
                          "it first",
                          processor, static_cast<const void*>(thread_state.held[0].lock)));
  if (!push_task(p, entry)) return false;
  wake_processor(processor);
  wait(&entry.done, kNever);
  return entry.has_run;
}

bool Scheduler::push_task(Processor& p, PostedTask& entry) {
  const Lock lock(lock_);  // so that nobody unbinds between the look and the push
  if (p.thread == nullptr) return false;
  const std::lock_guard guard(p.lock);
  if (p.posted.size() >= kMaxPostedTasks) {
    p.tasks_refused.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  p.posted.push_back(&entry);
  p.posted_count.fetch_add(1, std::memory_order_release);
  return true;
}

std::size_t Scheduler::run_posted(unsigned processor) {
  Processor& p = *processors_[processor];
  if (p.posted_count.load(std::memory_order_acquire) == 0) return 0;
  std::size_t ran = 0;
  for (;; ++ran) {
    PostedTask* entry = nullptr;
    {
      const std::lock_guard guard(p.lock);
      if (p.posted.empty()) break;
      entry = p.posted.front();
      p.posted.erase(p.posted.begin());
      p.posted_count.fetch_sub(1, std::memory_order_release);
    }
    {
      const DriverScope driver(entry->driver);
      (*entry->task)();
      entry->has_run = true;
    }
    set_state(entry->done.Header, 1);  // `entry` is gone after this
  }
  p.tasks_run.fetch_add(ran, std::memory_order_relaxed);
  return ran;
}

// A processor's thread in a wait goes on serving. True when it did something, so the wait looks again.
bool Scheduler::serve_while_waiting(Lock& lock, Thread& self) {
  if (self.serves == 0) return false;
  const bool with_dpcs = current_irql() < DISPATCH_LEVEL;
  std::size_t served = 0;
  for (unsigned i = 0; i < processors_.size(); ++i) {
    if (processors_[i]->thread != &self || !has_work(i)) continue;
    lock.unlock();
    served += run_posted(i);
    if (with_dpcs) served += run_dpcs(i);
    lock.lock();
  }
  return served != 0;
}

SchedulerCounts Scheduler::counts() {
  const Lock lock(lock_);
  SchedulerCounts out = counts_;
  for (const auto& p : processors_) {
    out.dpcs_run += p->dpcs_run.load(std::memory_order_relaxed);
    out.dpcs_refused += p->dpcs_refused.load(std::memory_order_relaxed);
    out.tasks_run += p->tasks_run.load(std::memory_order_relaxed);
    out.tasks_refused += p->tasks_refused.load(std::memory_order_relaxed);
  }
  return out;
}

}  // namespace wfp::kernel
