#include "wfp/kernel/real_scheduler.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <system_error>

#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/spin_lock.hpp"

namespace wfp::kernel {
namespace {

constexpr int kSpinsBeforeWaiting = 200;
constexpr Duration kLongestSleep = std::chrono::hours(1);  // keeps the arithmetic of the OS far from its limits

void futex_wait(std::uint32_t* word, std::uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}
void futex_wake_one(std::uint32_t* word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); }

}  // namespace

RealScheduler::RealScheduler(Clock& clock, unsigned processor_count, Timers timers)
    : Scheduler(clock, processor_count) {
  if (timers == Timers::Now) KERNEL_CHECK(start());
}

bool RealScheduler::start() {
  try {
    timer_thread_ = std::thread([this] { timer_loop(); });
    return true;
  } catch (const std::system_error&) {  // the library's way to say it
    return false;
  }
}

RealScheduler::~RealScheduler() {
  stop_workers();
  {
    const Lock lock(lock_);
    ending_ = true;
    timer_wake_.notify_one();
  }
  if (timer_thread_.joinable()) timer_thread_.join();
}

bool RealScheduler::block(Lock& lock, Thread& self, Instant deadline) {
  self.blocked = true;
  self.deadline = deadline;
  while (!self.woken) {
    if (deadline == kNever) {
      self.wake.wait(lock);
      continue;
    }
    const Duration left = deadline - now();
    if (left <= Duration::zero()) break;
    self.wake.wait_for(lock, std::min(left, kLongestSleep));
  }
  self.blocked = false;
  self.deadline = kNever;
  self.waits_for = nullptr;
  return std::exchange(self.woken, false);
}

void RealScheduler::unblock(Thread& thread) {
  thread.woken = true;
  thread.wake.notify_one();
}

// Not before start_thread has finished with it.
void RealScheduler::await_first_turn(Thread&) { const Lock started(lock_); }

void RealScheduler::timer_loop() {
  Lock lock(lock_);
  while (!ending_) {
    expire_timers(lock, now());
    if (ending_) break;
    const Instant next = next_timer();
    if (next == kNever)
      timer_wake_.wait(lock);
    else if (const Duration left = next - now(); left > Duration::zero())
      timer_wake_.wait_for(lock, std::min(left, kLongestSleep));
  }
}

// The holder may be preempted here, as no kernel thread at DISPATCH_LEVEL is: after a short spin, wait in the OS.
void RealScheduler::lock_slow(KSPIN_LOCK& lock) {
  LockWords words(lock);
  for (int i = 0; i < kSpinsBeforeWaiting; ++i) {
    if (words.try_lock()) return;
    __builtin_ia32_pause();
  }
  while (words.state().exchange(LockWords::kContended, std::memory_order_acquire) != LockWords::kFree)
    futex_wait(words.state_address(), LockWords::kContended);
}

void RealScheduler::unlocked(KSPIN_LOCK& lock) { futex_wake_one(LockWords(lock).state_address()); }

}  // namespace wfp::kernel
