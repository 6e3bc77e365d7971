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

}  // namespace stack::tcp
