// Instants and durations in nanoseconds. Nothing below reads a clock: `now` is always an argument, so that the whole
// stack also runs on a virtual clock.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace stack {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

// A point on the clock that the owner of the stack reads. Its zero has no meaning.
class Instant {
 public:
  constexpr Instant() = default;
  static constexpr Instant from_ns(std::int64_t ns) { return Instant{ns}; }
  constexpr std::int64_t ns() const { return ns_; }

  constexpr auto operator<=>(const Instant&) const = default;
  constexpr Instant operator+(Duration d) const { return Instant{ns_ + d.count()}; }
  constexpr Instant operator-(Duration d) const { return Instant{ns_ - d.count()}; }
  constexpr Duration operator-(Instant other) const { return Duration{ns_ - other.ns_}; }
  constexpr Instant& operator+=(Duration d) { return ns_ += d.count(), *this; }

 private:
  constexpr explicit Instant(std::int64_t ns) : ns_(ns) {}
  std::int64_t ns_ = 0;
};

// A deadline that is not set. Later than every real instant; do not add to it.
inline constexpr Instant kNever = Instant::from_ns(INT64_MAX);

}  // namespace stack
