// KSPIN_LOCK: 8 bytes, zero is free. The low word is the state, the high word the number of the thread that holds it,
// so that recursion, and release by a stranger, are named instead of hanging or corrupting. Each thread lists the
// locks that it holds: the callout API asks held_spin_lock() to report calls made under a driver's lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "wfp/kernel/thread_state.hpp"

namespace wfp::kernel {

class LockWords {
 public:
  static constexpr std::uint32_t kFree = 0, kHeld = 1, kContended = 2;  // contended: held, and someone waits

  explicit LockWords(KSPIN_LOCK& lock) : words_(reinterpret_cast<std::uint32_t*>(&lock)) {}
  std::atomic_ref<std::uint32_t> state() const { return std::atomic_ref(words_[0]); }
  std::atomic_ref<std::uint32_t> holder() const { return std::atomic_ref(words_[1]); }
  std::uint32_t* state_address() const { return words_; }
  bool try_lock() const {
    std::uint32_t expected = kFree;
    return state().compare_exchange_strong(expected, kHeld, std::memory_order_acquire, std::memory_order_relaxed);
  }

 private:
  [[gnu::may_alias]] std::uint32_t* words_;
};

// The caller is at DISPATCH_LEVEL already, or `routine` is reported; acquire does not raise.
void acquire_spin_lock(KSPIN_LOCK& lock, const char* routine);
bool try_acquire_spin_lock(KSPIN_LOCK& lock);
void release_spin_lock(KSPIN_LOCK& lock, const char* routine);

// The innermost spin lock that the calling thread holds, or null.
inline const KSPIN_LOCK* held_spin_lock() {
  return thread_state.held_count == 0 ? nullptr : thread_state.held[thread_state.held_count - 1].lock;
}

}  // namespace wfp::kernel
