// Everything about TCP that can be set, each with its one default. Plain data; a connection reads it when it opens,
// so a change takes effect for connections opened later. Sizes are bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/time.hpp"

namespace stack::tcp {

enum class CongestionAlgorithm : std::uint8_t { Cubic, NewReno };

struct TcpConfig {
  // --- what is offered on a SYN ---
  bool timestamps = true;      // RFC 7323
  bool sack = true;            // RFC 2018
  bool window_scaling = true;  // RFC 7323

  // --- bounds ---
  std::size_t receive_buffer = 4 << 20;  // of a connection; decides the window scale
  std::size_t send_buffer = 4 << 20;
  std::size_t connection_limit = 65'536;
  std::size_t listener_limit = 1'024;
  std::size_t syn_backlog = 1'024;     // half-open connections of one listener; beyond it SYN cookies, or a drop
  std::size_t accept_backlog = 4'096;  // finished handshakes of one listener that its application has not seen
  std::size_t time_wait_limit = 32'768;
  std::size_t pended_syn_limit = 1'024;
  std::size_t send_memory = std::size_t{128} << 20;  // of unacknowledged bytes that were copied, over all connections
  bool syn_cookies = true;                           // RFC 4987 3.6

  // --- times ---
  Duration rto_initial = 1s;       // RFC 6298 2.1
  Duration rto_min = 200ms;        // RFC 6298 2.4 recommends 1 s; see README, Departures
  Duration rto_max = 60s;          // RFC 6298 2.5
  Duration delayed_ack = 40ms;     // RFC 9293 3.8.6.3: below 0.5 s
  Duration time_wait = 60s;        // 2 * MSL
  Duration fin_wait_2 = 60s;       // without an application that could still read
  Duration give_up_after = 120s;   // R2 of RFC 9293 3.8.3, at least 100 s
  Duration syn_timeout = 190s;     // R2 of a SYN, at least 3 minutes
  unsigned syn_ack_retries = 5;    // of a half-open connection that a peer began
  Duration orphan_timeout = 120s;  // a closed connection whose peer keeps its window shut (RFC 6429 4)
  Duration keep_alive_idle = 2h;   // RFC 9293 3.8.4; off unless the application asks
  Duration keep_alive_interval = 75s;
  unsigned keep_alive_count = 9;

  // --- behaviour ---
  CongestionAlgorithm congestion = CongestionAlgorithm::Cubic;
  unsigned initial_window_segments = 10;    // RFC 6928
  bool large_send = true;                   // segments larger than the path's, where the route allows them
  unsigned challenge_acks_per_second = 10;  // of one connection, and as many at once; RFC 5961 7
  std::uint16_t ephemeral_first = 49'152;   // RFC 6056: the range of random local ports
  std::uint16_t ephemeral_last = 65'535;
};

}  // namespace stack::tcp
