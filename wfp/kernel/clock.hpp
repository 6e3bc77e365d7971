// Where the kernel's time comes from. Nothing in wfp/kernel reads a clock: the program gives one (src/node), a test
// or a simulation gives another. Instants are nanoseconds since a start of the clock's own choosing; they never go
// back. Threads: now() and system_time() may be called from any thread; VirtualClock::advance_to only by the thread
// that runs the simulation.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace wfp::kernel {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::nanoseconds;
inline constexpr Instant kNever = Instant::max();

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  // 100 ns units since 1601-01-01, as KeQuerySystemTime gives it.
  virtual std::uint64_t system_time() const = 0;
};

// Time that stands still until it is moved. Simulations derive from it when they keep time elsewhere.
class VirtualClock : public Clock {
 public:
  Instant now() const override { return Instant{now_.load(std::memory_order_relaxed)}; }
  std::uint64_t system_time() const override {
    return kSystemTimeAtStart + static_cast<std::uint64_t>(now().count()) / 100;
  }
  virtual void advance_to(Instant when) {
    if (when > now()) now_.store(when.count(), std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t kSystemTimeAtStart = 133'485'408'000'000'000;  // 2024-01-01 00:00 UTC
  std::atomic<std::int64_t> now_{0};
};

}  // namespace wfp::kernel
