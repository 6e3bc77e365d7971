#include "stack/tcp/output.hpp"

#include <algorithm>

#include "stack/tcp/ack.hpp"
#include "stack/tcp/handshake.hpp"
#include "stack/tcp/window.hpp"

namespace stack::tcp {
namespace {

// Everything but sequence number, payload and FIN of a segment in a synchronized state. The report of what arrived
// out of order is read from the queue, so this is called only for segments that will be sent.
OutSegment make_segment(Tcb& tcb, Instant now) {
  OutSegment out;
  out.seq = tcb.acceptable_seq();
  out.ack_number = tcb.rcv_nxt;
  out.flags = flag::kAck;
  out.window = window_field(tcb, false);
  if (tcb.timestamps_ok) out.options.timestamps = wire::Timestamps{tcb.timestamp(now), tcb.ts_recent};
  if (tcb.sack_ok && tcb.out_of_order.has_report()) tcb.out_of_order.report(out.options, tcb.rcv_nxt);
  return out;
}

std::optional<OutSegment> next_syn(Tcb& tcb, Instant now) {
  const bool is_first = tcb.snd_nxt == tcb.iss;
  if (!is_first && !tcb.scoreboard.has_lost()) return std::nullopt;
  OutSegment out;
  out.seq = tcb.iss;
  out.flags = flag::kSyn;
  if (tcb.state == State::SynReceived) {
    out.flags |= flag::kAck;
    out.ack_number = tcb.rcv_nxt;
  }
  out.window = window_field(tcb, true);
  out.options = syn_options(tcb, now);
  out.origin = Origin::TcpSyn;
  out.is_retransmission = !is_first;
  return out;
}

// Fills in a planned range: how much of it is payload, whether it is cut below, PSH and FIN.
OutSegment make_data(Tcb& tcb, Seq begin, std::uint32_t payload_size, bool with_fin, Instant now) {
  OutSegment out = make_segment(tcb, now);
  out.seq = begin;
  out.payload_size = payload_size;
  out.origin = Origin::TcpData;
  const std::uint32_t most = tcb.max_payload(static_cast<std::uint32_t>(out.options.size()));
  if (payload_size > most) out.segment_size = most;
  // The last bytes there are: nothing follows that the peer could wait for (RFC 9293 3.9.1.2).
  if (payload_size > 0 && begin + payload_size == tcb.buffer_end()) out.flags |= flag::kPsh;
  if (with_fin) out.flags |= flag::kFin;
  return out;
}

// Options that this ACK will carry cost payload; a report shrinks the segment by what it needs at the most.
std::uint32_t payload_limit(const Tcb& tcb) {
  constexpr std::uint32_t kFourBlocks = 36, kThreeBlocks = 28;  // padded; with timestamps three fit
  if (!tcb.sack_ok || !tcb.out_of_order.has_report()) return tcb.mss();
  return tcb.mss() - (tcb.timestamps_ok ? kThreeBlocks : kFourBlocks);
}

// The largest packet: whole segments only, so that what is cut below has full size.
std::uint32_t packet_limit(std::uint32_t mss, std::uint32_t large_send_max) {
  return large_send_max > mss ? large_send_max / mss * mss : mss;
}

std::uint32_t congestion_room(const Tcb& tcb) {
  const std::uint32_t cwnd = tcb.congestion->cwnd_bytes();
  const std::uint32_t in_flight = tcb.in_flight();
  return cwnd > in_flight ? cwnd - in_flight : 0;
}

OutSegment make_retransmission(Tcb& tcb, const SentRange& range, Instant now) {
  const Seq data_end = earlier(range.end, tcb.buffer_end());
  const std::uint32_t payload = data_end.after(range.begin) ? data_end - range.begin : 0;
  OutSegment out = make_data(tcb, range.begin, payload, range.end.after(tcb.buffer_end()), now);
  out.is_retransmission = true;
  return out;
}

std::optional<OutSegment> next_retransmission(Tcb& tcb, std::uint32_t large_send_max, Instant now) {
  if (!tcb.scoreboard.has_lost()) return std::nullopt;
  const std::uint32_t mss = payload_limit(tcb);
  std::uint32_t limit = packet_limit(mss, large_send_max);
  if (tcb.snd_wnd == 0) {  // into a closed window goes one probe a timeout, whatever the congestion window says
    if (!std::exchange(tcb.override_sws, false)) return std::nullopt;
    limit = 1;
  } else {
    const std::uint32_t room = congestion_room(tcb);
    const bool forced = tcb.recovery.take_forced_retransmission();
    if (room < mss && !forced && tcb.scoreboard.pipe() > 0) return std::nullopt;
    limit = std::min(limit, std::max(room / mss * mss, mss));
  }
  const auto range = tcb.scoreboard.next_lost(limit);
  return make_retransmission(tcb, *range, now);
}

// RFC 6675 4 NextSeg (3) and (4): in a recovery, when nothing is left that is lost for certain and no new data may go,
// the holes that may be lost; then, once, the end of the flight.
std::optional<OutSegment> next_doubtful(Tcb& tcb, Instant now) {
  if (!tcb.sack_ok || tcb.recovery.phase() != Recovery::Phase::Fast || tcb.snd_wnd == 0) return std::nullopt;
  const std::uint32_t mss = payload_limit(tcb);
  if (congestion_room(tcb) < mss) return std::nullopt;
  auto range = tcb.scoreboard.next_hole(mss);
  if (!range && !tcb.has_unsent() && tcb.recovery.take_rescue()) range = tcb.scoreboard.last_unsacked(mss);
  if (!range) return std::nullopt;
  return make_retransmission(tcb, *range, now);
}

// Nagle's rule after Minshall: a small segment waits while another small one is out (RFC 9293 3.7.4).
bool nagle_allows(const Tcb& tcb) {
  return tcb.no_delay || tcb.fin_queued || tcb.snd_una.at_or_after(tcb.snd_small_end);
}

// With large packets it pays to wait for more room while acknowledgements are certain to come.
bool worth_waiting(const Tcb& tcb, std::uint32_t usable, std::uint32_t packet_max, std::uint32_t mss) {
  if (packet_max <= mss || tcb.recovery.phase() != Recovery::Phase::Open) return false;
  const std::uint32_t cwnd = tcb.congestion->cwnd_bytes();
  return tcb.in_flight() > cwnd / 2 && usable < std::min(packet_max, cwnd / 4);
}

// How many new bytes may leave in one packet. RFC 9293 3.8.6.2.1.
std::uint32_t plan_new_data(const Tcb& tcb, std::uint32_t large_send_max) {
  const std::uint32_t available = tcb.unsent();
  const std::uint32_t mss = payload_limit(tcb);
  const std::uint32_t window = tcb.window_left();
  const std::uint32_t room = congestion_room(tcb);
  const std::uint32_t usable = std::min(window, room);
  const std::uint32_t packet_max = packet_limit(mss, large_send_max);
  if (available == 0 || usable == 0) return 0;
  if (available <= usable) {  // everything fits
    if (available > packet_max) return packet_max;
    if (available % mss == 0 || nagle_allows(tcb)) return available;
    return available / mss * mss;
  }
  if (usable >= mss) {
    if (worth_waiting(tcb, usable, packet_max, mss)) return 0;
    return std::min(usable / mss * mss, packet_max);
  }
  // Less than a segment of room. The congestion window opens by whole segments; the peer's may be small for good.
  if (room < window) return 0;
  const bool half_of_largest = window >= tcb.max_snd_wnd / 2 && !tcb.has_outstanding();
  return half_of_largest || tcb.override_sws ? window : 0;
}

std::optional<OutSegment> next_new_data(Tcb& tcb, std::uint32_t large_send_max, Instant now) {
  if (!may_send_data(tcb.state) || !tcb.has_unsent()) return std::nullopt;
  // After an idle timeout the window says nothing about the path any more (RFC 5681 4.1).
  if (!tcb.has_outstanding() && tcb.last_sent_at != Instant{} && now - tcb.last_sent_at > tcb.rtt.rto())
    tcb.congestion->on_idle(tcb.initial_window(), now);
  const std::uint32_t payload = plan_new_data(tcb, large_send_max);
  const bool reaches_end = tcb.snd_nxt + payload == tcb.buffer_end();
  // A FIN needs one more number of the window; alone it may probe a closed one.
  const bool with_fin =
      tcb.fin_queued && reaches_end && !tcb.fin_sent() && (tcb.window_left() > payload || !tcb.has_outstanding());
  if (payload == 0 && !with_fin) return std::nullopt;
  return make_data(tcb, tcb.snd_nxt, payload, with_fin, now);
}

// The persist timer came: one byte beyond the window, or whatever fits a window too small to be worth it otherwise.
std::optional<OutSegment> next_probe(Tcb& tcb, Instant now) {
  if (!tcb.override_sws || tcb.has_outstanding() || tcb.unsent() == 0) return std::nullopt;
  tcb.override_sws = false;
  const std::uint32_t size = std::min({std::max(tcb.window_left(), 1U), payload_limit(tcb), tcb.unsent()});
  return make_data(tcb, tcb.snd_nxt, size, false, now);
}

// RFC 9293 3.8.4: an old sequence number and no data.
OutSegment make_keep_alive(Tcb& tcb, Instant now) {
  OutSegment out = make_segment(tcb, now);
  out.seq = tcb.snd_nxt - 1;
  return out;
}

}  // namespace

std::optional<OutSegment> next_segment(Tcb& tcb, std::uint32_t large_send_max, Instant now) {
  if (tcb.state == State::SynSent || tcb.state == State::SynReceived) {
    if (auto out = next_syn(tcb, now)) return out;
    if (tcb.state == State::SynReceived && tcb.ack_now) return make_segment(tcb, now);
    return std::nullopt;
  }
  if (!is_synchronized(tcb.state)) return std::nullopt;
  if (auto out = next_retransmission(tcb, large_send_max, now)) return out;
  if (auto out = next_new_data(tcb, large_send_max, now)) return out;
  if (auto out = next_doubtful(tcb, now)) return out;
  if (auto out = next_probe(tcb, now)) return out;
  if (std::exchange(tcb.keep_alive_due, false)) return make_keep_alive(tcb, now);
  if (tcb.ack_now || tcb.window_update_due) return make_segment(tcb, now);
  return std::nullopt;
}

void on_segment_sent(Tcb& tcb, const OutSegment& segment, Instant now) {
  on_window_announced(tcb, segment.window, segment.syn());
  if ((segment.flags & flag::kAck) != 0) on_ack_sent(tcb);
  const Seq end = segment.end();
  if (segment.seq == end || segment.origin == Origin::TcpAck) return;
  // Probes of a closed window have a pace of their own.
  const bool is_probing = tcb.snd_wnd == 0 && tcb.persist_probes > 0;
  const Duration timeout = is_probing ? tcb.rtt.rto_after(tcb.persist_probes) : tcb.rtt.rto();
  if (segment.is_retransmission) {
    const bool is_front = segment.seq == tcb.snd_una;
    tcb.scoreboard.on_retransmitted(segment.seq, end, now);
    if (is_front) tcb.timers.retransmit = now + timeout;  // never again before a whole timeout has passed
  } else {
    tcb.scoreboard.on_sent(segment.seq, end, now);
    tcb.snd_nxt = end;
    // Small because there was no more, not because of a window.
    const Seq data_end = segment.seq + segment.payload_size;
    if (segment.payload_size % tcb.mss() != 0 && data_end == tcb.buffer_end()) tcb.snd_small_end = data_end;
  }
  tcb.last_sent_at = now;
  tcb.timers.persist = kNever;
  if (tcb.timers.retransmit == kNever) tcb.timers.retransmit = now + timeout;
  begin_give_up(tcb, now);
}

void begin_give_up(Tcb& tcb, Instant now) {
  const bool is_syn = tcb.state == State::SynSent;
  if (tcb.timers.give_up == kNever) tcb.timers.give_up = now + (is_syn ? tcb.config->syn_timeout : tcb.give_up_after);
}

void after_output(Tcb& tcb, Instant now) {
  if (!may_send_data(tcb.state) || tcb.has_outstanding() || !tcb.has_unsent()) return;
  if (tcb.timers.persist == kNever) tcb.timers.persist = now + tcb.rtt.rto_after(tcb.persist_probes);
}

OutSegment abort_segment(const Tcb& tcb, Instant now) {
  OutSegment out;
  out.seq = tcb.acceptable_seq();
  out.ack_number = tcb.rcv_nxt;
  out.flags = is_synchronized(tcb.state) ? flag::kRst | flag::kAck : flag::kRst;
  if (tcb.timestamps_ok) out.options.timestamps = wire::Timestamps{tcb.timestamp(now), tcb.ts_recent};
  out.origin = Origin::TcpAbort;
  return out;
}

}  // namespace stack::tcp
