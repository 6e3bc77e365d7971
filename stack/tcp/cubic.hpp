// CUBIC (RFC 9438): the window follows a cubic of the time since the last reduction and never falls behind NewReno.
// Windows are in segments (double) where the RFC's formulas are, in bytes at the interface.
#pragma once

#include "stack/tcp/congestion.hpp"

namespace stack::tcp {

class Cubic final : public Congestion {
 public:
  explicit Cubic(std::uint32_t mss) : Congestion(mss) {}
  const char* name() const override { return "cubic"; }
  void on_ack(const Ack& ack) override;
  void on_loss(std::uint32_t flight_bytes, Instant now) override;
  void on_timeout(std::uint32_t flight_bytes, bool is_first, Instant now) override;
  void on_idle(std::uint32_t restart_window, Instant now) override;

  double w_max_segments() const { return w_max_; }

 private:
  void begin_epoch(Instant now);
  void reduce(std::uint32_t flight_bytes);
  double segments() const { return static_cast<double>(cwnd_bytes_) / mss_; }

  double w_max_ = 0;       // window just before the last reduction, after fast convergence
  double cwnd_prior_ = 0;  // the same, before it
  double k_ = 0;           // seconds from the epoch's start until w_max is reached again
  double w_est_ = 0;       // what NewReno would have
  double fraction_ = 0;    // growth in bytes that did not make a whole byte yet
  bool has_epoch_ = false;
  bool after_timeout_ = false;  // the first epoch is to start flat
  Instant epoch_start_{};
  Instant last_ack_{};
};

}  // namespace stack::tcp
