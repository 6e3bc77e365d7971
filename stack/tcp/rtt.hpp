// Round-trip time and retransmission timeout (RFC 6298). Fed with one sample at most per acknowledgement; whether a
// sample is unambiguous (Karn, timestamps) is decided by ack.cpp.
#pragma once

#include "stack/base/time.hpp"

namespace stack::tcp {

class RttEstimator {
 public:
  struct Limits {
    Duration initial = 1s;
    Duration min = 200ms;
    Duration max = 60s;
  };
  explicit RttEstimator(Limits limits) : limits_(limits), rto_(limits.initial) {}

  // A clean sample also ends the doubling: until then it stays (Karn; 5.5 and 5.7).
  void on_sample(Duration rtt);
  // The timer expired: the timeout doubles (5.5), up to the limit.
  void back_off();
  // A SYN had to be sent again while the timeout was below 3 s: it is 3 s for the data that follows (5.7).
  void raise_after_syn_loss();

  Duration srtt() const { return srtt_; }
  Duration rttvar() const { return rttvar_; }
  Duration rto() const { return rto_after(backoff_); }
  // The timeout doubled `times` times, for timers that back off on their own (persist).
  Duration rto_after(unsigned times) const;
  unsigned backoff() const { return backoff_; }

 private:
  static constexpr Duration kGranularity = 1ms;  // G of RFC 6298: how fine the stack's timers are

  Limits limits_;
  Duration rto_;
  Duration srtt_{};
  Duration rttvar_{};
  unsigned backoff_ = 0;
  bool has_sample_ = false;
};

}  // namespace stack::tcp
