// Wakes one thread that waits in a FrameIo. The write to the eventfd is left out while the thread is awake anyway.
#pragma once

#include <atomic>

#include "tap/error.hpp"
#include "tap/file_descriptor.hpp"

namespace tap {

class Waker {
 public:
  Error open();
  int fd() const { return fd_.get(); }

  // Any thread.
  void wake() noexcept;

  // The waiting thread: true means "now wait", false "do not, a wake-up is there". end_sleep() after every true.
  bool begin_sleep() noexcept;
  void end_sleep() noexcept { sleeping_.store(false); }
  bool is_pending() const noexcept { return pending_.load(std::memory_order_relaxed); }
  // Takes the wake-ups so far as one.
  bool take() noexcept { return is_pending() && pending_.exchange(false); }
  // The eventfd was found readable.
  void drain() noexcept;

 private:
  FileDescriptor fd_;
  // Sequentially consistent, both: one side stores the first and loads the second, the other the other way round.
  std::atomic<bool> pending_{false};
  std::atomic<bool> sleeping_{false};
};

}  // namespace tap
