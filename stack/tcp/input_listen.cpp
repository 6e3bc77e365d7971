#include "stack/tcp/input_listen.hpp"

#include "stack/tcp/handshake.hpp"
#include "stack/tcp/window.hpp"

namespace stack::tcp {

ListenVerdict judge_for_listener(const Segment& segment) {
  if (segment.rst()) return ListenVerdict::Ignore;
  if (segment.ack()) return ListenVerdict::Reset;
  // SYN and FIN together is nothing that a TCP sends to open a connection.
  return segment.syn() && !segment.fin() ? ListenVerdict::Open : ListenVerdict::Ignore;
}

void accept_syn(Tcb& tcb, const Segment& syn, Seq iss, Instant now) {
  tcb.begin_send(iss);
  tcb.begin_receive(syn.seq);
  negotiate(tcb, syn.options, now);
  tcb.snd_wnd = tcb.max_snd_wnd = syn.window_bytes(tcb.snd_scale);
  tcb.snd_wl1 = syn.seq;
  tcb.snd_wl2 = iss;
  tcb.update_mss();
}

}  // namespace stack::tcp
