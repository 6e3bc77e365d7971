#include "stack/tcp/input_syn_sent.hpp"

#include <array>

#include "stack/tcp/ack.hpp"
#include "stack/tcp/handshake.hpp"
#include "stack/tcp/input_synchronized.hpp"
#include "stack/tcp/window.hpp"

namespace stack::tcp {
namespace {

Step check_our_syn(Tcb& tcb, Segment& segment, Actions& actions, Instant) {
  if (!segment.ack()) return Step::Continue;
  if (segment.ack_number.after(tcb.iss) && segment.ack_number.at_or_before(tcb.snd_nxt)) return Step::Continue;
  if (!segment.rst()) actions.reset_peer(segment.ack_number);
  actions.drop(segment, Drop::TcpUnacceptable);
  return Step::Stop;
}

Step check_refusal(Tcb&, Segment& segment, Actions& actions, Instant) {
  if (!segment.rst()) return Step::Continue;
  if (segment.ack())
    actions.close(Error::ConnectionRefused);
  else
    actions.drop(segment, Drop::TcpUnacceptable);
  return Step::Stop;
}

Step take_syn(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  if (!segment.syn()) {
    actions.drop(segment, Drop::TcpUnacceptable);
    return Step::Stop;
  }
  tcb.begin_receive(segment.seq);
  on_window_announced(tcb, window_field(tcb, true), true);  // our SYN did
  negotiate(tcb, segment.options, now);
  tcb.snd_wl1 = segment.seq;
  tcb.snd_wl2 = tcb.iss;
  tcb.snd_wnd = tcb.max_snd_wnd = segment.window_bytes(tcb.snd_scale);
  tcb.update_mss();
  if (segment.ack()) {
    process_ack(tcb, segment, actions, now);
    tcb.begin_transfer();
    tcb.ack_now = true;
    actions.enter(State::Established);
    if (!actions.established(segment)) return Step::Stop;
    if (tcb.fin_queued) actions.enter(State::FinWait1);
  } else {
    // Simultaneous open: our SYN is sent again, now with an ACK. Its data, if any, will be repeated.
    actions.enter(State::SynReceived);
    tcb.scoreboard.mark_all_lost(false);
    return Step::Stop;
  }
  return Step::Continue;
}

// What follows the SYN in a SYN-ACK is ordinary data.
Step take_rest(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  segment.take_syn();
  trim_to_window(tcb, segment);
  if (take_text(tcb, segment, actions, now) == Step::Continue) take_fin(tcb, segment, actions, now);
  return Step::Stop;
}

}  // namespace

void input_syn_sent(Tcb& tcb, Segment& segment, Actions& actions, Instant now) {
  constexpr std::array kSynSentSteps{check_our_syn, check_refusal, take_syn, take_rest};
  for (const auto step : kSynSentSteps)
    if (step(tcb, segment, actions, now) == Step::Stop) return;
}

}  // namespace stack::tcp
