// Congestion control behind one interface. An algorithm owns the congestion window and the slow-start threshold, in
// bytes; it learns of acknowledgements, losses and timeouts and knows nothing of segments, timers or the scoreboard.
//
// A new algorithm is a file beside reno.cpp, an enumerator in config.hpp and a case in make_congestion(); its word for
// --congestion is in src/app/cli/option_values.cpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "stack/base/time.hpp"
#include "stack/tcp/config.hpp"

namespace stack::tcp {

class Congestion {
 public:
  struct Ack {
    std::uint32_t acked_bytes = 0;   // arrived, and no acknowledgement before has counted them
    std::uint32_t packet_bytes = 0;  // the largest packet among them: a large send gets one acknowledgement
    Instant now;
    Duration srtt{};
    bool is_cwnd_limited = true;  // the window, not the application, held data back (is_cwnd_limited in ack.cpp)
  };

  virtual ~Congestion() = default;
  virtual const char* name() const = 0;

  // New data was acknowledged outside of loss recovery.
  virtual void on_ack(const Ack& ack) = 0;
  // Loss found by acknowledgements: once a window. `flight_bytes` was in the network before the first sign of it: what
  // the peer had reported was not, nor is what limited transmit added. The window never comes out larger.
  virtual void on_loss(std::uint32_t flight_bytes, Instant now) = 0;
  // The retransmission timer expired. `is_first`: not a repeated timeout of the same data (RFC 5681 3.1).
  virtual void on_timeout(std::uint32_t flight_bytes, bool is_first, Instant now) = 0;
  // Nothing was sent for longer than a timeout (RFC 5681 4.1); `restart_window` bounds the window.
  virtual void on_idle(std::uint32_t restart_window, Instant now);

  // The sender's maximum segment size changed; the window in bytes stays, but holds a segment.
  void set_mss(std::uint32_t mss) {
    mss_ = mss;
    cwnd_bytes_ = std::max(cwnd_bytes_, mss);
  }
  void set_initial_window(std::uint32_t bytes) { cwnd_bytes_ = std::max(bytes, mss_); }

  std::uint32_t cwnd_bytes() const { return cwnd_bytes_; }
  std::uint32_t ssthresh_bytes() const { return ssthresh_bytes_; }
  std::uint32_t mss() const { return mss_; }
  bool in_slow_start() const { return cwnd_bytes_ < ssthresh_bytes_; }

 protected:
  explicit Congestion(std::uint32_t mss) : mss_(mss), cwnd_bytes_(mss) {}
  // RFC 5681 3.1 with appropriate byte counting: an acknowledgement lets the window grow by two segments at the most,
  // in the slow start after a timeout by one (RFC 3465 2.2, 2.3), or by as many packets as large as those that it
  // acknowledges. Returns the bytes that are left for congestion avoidance once the threshold is reached.
  std::uint32_t slow_start(const Ack& ack);
  // The threshold after a loss: `share` of what was in use, at least two segments (RFC 5681 3.1 (4), RFC 9438 4.6).
  std::uint32_t threshold_after_loss(std::uint32_t flight_bytes, double share) const;
  void continue_from_threshold();  // fast recovery
  void start_over();               // after a timeout
  void grow(std::uint32_t bytes) { cwnd_bytes_ = std::min(cwnd_bytes_ + bytes, kMaxWindow); }

  static constexpr std::uint32_t kMaxWindow = 1U << 30;  // what a scaled window can ask for (RFC 7323 2.2)

  std::uint32_t mss_;
  std::uint32_t cwnd_bytes_;
  std::uint32_t ssthresh_bytes_ = UINT32_MAX;

 private:
  bool slow_start_after_timeout_ = false;
};

std::unique_ptr<Congestion> make_congestion(CongestionAlgorithm algorithm, std::uint32_t mss);

}  // namespace stack::tcp
