// A segment in SYN_SENT (RFC 9293 3.10.7.3): the SYN-ACK, a simultaneous SYN, a refusal, or something old.
#pragma once

#include "stack/tcp/actions.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

void input_syn_sent(Tcb& tcb, Segment& segment, Actions& actions, Instant now);

}  // namespace stack::tcp
