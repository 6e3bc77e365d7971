// What two SYNs agree on (RFC 9293 3.7.1, RFC 7323 2.2 and 3.2, RFC 2018 2): the options of ours, and the meaning of
// theirs. Shared by input_listen, input_syn_sent, SYN cookies and output. And what an ACK brings back of a handshake
// that a SYN cookie kept no state of.
#pragma once

#include "stack/tcp/segment.hpp"
#include "stack/tcp/syn_cookie.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

// Takes the options of the peer's SYN. What this side does not offer, or did not, is not agreed on.
void negotiate(Tcb& tcb, const wire::TcpOptions& peer, Instant now);

// The options of our SYN, or of our SYN-ACK, which repeats only what the peer offered.
wire::TcpOptions syn_options(const Tcb& tcb, Instant now);

// The Tcb as the SYN and our SYN-ACK would have left it, from the ACK of that SYN-ACK: sequence numbers, options and
// windows. Data of the ACK is not taken.
void restore_from_cookie(Tcb& tcb, const Segment& ack, const SynCookies::Restored& cookie, Instant now);

// The MSS to announce: what the interface takes, without headers, options not considered (RFC 9293 3.7.1, RFC 6691).
inline std::uint16_t announced_mss(const Tcb& tcb) {
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(tcb.path_mss, 65'535));
}

}  // namespace stack::tcp
