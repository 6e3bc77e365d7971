// NewReno's window (RFC 5681 3.1, RFC 6582): half on loss, one segment more a round trip in congestion avoidance.
#pragma once

#include "stack/tcp/congestion.hpp"

namespace stack::tcp {

class Reno final : public Congestion {
 public:
  explicit Reno(std::uint32_t mss) : Congestion(mss) {}
  const char* name() const override { return "newreno"; }
  void on_ack(const Ack& ack) override;
  void on_loss(std::uint32_t flight_bytes, Instant now) override;
  void on_timeout(std::uint32_t flight_bytes, bool is_first, Instant now) override;

 private:
  std::uint32_t acked_in_avoidance_ = 0;  // bytes counted towards the next segment of growth
};

}  // namespace stack::tcp
