// Waiting and waking: dispatcher objects, wait frames and the loop that every wait runs.
#include "wfp/kernel/scheduler.hpp"

#include <algorithm>
#include <array>

#include "nt/rtl.h"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/wait_frame.hpp"

namespace wfp::kernel {

namespace {
std::atomic<std::uint64_t> last_generation{0};
constexpr USHORT kInitializedMark = 0x4b45;  // type and mark never change later, so they are read without the lock
}  // namespace

const char* kind_name(const DISPATCHER_HEADER& header) {
  switch (static_cast<DispatchType>(header.Type)) {
    case DispatchType::NotificationEvent:
    case DispatchType::SynchronizationEvent:
      return "event";
    case DispatchType::NotificationTimer:
    case DispatchType::SynchronizationTimer:
      return "timer";
    case DispatchType::Semaphore:
      return "semaphore";
    case DispatchType::Mutant:
      return "mutex";
    case DispatchType::Thread:
      return "end of a thread";
    case DispatchType::None:
      break;
  }
  return "object that was never initialized";
}

void init_header(DISPATCHER_HEADER& header, DispatchType type, LONG state) {
  header = {};
  header.Type = static_cast<UCHAR>(type);
  header.Mark = kInitializedMark;
  header.SignalState = state;
  InitializeListHead(&header.WaitListHead);
}

bool is_dispatcher_object(const void* object) {
  if (object == nullptr) return false;
  const auto& header = *static_cast<const DISPATCHER_HEADER*>(object);
  return header.Type >= static_cast<UCHAR>(DispatchType::NotificationEvent) &&
         header.Type <= static_cast<UCHAR>(DispatchType::Thread) && header.Mark == kInitializedMark;
}

Scheduler::Scheduler(Clock& clock, unsigned processor_count) : clock_(clock), generation_(++last_generation) {
  KERNEL_CHECK(processor_count >= 1 && processor_count <= kMaxProcessors);
  for (unsigned i = 0; i < processor_count; ++i) {
    processors_.push_back(std::make_unique<Processor>());
    InitializeListHead(&processors_.back()->dpcs);
  }
  InitializeListHead(&work_);
  init_header(work_ready_.Header, DispatchType::Semaphore, 0);
  work_ready_.Limit = static_cast<LONG>(kMaxQueuedWorkItems + kWorkerThreads);
  init_header(work_done_.Header, DispatchType::NotificationEvent, 0);
}

// --- one wait ------------------------------------------------------------------------------------------------------

namespace {

bool is_signalled(const DISPATCHER_HEADER& header, const Thread& thread) {
  if (header.SignalState > 0) return true;
  return header.Type == static_cast<UCHAR>(DispatchType::Mutant) &&
         reinterpret_cast<const KMUTANT&>(header).OwnerThread == &thread;
}

// Takes what a satisfied wait takes from the object.
void consume(DISPATCHER_HEADER& header, Thread& thread) {
  switch (static_cast<DispatchType>(header.Type)) {
    case DispatchType::SynchronizationEvent:
    case DispatchType::SynchronizationTimer:
      header.SignalState = 0;
      break;
    case DispatchType::Semaphore:
      --header.SignalState;
      break;
    case DispatchType::Mutant:
      --header.SignalState;
      reinterpret_cast<KMUTANT&>(header).OwnerThread = &thread;
      break;
    default:
      break;
  }
}

}  // namespace

bool Scheduler::is_satisfied(const WaitFrame& frame) const {
  for (const KWAIT_BLOCK& block : frame.blocks) {
    const bool signalled = is_signalled(*static_cast<DISPATCHER_HEADER*>(block.Object), *frame.thread);
    if (signalled != (frame.type == WaitAll)) return signalled;  // any: the first; all: the first that is not
  }
  return frame.type == WaitAll;
}

// Ends a wait that is_satisfied, or cancels one: takes the objects and leaves their lists.
void Scheduler::finish(WaitFrame& frame, NTSTATUS status) {
  if (status == STATUS_SUCCESS) {
    for (KWAIT_BLOCK& block : frame.blocks) {
      auto& header = *static_cast<DISPATCHER_HEADER*>(block.Object);
      if (frame.type == WaitAny && !is_signalled(header, *frame.thread)) continue;
      consume(header, *frame.thread);
      if (frame.type == WaitAll) continue;
      status = STATUS_WAIT_0 + static_cast<NTSTATUS>(block.WaitKey);
      break;
    }
  }
  if (frame.linked)
    for (KWAIT_BLOCK& block : frame.blocks) RemoveEntryList(&block.WaitListEntry);
  frame.linked = false;
  frame.status = status;
  frame.done = true;
}

NTSTATUS Scheduler::wait(std::span<void* const> objects, WAIT_TYPE type, Instant deadline) {
  std::array<KWAIT_BLOCK, MAXIMUM_WAIT_OBJECTS> blocks;
  KERNEL_CHECK(objects.size() <= blocks.size());
  Thread& self = current();
  preemption_point();
  Lock lock(lock_);
  WaitFrame frame{.thread = &self, .type = type, .blocks = std::span(blocks.data(), objects.size())};
  for (std::size_t i = 0; i < objects.size(); ++i)
    blocks[i] = {.WaitListEntry = {},
                 .WaitType = static_cast<UCHAR>(type),
                 .BlockState = 0,
                 .WaitKey = static_cast<USHORT>(i),
                 .Thread = &self,
                 .Object = objects[i],
                 .SparePtr = &frame};
  if (!objects.empty() && is_satisfied(frame)) {
    finish(frame, STATUS_SUCCESS);
    return frame.status;
  }
  for (KWAIT_BLOCK& block : frame.blocks)
    InsertTailList(&static_cast<DISPATCHER_HEADER*>(block.Object)->WaitListHead, &block.WaitListEntry);
  frame.linked = true;
  while (!frame.done) {
    if (serve_while_waiting(lock, self)) continue;
    if (now() >= deadline) {
      finish(frame, STATUS_TIMEOUT);
      break;
    }
    self.waits_for = objects.empty() ? nullptr : objects[0];
    self.wait_kind = objects.empty() ? "time to pass" : kind_name(*static_cast<DISPATCHER_HEADER*>(objects[0]));
    block(lock, self, deadline);
  }
  return frame.status;
}

void Scheduler::sleep_until(Instant deadline) { wait(std::span<void* const>{}, WaitAny, deadline); }

// --- changing objects ----------------------------------------------------------------------------------------------

// Hands the object to waiters in the order they came, as far as its state goes.
void Scheduler::release_waiters(DISPATCHER_HEADER& header) {
  LIST_ENTRY* entry = header.WaitListHead.Flink;
  while (entry != &header.WaitListHead && header.SignalState > 0) {
    auto& frame = *static_cast<WaitFrame*>(CONTAINING_RECORD(entry, KWAIT_BLOCK, WaitListEntry)->SparePtr);
    entry = entry->Flink;
    if (!is_satisfied(frame)) continue;
    // a wait may list one object twice: step over every block of this frame before it leaves the lists
    while (entry != &header.WaitListHead && CONTAINING_RECORD(entry, KWAIT_BLOCK, WaitListEntry)->SparePtr == &frame)
      entry = entry->Flink;
    finish(frame, STATUS_SUCCESS);
    unblock(*frame.thread);
  }
}

LONG Scheduler::set_state(DISPATCHER_HEADER& header, LONG state) {
  LONG before;
  {
    const Lock lock(lock_);
    before = header.SignalState;
    header.SignalState = state;
    if (state > 0) release_waiters(header);
  }
  preemption_point();
  return before;
}

LONG Scheduler::pulse(DISPATCHER_HEADER& header) {
  const Lock lock(lock_);
  const LONG before = std::exchange(header.SignalState, 1);
  release_waiters(header);
  header.SignalState = 0;
  return before;
}

LONG Scheduler::add_state(DISPATCHER_HEADER& header, LONG amount, LONG limit, bool& over_limit) {
  LONG before;
  {
    const Lock lock(lock_);
    before = header.SignalState;
    over_limit = amount <= 0 || amount > limit - before;
    if (over_limit) return before;
    header.SignalState = before + amount;
    release_waiters(header);
  }
  preemption_point();
  return before;
}

bool Scheduler::release_mutant(KMUTANT& mutant) {
  Thread& self = current();
  {
    const Lock lock(lock_);
    if (mutant.OwnerThread != &self) return false;
    if (++mutant.Header.SignalState == 1) {
      mutant.OwnerThread = nullptr;
      release_waiters(mutant.Header);
    }
  }
  preemption_point();
  return true;
}

std::string Scheduler::blocked_report() {
  const Lock lock(lock_);
  std::string out;
  for (const Thread* thread : threads_) {
    if (!thread->blocked || thread->waits_for == nullptr) continue;
    out += text("%s waits for %s %p", thread->name.c_str(), thread->wait_kind, thread->waits_for);
    const auto waited_for = std::find(threads_.begin(), threads_.end(), thread->waits_for);
    if (waited_for != threads_.end()) out += ", " + (*waited_for)->name;
    if (thread->deadline != kNever) out += " with a time-out";
    out += "\n";
  }
  return out;
}

}  // namespace wfp::kernel
