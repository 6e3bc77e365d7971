// What a node on a real machine gets from outside: the clock and the randomness of the kernel. Simulations bring
// their own.
#pragma once

#include <array>

#include "stack/base/rng.hpp"
#include "stack/base/time.hpp"
#include "wfp/kernel/clock.hpp"

namespace node {

// CLOCK_MONOTONIC for everything that is measured, CLOCK_REALTIME for what drivers show to people. Any thread.
class MachineClock final : public wfp::kernel::Clock {
 public:
  wfp::kernel::Instant now() const override;
  std::uint64_t system_time() const override;
};

stack::Instant to_stack_time(wfp::kernel::Instant instant);

// getrandom(2), a buffer at a time. One thread.
class KernelRandom final : public stack::RandomSource {
 public:
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 64> buffer_{};
  std::size_t left_ = 0;
};

}  // namespace node
