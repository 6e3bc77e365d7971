// Counts what the host under test asks of the machine while it runs: heap blocks, locks taken, wake-ups of its processor.
// Only between begin() and end(), and only inside a Counted scope, so that the peer's and the link's work is left out.
// Under callgrind the same scopes say which instructions are collected.
#pragma once

#include <cstdint>

namespace counters {

struct Counts {
  std::uint64_t allocations = 0;  // malloc and its relatives, operator new included
  std::uint64_t locks = 0;        // pthread mutexes, taken or tried
  std::uint64_t wakes = 0;        // of the processor, by whoever wanted it to run soon
};

void begin();
Counts end();
void count_wake();

class Counted {
 public:
  Counted();
  ~Counted();
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

}  // namespace counters
