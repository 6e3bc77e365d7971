#include "stack/tcp/keep_alive.hpp"

namespace stack::tcp {

void set_keep_alive(Tcb& tcb, bool on, Instant now) {
  tcb.keep_alive = on;
  tcb.timers.keep_alive = on && tcb.state >= State::Established ? now + tcb.keep_alive_idle : kNever;
}

void on_keep_alive(Tcb& tcb, Actions& actions, Instant now) {
  if (!tcb.keep_alive || tcb.state == State::TimeWait) return;
  const Instant due = tcb.last_received_at + tcb.keep_alive_idle;
  if (tcb.has_outstanding() || tcb.has_unsent() || (tcb.keep_alive_unanswered == 0 && due > now)) {
    tcb.timers.keep_alive = due > now ? due : now + tcb.keep_alive_interval;
    return;
  }
  if (tcb.keep_alive_unanswered >= tcb.keep_alive_count) return actions.abort(Error::TimedOut);
  ++tcb.keep_alive_unanswered;
  tcb.keep_alive_due = true;
  tcb.timers.keep_alive = now + tcb.keep_alive_interval;
}

}  // namespace stack::tcp
