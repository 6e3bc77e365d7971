#include "stack/tcp/congestion.hpp"

#include "stack/base/assert.hpp"
#include "stack/tcp/cubic.hpp"
#include "stack/tcp/reno.hpp"

namespace stack::tcp {

void Congestion::on_idle(std::uint32_t restart_window, Instant) {
  cwnd_bytes_ = std::min(cwnd_bytes_, restart_window);
}

std::uint32_t Congestion::slow_start(const Ack& ack) {
  const std::uint32_t packets = slow_start_after_timeout_ ? 1 : 2;
  const std::uint32_t limit = packets * std::max(ack.packet_bytes, mss_);
  const std::uint32_t growth = std::min({ack.acked_bytes, limit, ssthresh_bytes_ - cwnd_bytes_});
  grow(growth);
  if (in_slow_start()) return 0;
  slow_start_after_timeout_ = false;
  return ack.acked_bytes - growth;
}

std::uint32_t Congestion::threshold_after_loss(std::uint32_t flight_bytes, double share) const {
  const std::uint32_t in_use = std::min(flight_bytes, cwnd_bytes_);
  return std::max(static_cast<std::uint32_t>(in_use * share), 2 * mss_);
}

void Congestion::continue_from_threshold() {
  cwnd_bytes_ = std::min(cwnd_bytes_, ssthresh_bytes_);
  slow_start_after_timeout_ = false;
}

void Congestion::start_over() {
  cwnd_bytes_ = mss_;
  slow_start_after_timeout_ = true;
}

std::unique_ptr<Congestion> make_congestion(CongestionAlgorithm algorithm, std::uint32_t mss) {
  switch (algorithm) {
    case CongestionAlgorithm::Cubic:
      return std::make_unique<Cubic>(mss);
    case CongestionAlgorithm::NewReno:
      return std::make_unique<Reno>(mss);
  }
  fail_check("algorithm is one of the enumerators");
}

}  // namespace stack::tcp
