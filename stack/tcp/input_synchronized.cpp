#include "stack/tcp/input_synchronized.hpp"

#include <array>

#include "stack/tcp/ack.hpp"
#include "stack/tcp/window.hpp"

namespace stack::tcp {
namespace {

// RFC 7323 5.5: a timestamp this old says nothing any more.
constexpr Duration kTimestampLifetime = 24h * 24;

// RFC 7323 5.3 R1: older than what we echo, if that still says something.
bool is_outdated(const Tcb& tcb, const wire::Timestamps& timestamps, Instant now) {
  return Seq{timestamps.value}.before(Seq{tcb.ts_recent}) && now - tcb.ts_recent_at <= kTimestampLifetime;
}

// RFC 5961 5.2: neither unsent nor older than any window of the peer's could explain.
bool is_ack_plausible(const Tcb& tcb, const Segment& segment) {
  return segment.ack() && !segment.ack_number.after(tcb.snd_nxt) &&
         !segment.ack_number.before(tcb.snd_una - tcb.max_snd_wnd);
}

// RFC 7323 4.3 (2): only a segment that covers what we last acknowledged tells the timestamp to echo.
void update_ts_recent(Tcb& tcb, const Segment& segment, Instant now) {
  if (!tcb.timestamps_ok || !segment.options.timestamps) return;
  // Whoever does not know what we have sent may not say which timestamps are old from now on.
  if (!is_ack_plausible(tcb, segment)) return;
  tcb.timestamps_seen = true;
  if (segment.seq.after(tcb.last_ack_sent) || is_outdated(tcb, *segment.options.timestamps, now)) return;
  tcb.ts_recent = segment.options.timestamps->value;
  tcb.ts_recent_at = now;
}

void complete_handshake(Tcb& tcb, const Segment& segment, Actions& actions, Instant now) {
  tcb.snd_wnd = tcb.max_snd_wnd = segment.window_bytes(tcb.snd_scale);
  tcb.snd_wl1 = segment.seq;
  tcb.snd_wl2 = segment.ack_number;
  process_ack(tcb, segment, actions, now);
  tcb.begin_transfer();
  actions.enter(State::Established);
}

// What an acknowledged FIN means. False: the connection is over.
bool on_fin_acknowledged(Tcb& tcb, Actions& actions, Instant now) {
  switch (tcb.state) {
    case State::FinWait1:
      actions.enter(State::FinWait2);
      return true;
    case State::Closing:
      tcb.timers.time_wait = now + tcb.config->time_wait;
      actions.enter(State::TimeWait);
      return true;
    case State::LastAck:
      actions.close(Error::None);
      return false;
    default:
      return true;
  }
}

// False: there is no memory for it; then it is as if it had not come.
bool accept_payload(Tcb& tcb, Segment& segment, Instant now) {
  if (segment.packet && !tcb.received.push(segment.packet)) return false;
  tcb.rcv_nxt += segment.payload_size;
  note_accepted(tcb, segment, now);
  while (auto next = tcb.out_of_order.take_next(tcb.rcv_nxt)) {
    tcb.rcv_nxt += next->size;
    tcb.received.push(std::move(*next));
    tcb.ack_now = true;
  }
  return true;
}

}  // namespace

// SYN_RCVD: the SYN again means that our SYN-ACK was lost; the SYN-ACK of a simultaneous open counts as its ACK.
Step check_repeated_syn(Tcb& tcb, Segment& segment, Actions& actions, Instant) {
  if (tcb.state != State::SynReceived || !segment.syn() || segment.seq != tcb.irs || segment.rst())
    return Step::Continue;
  if (segment.ack()) {
    segment.take_syn();
    return Step::Continue;
  }
  tcb.scoreboard.mark_all_lost(false);
  actions.drop(segment, Drop::TcpUnacceptable);
  return Step::Stop;
}

// A peer that agreed on timestamps and then sends none (3.2: SHOULD be dropped). Hosts and middleboxes that do so from
// the third ACK on are taken as they are, by others too: nothing of theirs was ever stamped. One that has sent a
// timestamp must go on.
Step check_missing_timestamp(Tcb& tcb, Segment& segment, Actions& actions) {
  if (segment.syn() || !tcb.timestamps_seen) return Step::Continue;  // a SYN gets its challenge ACK
  actions.drop(segment, Drop::TcpTimestampMissing);
  return Step::Stop;
}

// RFC 7323 5.3 R1, before the sequence test and not for RST.
Step check_timestamp(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  if (!tcb.timestamps_ok || segment.rst()) return Step::Continue;
  if (!segment.options.timestamps) return check_missing_timestamp(tcb, segment, actions);
  if (!is_outdated(tcb, *segment.options.timestamps, now)) return Step::Continue;
  if (segment.payload_size > 0 || segment.fin())
    tcb.ack_now = true;
  else
    challenge_ack(tcb, now);
  actions.drop(segment, Drop::TcpPaws);
  return Step::Stop;
}

Step check_sequence(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  if (is_acceptable(tcb, segment)) {
    if (segment.rst() || segment.syn()) return Step::Continue;  // judged as they are
    update_ts_recent(tcb, segment, now);
    if (segment.payload_size > 0 && segment.seq.before(tcb.rcv_nxt)) {  // partly old: RFC 2883 4
      tcb.out_of_order.note_duplicate(segment.data_begin(), earlier(tcb.rcv_nxt, segment.data_end()));
      tcb.ack_now = true;
    }
    trim_to_window(tcb, segment);
    return Step::Continue;
  }
  if (segment.rst()) {  // RFC 5961 3.2 (1): outside the window, silently
    actions.drop(segment, Drop::TcpUnacceptable);
    return Step::Stop;
  }
  // A probe into our closed window: its acknowledgement counts, its bytes do not (RFC 9293 3.10.7.4).
  if (segment.seq == tcb.rcv_nxt && tcb.rcv_wnd() == 0 && !segment.syn()) {
    tcb.ack_now = true;
    trim_to_window(tcb, segment);
    return Step::Continue;
  }
  if (segment.payload_size > 0 || segment.fin()) {
    tcb.ack_now = true;
    if (segment.payload_size > 0 && segment.data_end().at_or_before(tcb.rcv_nxt))
      tcb.out_of_order.note_duplicate(segment.data_begin(), segment.data_end());
    if (tcb.state == State::TimeWait && segment.fin()) tcb.timers.time_wait = now + tcb.config->time_wait;
  } else {
    challenge_ack(tcb, now);
  }
  actions.drop(segment, Drop::TcpUnacceptable);
  return Step::Stop;
}

Step check_reset(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  if (!segment.rst()) return Step::Continue;
  if (tcb.state == State::TimeWait) {  // RFC 1337
    actions.drop(segment, Drop::TcpUnacceptable);
  } else if (segment.seq != tcb.rcv_nxt) {  // in the window but not exact: RFC 5961 3.2 (3)
    challenge_ack(tcb, now);
    actions.drop(segment, Drop::TcpUnacceptable);
  } else {
    const bool was_refused = tcb.state == State::SynReceived && tcb.is_active_open;
    const bool is_over = tcb.state == State::Closing || tcb.state == State::LastAck;
    actions.close(was_refused ? Error::ConnectionRefused : is_over ? Error::None : Error::ConnectionReset);
  }
  return Step::Stop;
}

// RFC 5961 4.2: whatever its sequence number.
Step check_syn(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  if (!segment.syn()) return Step::Continue;
  challenge_ack(tcb, now);
  actions.drop(segment, Drop::TcpUnacceptable);
  return Step::Stop;
}

Step check_ack(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  if (!segment.ack()) {
    actions.drop(segment, Drop::TcpUnacceptable);
    return Step::Stop;
  }
  const Seq ack = segment.ack_number;
  if (tcb.state == State::SynReceived) {
    if (!ack.after(tcb.snd_una) || ack.after(tcb.snd_nxt)) {
      actions.reset_peer(ack);
      actions.drop(segment, Drop::TcpUnacceptable);
      return Step::Stop;
    }
    complete_handshake(tcb, segment, actions, now);
    if (!actions.established(segment)) return Step::Stop;
    if (tcb.fin_queued) actions.enter(State::FinWait1);
    return Step::Continue;
  }
  if (!is_ack_plausible(tcb, segment)) {
    challenge_ack(tcb, now);
    actions.drop(segment, Drop::TcpUnacceptable);
    return Step::Stop;
  }
  if (ack.before(tcb.snd_una)) return Step::Continue;  // old, but its text may be new
  const bool fin_was_open = !tcb.fin_acked();
  process_ack(tcb, segment, actions, now);
  if (fin_was_open && tcb.fin_acked() && !on_fin_acknowledged(tcb, actions, now)) return Step::Stop;
  return Step::Continue;
}

Step take_text(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  if (segment.payload_size == 0) return Step::Continue;
  if (!may_receive_data(tcb.state)) {  // the stream has ended: these bytes cannot exist
    actions.drop(segment, Drop::TcpAfterClose);
    return Step::Stop;
  }
  if (tcb.reader_gone) {
    actions.drop(segment, Drop::TcpAfterClose);
    actions.abort(Error::ConnectionAborted);
    return Step::Stop;
  }
  if (segment.seq == tcb.rcv_nxt) {
    if (!accept_payload(tcb, segment, now)) {
      tcb.ack_now = true;
      actions.drop(segment, Drop::ReceiveMemory);
      return Step::Stop;
    }
    actions.readable();
    return Step::Continue;
  }
  tcb.ack_now = true;  // RFC 5681 4.2
  if (!segment.packet) return Step::Continue;
  const auto added = tcb.out_of_order.add(segment.seq, segment.packet);
  if (added == OutOfOrder::Added::Full || added == OutOfOrder::Added::NoMemory) {
    const bool is_full = added == OutOfOrder::Added::Full;
    actions.drop(segment, is_full ? Drop::TcpOutOfOrderLimit : Drop::ReceiveMemory);
    return Step::Stop;
  }
  return Step::Continue;
}

Step take_fin(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  const bool is_here = segment.fin() && segment.data_end() == tcb.rcv_nxt;
  if (segment.fin() && !is_here && segment.data_end().after(tcb.rcv_nxt)) {
    tcb.out_of_order.set_fin(segment.data_end());
    tcb.ack_now = true;
  }
  if (tcb.fin_received || (!is_here && !tcb.out_of_order.fin_reached(tcb.rcv_nxt))) return Step::Continue;
  tcb.fin_received = true;
  tcb.rcv_nxt += 1;
  tcb.rcv_adv = later(tcb.rcv_adv, tcb.rcv_nxt);
  tcb.ack_now = true;
  switch (tcb.state) {
    case State::SynReceived:
    case State::Established:
      actions.enter(State::CloseWait);
      break;
    case State::FinWait1:
      actions.enter(State::Closing);
      break;
    case State::FinWait2:
      tcb.timers.time_wait = now + tcb.config->time_wait;
      actions.enter(State::TimeWait);
      break;
    default:
      break;
  }
  actions.readable();
  return Step::Stop;
}

void input_synchronized(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  constexpr std::array kSynchronizedSteps{check_repeated_syn, check_timestamp, check_sequence, check_reset,
                                          check_syn,          check_ack,       take_text,      take_fin};
  tcb.last_received_at = now;
  tcb.keep_alive_unanswered = 0;
  for (const auto step : kSynchronizedSteps)
    if (step(tcb, segment, actions, now) == Step::Stop) return;
}

}  // namespace stack::tcp
