// A segment in SYN_RCVD and every later state: RFC 9293 3.10.7.4 as an ordered list of steps, with the additions of
// RFC 7323 (PAWS comes first) and RFC 5961 (challenge ACKs). Its security step is left out, urgent data is read as
// ordinary data.
#pragma once

#include "stack/tcp/actions.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

void input_synchronized(Tcb& tcb, Segment& segment, Actions& actions, Instant now);

// The steps, in their order. Each may stop the processing.
Step check_repeated_syn(Tcb& tcb, Segment& segment, Actions& actions, Instant now);  // SYN_RCVD only
Step check_timestamp(Tcb& tcb, Segment& segment, Actions& actions, Instant now);     // PAWS
Step check_sequence(Tcb& tcb, Segment& segment, Actions& actions, Instant now);
Step check_reset(Tcb& tcb, Segment& segment, Actions& actions, Instant now);
Step check_syn(Tcb& tcb, Segment& segment, Actions& actions, Instant now);
Step check_ack(Tcb& tcb, Segment& segment, Actions& actions, Instant now);
Step take_text(Tcb& tcb, Segment& segment, Actions& actions, Instant now);
Step take_fin(Tcb& tcb, Segment& segment, Actions& actions, Instant now);

}  // namespace stack::tcp
