// A rate limit: `burst` at once, `per_second` in the long run. A rate of zero refuses everything.
#pragma once

#include <algorithm>
#include <cstdint>

#include "stack/base/time.hpp"

namespace stack {

class TokenBucket {
 public:
  TokenBucket(std::uint32_t per_second, std::uint32_t burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  bool take(Instant now) {
    refill(now);
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }

 private:
  void refill(Instant now) {
    if (per_second_ == 0) {
      tokens_ = 0;
      return;
    }
    if (now <= last_) return;
    const Duration each = std::max(Duration{1s} / per_second_, Duration{1});
    const auto fresh = static_cast<std::uint64_t>((now - last_) / each);
    if (tokens_ + fresh >= burst_) {
      tokens_ = burst_;
      last_ = now;
    } else {
      tokens_ += static_cast<std::uint32_t>(fresh);
      last_ += each * static_cast<std::int64_t>(fresh);
    }
  }
  std::uint32_t per_second_;
  std::uint32_t burst_;
  std::uint32_t tokens_;
  Instant last_;
};

}  // namespace stack
