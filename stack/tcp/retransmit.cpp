#include "stack/tcp/retransmit.hpp"

#include "stack/tcp/keep_alive.hpp"

namespace stack::tcp {
namespace {

bool has_come(Instant& deadline, Instant now) {
  if (deadline > now) return false;
  deadline = kNever;
  return true;
}

// The handshake: the SYN or SYN-ACK again.
void on_syn_timeout(Tcb& tcb, Actions& actions) {
  ++tcb.syn_retransmissions;
  if (tcb.state == State::SynReceived && !tcb.is_active_open &&
      tcb.syn_retransmissions > tcb.config->syn_ack_retries) {
    actions.close(Error::TimedOut);
    return;
  }
  tcb.rtt.back_off();
  tcb.scoreboard.mark_all_lost(false);
}

void on_retransmit_timeout(Tcb& tcb, Actions& actions, Instant now) {
  if (tcb.state == State::SynSent || tcb.state == State::SynReceived) return on_syn_timeout(tcb, actions);
  if (tcb.snd_wnd == 0) {
    // Not loss but a closed window: the probe again, at its own pace and without blaming the path.
    ++tcb.persist_probes;
    tcb.override_sws = true;
    tcb.scoreboard.mark_front_lost(1);
    tcb.timers.retransmit = now + tcb.rtt.rto_after(tcb.persist_probes);
    return;
  }
  tcb.rtt.back_off();
  tcb.recovery.on_timeout(tcb.snd_una, tcb.snd_nxt, tcb.scoreboard, *tcb.congestion, now);
}

void on_persist(Tcb& tcb) {
  ++tcb.persist_probes;
  tcb.override_sws = true;
}

}  // namespace

void on_timers(Tcb& tcb, Actions& actions, Instant now) {
  Timers& timers = tcb.timers;
  has_come(timers.retry_output, now);
  if (has_come(timers.give_up, now)) return actions.close(Error::TimedOut);
  if (has_come(timers.orphan, now)) return actions.abort(Error::TimedOut);
  if (has_come(timers.time_wait, now)) return actions.close(Error::None);
  if (has_come(timers.delayed_ack, now)) tcb.ack_now = true;
  if (has_come(timers.retransmit, now)) on_retransmit_timeout(tcb, actions, now);
  if (has_come(timers.persist, now)) on_persist(tcb);
  if (tcb.state != State::Closed && has_come(timers.keep_alive, now)) on_keep_alive(tcb, actions, now);
}

void on_path_mtu(Tcb& tcb, std::uint32_t path_mss) {
  const std::uint32_t before = tcb.mss();
  tcb.path_mss = path_mss;
  tcb.update_mss();
  if (tcb.mss() >= before || !is_synchronized(tcb.state)) return;
  if (tcb.scoreboard.outstanding_bytes() > tcb.mss()) tcb.scoreboard.mark_all_lost(false);
}

}  // namespace stack::tcp
