#include "stack/tcp/recovery.hpp"

#include <algorithm>

namespace stack::tcp {

std::uint32_t Recovery::in_flight(const Scoreboard& scoreboard, std::uint32_t mss) const {
  const std::uint32_t pipe = scoreboard.pipe();
  const std::uint32_t left = has_sack_ ? 0 : duplicate_acks_ * mss;
  return pipe > left ? pipe - left : 0;
}

void Recovery::enter_fast(const Ack& ack, Scoreboard& scoreboard, Congestion& congestion) {
  // FlightSize without what limited transmit added (RFC 5681 3.2 (2)).
  const std::uint32_t flight = scoreboard.outstanding_bytes();
  congestion.on_loss(duplicate_acks_ > 0 ? std::min(flight, flight_before_duplicates_) : flight, ack.now);
  phase_ = Phase::Fast;
  recovery_point_ = ack.nxt;
  is_guarded_ = true;
  rescue_used_ = false;
  force_retransmission_ = true;
  scoreboard.mark_front_lost(congestion.mss());
}

// RFC 6582 3.2 step 3: the acknowledgement of the retransmission uncovers the next hole.
void Recovery::on_partial(const Ack& ack, Scoreboard& scoreboard, const Congestion& congestion) {
  if (ack.has_sack) return;
  const std::uint32_t acked_segments = (ack.acked_bytes + congestion.mss() - 1) / congestion.mss();
  // All but the retransmitted one had announced themselves by a duplicate acknowledgement.
  duplicate_acks_ -= std::min(duplicate_acks_, acked_segments - 1);
  scoreboard.mark_front_lost(congestion.mss());
  force_retransmission_ = true;
}

void Recovery::on_ack(const Ack& ack, Scoreboard& scoreboard, Congestion& congestion) {
  has_sack_ = ack.has_sack;
  if (phase_ != Phase::Open && ack.una.at_or_after(recovery_point_)) {
    phase_ = Phase::Open;
    duplicate_acks_ = 0;
  }
  // Without SACK duplicates may answer what was sent again needlessly: more must be acknowledged first (RFC 6582 4.1).
  is_guarded_ = is_guarded_ && !ack.has_sack && !ack.una.after(recovery_point_);
  if (ack.acked_bytes > 0) {
    if (phase_ == Phase::Fast)
      on_partial(ack, scoreboard, congestion);
    else
      duplicate_acks_ = 0;
  } else if (ack.is_duplicate && !scoreboard.empty() && phase_ != Phase::Timeout) {
    if (duplicate_acks_++ == 0) flight_before_duplicates_ = scoreboard.outstanding_bytes();
  }
  const bool marked = ack.has_sack && phase_ != Phase::Timeout && scoreboard.mark_lost_by_sack(congestion.mss());
  if (phase_ != Phase::Open || is_guarded_ || scoreboard.empty()) return;
  if (marked || (ack.is_duplicate && duplicate_acks_ >= kDupThresh)) enter_fast(ack, scoreboard, congestion);
}

void Recovery::on_timeout(Seq una, Seq nxt, Scoreboard& scoreboard, Congestion& congestion, Instant now) {
  // Repeated timeouts of the same data reduce the threshold once (RFC 5681 3.1).
  const bool is_first = phase_ != Phase::Timeout || una != timeout_una_;
  timeout_una_ = una;
  congestion.on_timeout(scoreboard.outstanding_bytes(), is_first, now);
  scoreboard.mark_all_lost(true);
  phase_ = Phase::Timeout;
  recovery_point_ = nxt;
  is_guarded_ = true;
  duplicate_acks_ = 0;
  force_retransmission_ = true;
}

}  // namespace stack::tcp
