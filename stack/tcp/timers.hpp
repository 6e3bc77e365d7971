// The deadlines of one connection. They are data: the module keeps the nearest of each connection in its
// DeadlineQueue and calls retransmit.cpp and keep_alive.cpp when one has come.
#pragma once

#include <algorithm>

#include "stack/base/time.hpp"

namespace stack::tcp {

struct Timers {
  Instant retransmit = kNever;  // something is outstanding (RFC 6298 5)
  Instant persist = kNever;     // nothing is outstanding, something waits, the peer's window is in the way
  Instant give_up = kNever;     // R2 (RFC 9293 3.8.3): no progress until then ends the connection
  Instant orphan = kNever;      // the same for a connection without an application (RFC 6429 4)
  Instant delayed_ack = kNever;
  Instant keep_alive = kNever;
  Instant time_wait = kNever;     // 2 MSL, or the patience of FIN_WAIT_2
  Instant retry_output = kNever;  // no buffer was left to send with

  Instant next() const {
    return std::min({retransmit, persist, give_up, orphan, delayed_ack, keep_alive, time_wait, retry_output});
  }
  void stop_all() { *this = Timers{}; }
};

}  // namespace stack::tcp
