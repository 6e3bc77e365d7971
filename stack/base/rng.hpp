// Randomness from outside. The program gives the stack a source backed by the kernel; simulations give it a seeded
// one.
#pragma once

#include <cstdint>

namespace stack {

class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual std::uint64_t next() = 0;
  std::uint32_t next_u32() { return static_cast<std::uint32_t>(next() >> 32); }
  std::uint32_t below(std::uint32_t bound) {  // uniform enough for ports and jitter; bound > 0
    return static_cast<std::uint32_t>((std::uint64_t{next_u32()} * bound) >> 32);
  }
};

// SplitMix64: small, seeded, repeatable. For simulations and tests, not for secrets.
class SeededRandom final : public RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;

 private:
  std::uint64_t state_;
};

}  // namespace stack
