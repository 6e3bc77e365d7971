#include "stack/tcp/ack.hpp"

#include <algorithm>
#include <utility>

#include "stack/tcp/window.hpp"

namespace stack::tcp {
namespace {

// RFC 5681 2. Asked before the window is updated.
bool is_plain_duplicate(const Tcb& tcb, const Segment& segment) {
  return segment.ack_number == tcb.snd_una && segment.length() == 0 && tcb.has_outstanding() &&
         segment.window_bytes(tcb.snd_scale) == tcb.snd_wnd;
}

// New information of the SACK option. Blocks below snd_una are reports of duplicates (RFC 2883), blocks beyond
// snd_nxt lies.
Scoreboard::Delivered apply_sack(Tcb& tcb, const Segment& segment) {
  Scoreboard::Delivered all;
  for (const wire::SackBlock& block : segment.options.sack_blocks()) {
    const bool is_sound = block.left.before(block.right) &&
                          block.left.at_or_after(later(segment.ack_number, tcb.snd_una)) &&
                          block.right.at_or_before(tcb.snd_nxt);
    if (!is_sound) continue;
    const Scoreboard::Delivered one = tcb.scoreboard.sack(block.left, block.right);
    all.add(one);
    if (one.sample_sent_at && (!all.sample_sent_at || *all.sample_sent_at < *one.sample_sent_at))
      all.sample_sent_at = one.sample_sent_at;
  }
  return all;
}

// Karn (RFC 6298 3): the time of a range that was sent once, or what the timestamp says (RFC 7323 4.1), or nothing.
void sample_rtt(Tcb& tcb, const Segment& segment, const Scoreboard::Delivered& delivered, Instant now) {
  if (delivered.sample_sent_at && !delivered.any_retransmitted) {
    tcb.rtt.on_sample(now - *delivered.sample_sent_at);
    return;
  }
  if (!tcb.timestamps_ok || !segment.options.timestamps) return;
  constexpr std::uint32_t kBelievable = 300'000;  // milliseconds; more is a peer's invention
  const std::uint32_t elapsed = tcb.timestamp(now) - segment.options.timestamps->echo;
  if (elapsed < kBelievable) tcb.rtt.on_sample(std::chrono::milliseconds{elapsed});
}

// Bytes of the send buffer that the acknowledgement frees; SYN and FIN are not among them.
std::uint32_t free_acknowledged(Tcb& tcb, Seq una) {
  const Seq data_end = earlier(una, tcb.buffer_end());
  if (!data_end.after(tcb.buffer_begin)) return 0;
  const std::uint32_t count = data_end - tcb.buffer_begin;
  tcb.send.drop_front(count);
  tcb.buffer_begin = data_end;
  return count;
}

void restart_timers(Tcb& tcb, Instant now) {
  tcb.timers.retransmit = tcb.has_outstanding() ? now + tcb.rtt.rto() : kNever;  // RFC 6298 5.2, 5.3
  tcb.timers.give_up = tcb.has_outstanding() ? now + tcb.give_up_after : kNever;
  if (tcb.timers.orphan != kNever) tcb.timers.orphan = now + tcb.config->orphan_timeout;
}

// The peer's window opened after we had probed it: what the probes carried was refused, so it goes out again at once.
void leave_persist(Tcb& tcb) {
  tcb.timers.persist = kNever;
  tcb.override_sws = false;
  if (tcb.persist_probes == 0) return;
  tcb.persist_probes = 0;
  tcb.scoreboard.mark_all_lost(false);
}

// The peer has everything below SEG.ACK: frees it, takes a round-trip sample and restarts the timers. Returns the
// bytes of data among it. `delivered` is what SACK brought; the rest is added.
std::uint32_t acknowledge_data(Tcb& tcb, const Segment& segment, Scoreboard::Delivered& delivered, Instant now) {
  const Seq una = segment.ack_number;
  const Scoreboard::Delivered cumulative = tcb.scoreboard.acknowledge(una);
  delivered.add(cumulative);
  if (cumulative.sample_sent_at) delivered.sample_sent_at = cumulative.sample_sent_at;
  const std::uint32_t acked_data = free_acknowledged(tcb, una);
  tcb.snd_una = una;
  tcb.snd_small_end = later(tcb.snd_small_end, una);  // never half a circle behind
  sample_rtt(tcb, segment, delivered, now);
  restart_timers(tcb, now);
  return acked_data;
}

// Whether the congestion window, and not the application or the peer's window, held data back: only then may it grow
// (RFC 9438 5.8). In slow start it is in use from half of it on, where RFC 7661 3 has its bound for a rate-limited
// sender, because it runs ahead of what is in flight while it doubles; that RFC measures what a round trip has
// acknowledged, here it is what was in flight before the acknowledgement. In congestion avoidance up to two segments
// may be missing: that number is ours.
bool is_cwnd_limited(const Congestion& congestion, std::uint32_t flight_bytes) {
  if (congestion.in_slow_start()) return flight_bytes * std::uint64_t{2} >= congestion.cwnd_bytes();
  return flight_bytes + 2 * congestion.mss() >= congestion.cwnd_bytes();
}

// Bytes count when they arrive, reported or acknowledged in order, and only once: what the peer had reported before a
// timeout, or during a recovery, has left the network long ago. The window grows with the next acknowledgement in
// order.
void count_delivered(Tcb& tcb, const Scoreboard::Delivered& delivered, std::uint32_t acked_data,
                     std::uint32_t flight_before, Instant now) {
  tcb.delivered_uncounted += delivered.first_bytes;
  if (acked_data == 0) return;
  tcb.congestion->on_ack({.acked_bytes = std::exchange(tcb.delivered_uncounted, 0),
                          .packet_bytes = delivered.packet_bytes,
                          .now = now,
                          .srtt = tcb.rtt.srtt(),
                          .is_cwnd_limited = is_cwnd_limited(*tcb.congestion, flight_before)});
}

void take_window(Tcb& tcb, const Segment& segment, Instant now) {
  update_send_window(tcb, segment);
  if (tcb.snd_wnd > 0)
    leave_persist(tcb);
  else if (tcb.timers.give_up != kNever)
    tcb.timers.give_up = now + tcb.give_up_after;  // it answers: a closed window may last forever (RFC 9293 3.8.6.1)
}

}  // namespace

void process_ack(Tcb& tcb, const Segment& segment, Actions& actions, Instant now) {
  // As they were before the acknowledgement changes them.
  const std::uint32_t flight_before = tcb.in_flight();
  const bool plain_duplicate = is_plain_duplicate(tcb, segment);
  const Recovery::Phase phase_before = tcb.recovery.phase();

  Scoreboard::Delivered delivered;
  if (tcb.sack_ok) delivered = apply_sack(tcb, segment);
  const bool has_new_sack = delivered.bytes > 0;
  const std::uint32_t acked = segment.ack_number - tcb.snd_una;
  std::uint32_t acked_data = 0;
  if (acked > 0)
    acked_data = acknowledge_data(tcb, segment, delivered, now);
  else if (has_new_sack && !delivered.any_retransmitted && delivered.sample_sent_at)
    tcb.rtt.on_sample(now - *delivered.sample_sent_at);

  tcb.recovery.on_ack({.una = tcb.snd_una,
                       .nxt = tcb.snd_nxt,
                       .acked_bytes = acked,
                       .flight_before = flight_before,
                       .is_duplicate = tcb.sack_ok ? has_new_sack : plain_duplicate,
                       .has_sack = tcb.sack_ok,
                       .now = now},
                      tcb.scoreboard, *tcb.congestion);
  if (phase_before == Recovery::Phase::Fast || tcb.recovery.phase() == Recovery::Phase::Fast)
    tcb.delivered_uncounted = 0;
  else
    count_delivered(tcb, delivered, acked_data, flight_before, now);
  take_window(tcb, segment, now);
  if (acked_data > 0) actions.writable();
}

void note_accepted(Tcb& tcb, const Segment& segment, Instant now) {
  const std::uint32_t per_segment = (segment.payload_size + segment.segment_count - 1) / segment.segment_count;
  tcb.rcv_mss = std::max(tcb.rcv_mss, per_segment);
  // Every second segment of full size; small ones may wait for company or for the timer.
  if (segment.segment_count > 1 || segment.payload_size >= tcb.rcv_mss) tcb.unacked_segments += segment.segment_count;
  const bool two_full = tcb.unacked_segments >= 2 || tcb.rcv_nxt - tcb.last_ack_sent >= 2 * tcb.rcv_mss;
  if (two_full || !tcb.out_of_order.empty()) {
    tcb.ack_now = true;
  } else if (tcb.timers.delayed_ack == kNever) {
    tcb.timers.delayed_ack = now + tcb.config->delayed_ack;
  }
}

void challenge_ack(Tcb& tcb, Instant now) {
  if (tcb.challenge_acks.take(now)) tcb.ack_now = true;
}

void on_ack_sent(Tcb& tcb) {
  tcb.ack_now = false;
  tcb.window_update_due = false;
  tcb.unacked_segments = 0;
  tcb.timers.delayed_ack = kNever;
  tcb.last_ack_sent = tcb.rcv_nxt;
}

}  // namespace stack::tcp
