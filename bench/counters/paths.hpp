// The paths that are counted. Each warms up first, so that pools and caches are as in a long run.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bench/counters/counting.hpp"

namespace counters {

struct Measured {
  Counts counts;
  std::uint64_t rounds = 0;  // round trips, connections, classifies or MiB
};

// Nothing when there is no path of that name, or it did not come to its end.
std::optional<Measured> measure(std::string_view path);

}  // namespace counters
