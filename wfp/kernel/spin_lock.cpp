#include "wfp/kernel/spin_lock.hpp"

#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/rules.hpp"

namespace wfp::kernel {
namespace {

static_assert(sizeof(KSPIN_LOCK) == 8);

void remember(const KSPIN_LOCK& lock, bool recursive) {
  if (thread_state.held_count < kMaxHeldLocks) thread_state.held[thread_state.held_count++] = {&lock, recursive};
}

// Takes the newest entry of the lock off the thread's list; true when that acquisition was a recursive one.
bool forget(const KSPIN_LOCK& lock) {
  for (std::size_t i = thread_state.held_count; i-- > 0;) {
    if (thread_state.held[i].lock != &lock) continue;
    const bool recursive = thread_state.held[i].recursive;
    for (std::size_t j = i + 1; j < thread_state.held_count; ++j) thread_state.held[j - 1] = thread_state.held[j];
    --thread_state.held_count;
    return recursive;
  }
  return false;
}

}  // namespace

void acquire_spin_lock(KSPIN_LOCK& lock, const char* routine) {
  Scheduler& scheduler = Kernel::current().scheduler();
  const LockWords words(lock);
  const std::uint32_t self = current_thread_number();
  assert_irql_at_least(DISPATCH_LEVEL, routine);
  scheduler.preemption_point();
  if (!words.try_lock()) {
    if (words.holder().load(std::memory_order_relaxed) == self) {
      report_violation(ledger::rule::kLockRecursion,
                       text("%s: spin lock %p is already held by this thread; on Windows this "
                            "never returns",
                            routine, static_cast<void*>(&lock)));
      remember(lock, true);
      return;
    }
    scheduler.lock_slow(lock);
  }
  words.holder().store(self, std::memory_order_relaxed);
  remember(lock, false);
}

bool try_acquire_spin_lock(KSPIN_LOCK& lock) {
  const LockWords words(lock);
  if (!words.try_lock()) return false;
  words.holder().store(current_thread_number(), std::memory_order_relaxed);
  remember(lock, false);
  return true;
}

void release_spin_lock(KSPIN_LOCK& lock, const char* routine) {
  const LockWords words(lock);
  if (forget(lock)) return;
  const std::uint32_t holder = words.holder().load(std::memory_order_relaxed);
  if (holder != current_thread_number()) {
    report_violation(ledger::rule::kLockStranger,
                     holder == 0 ? text("%s: spin lock %p is not held", routine, static_cast<void*>(&lock))
                                 : text("%s: spin lock %p is held by thread %u, not by this thread (%u)", routine,
                                        static_cast<void*>(&lock), holder, current_thread_number()));
    if (holder == 0) return;
  }
  words.holder().store(0, std::memory_order_relaxed);
  Scheduler& scheduler = Kernel::current().scheduler();
  if (words.state().exchange(LockWords::kFree, std::memory_order_release) == LockWords::kContended)
    scheduler.unlocked(lock);
}

}  // namespace wfp::kernel
