// What the deadlines of sending mean (RFC 6298 5.4 to 5.7, RFC 9293 3.8.3 and 3.8.6.1): retransmission, persist, R2.
// They mark what is to be sent; output.cpp sends it.
#pragma once

#include "stack/tcp/actions.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

// Handles every deadline of `tcb` that has come, keep-alive and TIME_WAIT included. Afterwards output is due.
void on_timers(Tcb& tcb, Actions& actions, Instant now);

// The path takes less than the last segments had: everything outstanding goes out again in smaller ones, without
// blaming congestion (RFC 1191 6.4, RFC 8201 5.4). Once for each real decrease.
void on_path_mtu(Tcb& tcb, std::uint32_t path_mss);

}  // namespace stack::tcp
