// Counters of one stack: one per Drop reason and a few totals. Written by the stack's thread alone; a reader on
// another thread takes a copy through the stack's executor.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/drop.hpp"

namespace stack {

class Stats {
 public:
  void count(Drop drop) { ++drops_[static_cast<std::size_t>(drop)]; }
  std::uint64_t dropped(Drop drop) const { return drops_[static_cast<std::size_t>(drop)]; }
  std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (auto n : drops_) sum += n;
    return sum;
  }

  std::uint64_t frames_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_received = 0;  // whole frames, headers included
  std::uint64_t bytes_sent = 0;
  std::uint64_t injected_in = 0;  // packets that came back through the injector, by direction
  std::uint64_t injected_out = 0;

 private:
  std::array<std::uint64_t, kDropCount> drops_{};
};

}  // namespace stack
