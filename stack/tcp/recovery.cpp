#include "stack/tcp/recovery.hpp"

#include <algorithm>
#include <optional>

namespace stack::tcp {

std::uint32_t Recovery::in_flight(const Scoreboard& scoreboard, std::uint32_t mss) const {
  const std::uint32_t pipe = scoreboard.pipe();
  // Outside of a recovery only limited transmit believes in departures, twice (RFC 3042 2): the answers to what was
  // sent again needlessly are duplicates, too.
  const std::uint32_t departed = phase_ == Phase::Fast ? duplicate_acks_ : std::min(duplicate_acks_, kDupThresh - 1);
  const std::uint32_t left = has_sack_ ? 0 : departed * mss;
  return pipe > left ? pipe - left : 0;
}

void Recovery::enter_fast(const Ack& ack, Congestion& congestion) {
  // FlightSize without what limited transmit added (RFC 5681 3.2 (2)) and without what the peer has reported: that may
  // be many windows' worth after a long recovery, and none of it is in the network (RFC 6675 4, RFC 9937 6).
  congestion.on_loss(duplicate_acks_ > 0 ? flight_before_duplicates_ : ack.flight_before, ack.now);
  phase_ = Phase::Fast;
  recovery_point_ = loss_end_ = ack.nxt;
  is_guarded_ = true;
  rescue_used_ = false;
}

// The phase ends when everything is acknowledged that was outstanding at its beginning. True: of what was sent during
// it something was lost as well, which is another loss (RFC 6582 3.2 step 1), even if it has been sent again already.
bool Recovery::leave(const Ack& ack) {
  if (phase_ == Phase::Open || ack.una.before(recovery_point_)) return false;
  const bool lost_more = phase_ == Phase::Fast && loss_end_.after(ack.una);
  phase_ = Phase::Open;
  duplicate_acks_ = 0;
  return lost_more;
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
  if (leave(ack) && !scoreboard.empty()) enter_fast(ack, congestion);
  // Without SACK duplicates may answer what was sent again needlessly: more must be acknowledged first (RFC 6582 4.1).
  is_guarded_ = is_guarded_ && !ack.has_sack && !ack.una.after(recovery_point_);
  if (ack.acked_bytes > 0) {
    if (phase_ == Phase::Fast)
      on_partial(ack, scoreboard, congestion);
    else
      duplicate_acks_ = 0;
  } else if (ack.is_duplicate && !scoreboard.empty() && phase_ != Phase::Timeout) {
    if (duplicate_acks_++ == 0) flight_before_duplicates_ = ack.flight_before;
  }
  std::optional<Seq> marked;
  if (ack.has_sack && phase_ != Phase::Timeout) marked = scoreboard.mark_lost_by_sack(congestion.mss());
  if (marked && phase_ == Phase::Fast) loss_end_ = later(loss_end_, *marked);
  if (phase_ != Phase::Open || is_guarded_ || scoreboard.empty()) return;
  if (!marked && !(ack.is_duplicate && duplicate_acks_ >= kDupThresh)) return;
  enter_fast(ack, congestion);
  scoreboard.mark_front_lost(congestion.mss());
  force_retransmission_ = true;
}

void Recovery::on_timeout(Seq una, Seq nxt, Scoreboard& scoreboard, Congestion& congestion, Instant now) {
  // Repeated timeouts of the same data reduce the threshold once (RFC 5681 3.1).
  const bool is_first = phase_ != Phase::Timeout || una != timeout_una_;
  timeout_una_ = una;
  congestion.on_timeout(scoreboard.outstanding_bytes() - scoreboard.sacked_bytes(), is_first, now);
  scoreboard.mark_all_lost(true);
  phase_ = Phase::Timeout;
  recovery_point_ = nxt;
  is_guarded_ = true;
  duplicate_acks_ = 0;
  force_retransmission_ = true;
}

}  // namespace stack::tcp
