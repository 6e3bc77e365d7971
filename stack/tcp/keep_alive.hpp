// Keep-alives (RFC 9293 3.8.4): off unless the application asks; only when nothing is outstanding; one lost probe
// means nothing, `keep_alive_count` of them in a row end the connection.
#pragma once

#include "stack/tcp/actions.hpp"
#include "stack/tcp/tcb.hpp"

namespace stack::tcp {

// The application switched it on or off, or the connection was established.
void set_keep_alive(Tcb& tcb, bool on, Instant now);

// The deadline came: a probe, a later deadline because something was received meanwhile, or the end.
void on_keep_alive(Tcb& tcb, Actions& actions, Instant now);

}  // namespace stack::tcp
