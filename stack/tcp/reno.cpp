#include "stack/tcp/reno.hpp"

namespace stack::tcp {
namespace {

constexpr double kBeta = 0.5;  // RFC 5681 3.1 (4)

}  // namespace

void Reno::on_ack(const Ack& ack) {
  if (!ack.is_cwnd_limited) return;
  std::uint32_t acked = ack.acked_bytes;
  if (in_slow_start()) acked = slow_start(ack);
  if (acked == 0) return;
  acked_in_avoidance_ += acked;  // one segment for each window's worth of bytes (RFC 5681 3.1, equation 3 by bytes)
  if (acked_in_avoidance_ >= cwnd_bytes_) {
    acked_in_avoidance_ -= cwnd_bytes_;
    grow(mss_);
  }
}

void Reno::on_loss(std::uint32_t flight_bytes, Instant) {
  ssthresh_bytes_ = threshold_after_loss(flight_bytes, kBeta);
  continue_from_threshold();
  acked_in_avoidance_ = 0;
}

void Reno::on_timeout(std::uint32_t flight_bytes, bool is_first, Instant) {
  if (is_first) ssthresh_bytes_ = threshold_after_loss(flight_bytes, kBeta);
  start_over();
  acked_in_avoidance_ = 0;
}

}  // namespace stack::tcp
