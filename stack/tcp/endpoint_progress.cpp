// What moves a connection on: segments, deadlines, path events, the application's requests; and its end.
#include "stack/tcp/endpoint.hpp"
#include "stack/tcp/input_syn_sent.hpp"
#include "stack/tcp/input_synchronized.hpp"
#include "stack/tcp/retransmit.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {
namespace {

bool is_open_for_writing(State state) {
  return state == State::SynSent || state == State::SynReceived || state == State::Established ||
         state == State::CloseWait;
}

Error error_of(ip::PathEvent::Kind kind) {
  using Kind = ip::PathEvent::Kind;
  switch (kind) {
    case Kind::PortUnreachable:
    case Kind::ProtocolUnreachable:
      return Error::ConnectionRefused;
    case Kind::NetUnreachable:
      return Error::NetworkUnreachable;
    default:
      return Error::HostUnreachable;
  }
}

}  // namespace

void Endpoint::receive(Segment& segment, Instant now) {
  now_ = now;
  const Seq una = tcb_.snd_una;
  if (tcb_.state == State::SynSent)
    input_syn_sent(tcb_, segment, *this, now);
  else
    input_synchronized(tcb_, segment, *this, now);
  if (tcb_.received.has_lent()) tcp_->note_lent(*this);
  if (tcb_.snd_una != una && route_) tcp_->parts_.ip.confirm_reachable(*route_, now);
  apply_requests(now);
  output(now);
  settle(now);
}

void Endpoint::on_deadline(Instant now) {
  now_ = now;
  if (tcb_.timers.next() <= now) {
    on_timers(tcb_, *this, now);
    if (tcb_.state != State::Closed) writable();
    output(now);
  }
  settle(now);
}

void Endpoint::run(Instant now) {
  now_ = now;
  const bool is_wanted = !wanted_.close && !wanted_.abort;
  if (opening_ == Opening::Bind && is_wanted && !is_asked_) {
    is_asked_ = true;
    tcp_->advance_open(*this);
  }
  if (opening_ == Opening::Syn && is_wanted) begin_active_open(now);
  apply_requests(now);
  if (std::exchange(waiting_.for_blocks, false)) retry_output(now);
  output(now);
  settle(now);
}

void Endpoint::begin_active_open(Instant now) {
  opening_ = Opening::Done;
  tcb_.is_active_open = true;
  tcb_.ts_offset = tcp_->isn_.timestamp_offset(tuple_);
  tcb_.begin_send(tcp_->isn_.make(tuple_, now));
  enter(State::SynSent);
}

// About a segment in flight, see Tcp::sender_of. RFC 5927 5.2: no error ends an established connection.
void Endpoint::on_path_event(const ip::PathEvent& event, Instant now) {
  now_ = now;
  if (event.kind == ip::PathEvent::Kind::PacketTooBig) {
    const std::uint32_t path_mss = path_mss_of(event.mtu, tcb_.family);
    if (path_mss < tcb_.path_mss) on_path_mtu(tcb_, path_mss);
  } else {
    soft_error_ = error_of(event.kind);
    const bool is_opening = tcb_.state == State::SynSent || (tcb_.state == State::SynReceived && tcb_.is_active_open);
    if (event.is_hard && is_opening) close(soft_error_);
  }
  wake();
}

// --- requests ---

void Endpoint::queue_fin() {
  if (tcb_.fin_queued) return;
  tcb_.fin_queued = true;  // before the handshake is complete it waits (RFC 9293 3.10.4)
  if (tcb_.state == State::Established)
    enter(State::FinWait1);
  else if (tcb_.state == State::CloseWait)
    enter(State::LastAck);
}

void Endpoint::apply_close(Instant now) {
  is_app_done_ = true;
  tcb_.reader_gone = true;
  switch (tcb_.state) {
    case State::Closed:
      opening_ = Opening::Done;
      return;
    case State::SynSent:
      return close(Error::None);
    case State::TimeWait:
      return;
    default:
      break;
  }
  // Bytes that nobody will read: the peer must learn of it (RFC 9293 3.6.1).
  if (!tcb_.received.empty()) return abort(Error::ConnectionAborted);
  queue_fin();
  tcb_.timers.orphan = now + tcb_.config->orphan_timeout;
}

void Endpoint::apply_requests(Instant now) {
  if (std::exchange(wanted_.flow_abort, false) && tcb_.state != State::Closed) abort(Error::ConnectionAborted);
  if (wanted_.abort) {
    wanted_ = {};
    is_app_done_ = true;
    if (tcb_.state != State::Closed)
      abort(Error::ConnectionAborted);
    else
      opening_ = Opening::Done;
    return;
  }
  if (wanted_.finish && opening_ == Opening::Done) {
    wanted_.finish = false;
    if (is_open_for_writing(tcb_.state)) queue_fin();
  }
  if (std::exchange(wanted_.close, false) && !is_app_done_) apply_close(now);
}

// The endpoint goes when the application is done and only the peer's FIN, or its second copy, is awaited.
void Endpoint::settle(Instant now) {
  if (!registration_.is_live) return;
  if (tcb_.state == State::Closed) {
    if (opening_ == Opening::Done) tcp_->release(*this, now, false);
    return;
  }
  const bool only_waits = tcb_.state == State::FinWait2 || tcb_.state == State::TimeWait;
  if (is_app_done_ && only_waits && !tcb_.ack_now)
    tcp_->release(*this, now, true);
  else
    tcp_->schedule(*this);
}

}  // namespace stack::tcp
