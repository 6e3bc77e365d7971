#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

Tcb::Tcb(const TcpConfig& configuration, Family address_family, std::shared_ptr<Teller> teller)
    : config(&configuration),
      family(address_family),
      send(configuration.send_buffer),
      receive_limit(configuration.receive_buffer),
      memory(std::move(teller)),
      received(memory),
      out_of_order(memory),
      peer_mss(address_family == Family::V4 ? kDefaultMssV4 : kDefaultMssV6),
      path_mss(peer_mss),
      rtt({configuration.rto_initial, configuration.rto_min, configuration.rto_max}),
      congestion(make_congestion(configuration.congestion, peer_mss)),
      challenge_acks(configuration.challenge_acks_per_second, configuration.challenge_acks_per_second),
      keep_alive_idle(configuration.keep_alive_idle),
      keep_alive_interval(configuration.keep_alive_interval),
      keep_alive_count(configuration.keep_alive_count),
      give_up_after(configuration.give_up_after) {}

std::uint32_t Tcb::max_payload(std::uint32_t options_size) const {
  return std::max(std::min(peer_mss, path_mss), kSmallestMss) - options_size;
}

void Tcb::begin_send(Seq first) {
  iss = first;
  snd_una = first;
  snd_nxt = first;
  buffer_begin = first + 1;
  snd_small_end = first;
}

void Tcb::begin_receive(Seq first) {
  irs = first;
  rcv_nxt = first + 1;
  rcv_adv = rcv_nxt;
  last_ack_sent = rcv_nxt;
}

std::uint32_t Tcb::initial_window() const {
  const std::uint32_t segments = syn_retransmissions > 1 ? 1 : config->initial_window_segments;
  return std::min(segments * mss(), std::max(2 * mss(), segments * 1'460U));
}

void Tcb::begin_transfer() {
  update_mss();
  congestion->set_initial_window(initial_window());
  snd_small_end = snd_una;
  delivered_uncounted = 0;  // the SYN is no data
  if (syn_retransmissions > 0) rtt.raise_after_syn_loss();
}

void Tcb::update_mss() { congestion->set_mss(mss()); }

}  // namespace stack::tcp
