// Acknowledgements, both ways: what one that arrived means for everything that was sent, and when to send one of our
// own.
#pragma once

#include "stack/tcp/actions.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

// SEG.ACK lies in [SND.UNA, SND.NXT]. Frees what it acknowledges, takes a round-trip sample, feeds recovery and
// congestion control, updates the send window and restarts or stops the timers.
void process_ack(Tcb& tcb, const Segment& segment, Actions& actions, Instant now);

// Payload was accepted in order: acknowledge now or soon (RFC 9293 3.8.6.3, RFC 5681 4.2).
void note_accepted(Tcb& tcb, const Segment& segment, Instant now);

// Asks for an ACK that answers something suspect, unless this connection has sent too many of them (RFC 5961 7). The
// limit is each connection's own, so that nobody can observe it from another.
void challenge_ack(Tcb& tcb, Instant now);

// An ACK has left.
void on_ack_sent(Tcb& tcb);

}  // namespace stack::tcp
