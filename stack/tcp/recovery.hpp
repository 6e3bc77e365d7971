// Loss recovery: when to believe that a segment was lost, and until when the answer to it lasts. With SACK after RFC
// 6675, without after RFC 6582 (NewReno), where duplicate acknowledgements stand for segments that left the network.
// What may be sent meanwhile is decided by output.cpp from the window and in_flight(); the marks are in the
// scoreboard.
#pragma once

#include <cstdint>
#include <utility>

#include "stack/tcp/congestion.hpp"
#include "stack/tcp/scoreboard.hpp"

namespace stack::tcp {

class Recovery {
 public:
  enum class Phase : std::uint8_t {
    Open,     // nothing is wrong
    Fast,     // a loss was found by acknowledgements; ends when recovery_point is acknowledged
    Timeout,  // the timer expired; slow start through what was outstanding
  };
  // One acknowledgement, as far as recovery cares.
  struct Ack {
    Seq una;  // after it
    Seq nxt;
    std::uint32_t acked_bytes = 0;    // newly, in order
    std::uint32_t flight_before = 0;  // what was in the network before it: in_flight()
    bool is_duplicate = false;        // RFC 5681 2 without SACK; with SACK: it brought new SACK information
    bool has_sack = false;            // SACK was negotiated
    Instant now;
  };

  static constexpr std::uint32_t kDupThresh = 3;

  // Updates marks and phase; tells the algorithm of a new loss.
  void on_ack(const Ack& ack, Scoreboard& scoreboard, Congestion& congestion);
  // The retransmission timer expired.
  void on_timeout(Seq una, Seq nxt, Scoreboard& scoreboard, Congestion& congestion, Instant now);

  Phase phase() const { return phase_; }
  // What counts against the congestion window. Without SACK each duplicate acknowledgement takes a segment off.
  std::uint32_t in_flight(const Scoreboard& scoreboard, std::uint32_t mss) const;
  // The first retransmission of a recovery goes out whatever the window says (RFC 6675 5 (4.3)).
  bool take_forced_retransmission() { return std::exchange(force_retransmission_, false); }
  // Once in a recovery (RFC 6675 4, NextSeg (4)).
  bool take_rescue() { return !std::exchange(rescue_used_, true); }

 private:
  void enter_fast(const Ack& ack, Congestion& congestion);
  bool leave(const Ack& ack);
  void on_partial(const Ack& ack, Scoreboard& scoreboard, const Congestion& congestion);

  Phase phase_ = Phase::Open;
  Seq recovery_point_{};
  Seq loss_end_{};           // of what SACK said to be lost since the recovery began
  bool is_guarded_ = false;  // no new recovery yet, although this one is over
  bool force_retransmission_ = false;
  bool rescue_used_ = false;
  bool has_sack_ = false;
  std::uint32_t duplicate_acks_ = 0;
  std::uint32_t flight_before_duplicates_ = 0;  // in the network at the first of them
  Seq timeout_una_{};                           // what the last timeout was about
};

}  // namespace stack::tcp
