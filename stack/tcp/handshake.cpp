#include "stack/tcp/handshake.hpp"

#include "stack/tcp/window.hpp"

namespace stack::tcp {

void negotiate(Tcb& tcb, const wire::TcpOptions& peer, Instant now) {
  if (peer.mss && *peer.mss > 0) tcb.peer_mss = *peer.mss;
  tcb.sack_ok = tcb.config->sack && peer.sack_permitted;
  tcb.timestamps_ok = tcb.config->timestamps && peer.timestamps.has_value();
  if (tcb.timestamps_ok) {
    tcb.ts_recent = peer.timestamps->value;
    tcb.ts_recent_at = now;
  }
  tcb.window_scale_ok = tcb.config->window_scaling && peer.window_scale.has_value();
  tcb.snd_scale = tcb.window_scale_ok ? std::min(*peer.window_scale, kMaxWindowScale) : std::uint8_t{0};
  tcb.rcv_scale = tcb.window_scale_ok ? window_scale_for(tcb.receive_limit) : std::uint8_t{0};
}

wire::TcpOptions syn_options(const Tcb& tcb, Instant now) {
  const bool is_reply = tcb.state == State::SynReceived;
  wire::TcpOptions options;
  options.mss = announced_mss(tcb);
  options.sack_permitted = is_reply ? tcb.sack_ok : tcb.config->sack;
  if (is_reply ? tcb.timestamps_ok : tcb.config->timestamps)
    options.timestamps = wire::Timestamps{tcb.timestamp(now), is_reply ? tcb.ts_recent : 0};
  if (is_reply ? tcb.window_scale_ok : tcb.config->window_scaling)
    options.window_scale = window_scale_for(tcb.receive_limit);
  return options;
}

void restore_from_cookie(Tcb& tcb, const Segment& ack, const SynCookies::Restored& cookie, Instant now) {
  tcb.begin_send(ack.ack_number - 1);
  tcb.snd_una = tcb.snd_nxt = ack.ack_number;
  tcb.begin_receive(ack.seq - 1);
  wire::TcpOptions syn;
  syn.mss = cookie.mss;
  syn.timestamps = ack.options.timestamps;
  syn.window_scale = cookie.window_scale;
  syn.sack_permitted = cookie.sack_permitted;
  negotiate(tcb, syn, now);
  on_window_announced(tcb, window_field(tcb, true), true);
  tcb.snd_wnd = tcb.max_snd_wnd = ack.window_bytes(tcb.snd_scale);
  tcb.snd_wl1 = ack.seq;
  tcb.snd_wl2 = ack.ack_number;
}

}  // namespace stack::tcp
