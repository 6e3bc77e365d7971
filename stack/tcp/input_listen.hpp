// A segment for a listener (RFC 9293 3.10.7.2): what kind it is, and how a SYN becomes the beginning of a connection.
// Who may connect, and whether there is room, is decided by admission.cpp.
#pragma once

#include "stack/tcp/segment.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

enum class ListenVerdict : std::uint8_t {
  Ignore,  // RST, or something without SYN, ACK or RST
  Reset,   // an ACK of something that was never sent; or a SYN cookie
  Open,    // a SYN
};
ListenVerdict judge_for_listener(const Segment& segment);

// The Tcb of a connection that a SYN opens, with our first sequence number; the SYN-ACK is due. Data on the SYN is
// not taken (its sender repeats it, because the SYN-ACK acknowledges the SYN alone).
void accept_syn(Tcb& tcb, const Segment& syn, Seq iss, Instant now);

}  // namespace stack::tcp
