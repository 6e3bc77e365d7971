#include "stack/tcp/cubic.hpp"

#include <cmath>

namespace stack::tcp {
namespace {

constexpr double kC = 0.4;     // RFC 9438 4.1
constexpr double kBeta = 0.7;  // 4.6
constexpr double kAlpha = 3.0 * (1.0 - kBeta) / (1.0 + kBeta);

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

// 4.2: the epoch begins with congestion avoidance. After a timeout the first one starts from where it is (4.8).
void Cubic::begin_epoch(Instant now) {
  has_epoch_ = true;
  epoch_start_ = now;
  if (after_timeout_ || w_max_ <= segments()) {
    w_max_ = segments();
    k_ = 0;
    after_timeout_ = false;
  } else {
    k_ = std::cbrt((w_max_ - segments()) / kC);
  }
  w_est_ = segments();
}

void Cubic::on_ack(const Ack& ack) {
  // Time in which the application had nothing to send does not count (4.2): the epoch moves with it.
  if (!ack.is_cwnd_limited) {
    if (has_epoch_ && last_ack_ != Instant{}) epoch_start_ += ack.now - last_ack_;
    last_ack_ = ack.now;
    return;
  }
  last_ack_ = ack.now;
  std::uint32_t acked = ack.acked_bytes;
  if (in_slow_start()) acked = slow_start(ack);
  if (acked == 0) return;
  if (!has_epoch_) begin_epoch(ack.now);

  const double cwnd = segments();
  const double acked_segments = static_cast<double>(acked) / mss_;
  const double t = seconds(ack.now - epoch_start_);
  const double ahead = t + seconds(ack.srtt) - k_;
  // 4.3: what NewReno would reach; its own pace once it is back at the window before the reduction.
  w_est_ += (w_est_ >= cwnd_prior_ ? 1.0 : kAlpha) * acked_segments / cwnd;
  const double w_cubic_now = kC * (t - k_) * (t - k_) * (t - k_) + w_max_;
  double growth;  // segments
  if (w_cubic_now < w_est_) {
    growth = std::max(0.0, w_est_ - cwnd);
  } else {
    const double target = std::clamp(kC * ahead * ahead * ahead + w_max_, cwnd, 1.5 * cwnd);
    growth = (target - cwnd) / cwnd * acked_segments;
  }
  fraction_ += std::min(growth, acked_segments) * mss_;
  const double whole = std::floor(fraction_);
  fraction_ -= whole;
  grow(static_cast<std::uint32_t>(whole));
}

void Cubic::reduce(std::uint32_t flight_bytes) {
  const double now_segments = segments();
  cwnd_prior_ = now_segments;
  // Fast convergence (4.7): when the window falls short of the last maximum, leave room for others.
  w_max_ = now_segments < w_max_ ? now_segments * (1.0 + kBeta) / 2.0 : now_segments;
  ssthresh_bytes_ = threshold_after_loss(flight_bytes, kBeta);
  has_epoch_ = false;
  fraction_ = 0;
}

void Cubic::on_loss(std::uint32_t flight_bytes, Instant) {
  reduce(flight_bytes);
  after_timeout_ = false;
  continue_from_threshold();
}

void Cubic::on_timeout(std::uint32_t flight_bytes, bool is_first, Instant) {
  if (is_first) reduce(flight_bytes);
  has_epoch_ = false;
  after_timeout_ = true;
  start_over();
}

void Cubic::on_idle(std::uint32_t restart_window, Instant now) {
  Congestion::on_idle(restart_window, now);
  has_epoch_ = false;
}

}  // namespace stack::tcp
