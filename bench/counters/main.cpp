// count_paths PATH: what one path costs the host, as one JSON object: rounds, and for all of them together the heap blocks,
// locks and wake-ups. Under `valgrind --tool=callgrind --collect-atstart=no` the same run counts instructions. compare.py
// knows both.
#include <cinttypes>
#include <cstdio>

#include "bench/counters/paths.hpp"

int main(int count, char** arguments) {
  const auto measured = count == 2 ? counters::measure(arguments[1]) : std::nullopt;
  if (!measured) {
    std::fprintf(stderr, "count_paths: no such path, or it did not come to its end\n");
    return 2;
  }
  std::printf("{\"rounds\": %" PRIu64 ", \"allocations\": %" PRIu64 ", \"locks\": %" PRIu64 ", \"wakes\": %" PRIu64
              "}\n",
              measured->rounds, measured->counts.allocations, measured->counts.locks, measured->counts.wakes);
}
