#include "stack/tcp/congestion.hpp"

#include "stack/base/assert.hpp"
#include "stack/tcp/cubic.hpp"
#include "stack/tcp/reno.hpp"

namespace stack::tcp {

void Congestion::on_idle(std::uint32_t restart_window, Instant) {
  cwnd_bytes_ = std::min(cwnd_bytes_, restart_window);
}

std::uint32_t Congestion::slow_start(std::uint32_t acked_bytes) {
  const std::uint32_t room = ssthresh_bytes_ - cwnd_bytes_;
  const std::uint32_t growth = std::min(acked_bytes, room);
  grow(growth);
  return acked_bytes - growth;
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
