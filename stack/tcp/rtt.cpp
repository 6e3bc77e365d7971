#include "stack/tcp/rtt.hpp"

#include <algorithm>

namespace stack::tcp {

void RttEstimator::on_sample(Duration rtt) {
  rtt = std::max(rtt, Duration{1});
  backoff_ = 0;
  if (!has_sample_) {  // RFC 6298 2.2
    srtt_ = rtt;
    rttvar_ = rtt / 2;
    has_sample_ = true;
  } else {  // 2.3: the variance uses the old mean, so it comes first
    const Duration error = srtt_ > rtt ? srtt_ - rtt : rtt - srtt_;
    rttvar_ += (error - rttvar_) / 4;
    srtt_ += (rtt - srtt_) / 8;
  }
  rto_ = std::clamp(srtt_ + std::max(kGranularity, 4 * rttvar_), limits_.min, limits_.max);
}

void RttEstimator::back_off() {
  if (rto() < limits_.max) ++backoff_;
}

void RttEstimator::raise_after_syn_loss() {
  if (!has_sample_) rto_ = std::max<Duration>(rto_, 3s);
}

Duration RttEstimator::rto_after(unsigned times) const {
  constexpr unsigned kMaxShift = 16;
  return std::min(rto_ * (std::int64_t{1} << std::min(times, kMaxShift)), limits_.max);
}

}  // namespace stack::tcp
