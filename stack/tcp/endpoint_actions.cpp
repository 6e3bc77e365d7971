// What the protocol's steps want done (actions.hpp), carried out.
#include "stack/ip/packet_context.hpp"
#include "stack/tcp/endpoint.hpp"
#include "stack/tcp/keep_alive.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {

void Endpoint::enter(State next) {
  CHECK(is_legal(tcb_.state, next));
  if (registration_.is_half_open && next != State::SynReceived) {
    registration_.is_half_open = false;
    --listener_->half_open_;
  }
  tcb_.state = next;
  record_.state = name_of(next);
  if (next == State::TimeWait) tcb_.timers = Timers{.time_wait = tcb_.timers.time_wait};
  if (next == State::Closed) tcb_.timers.stop_all();
}

bool Endpoint::established(Segment& segment) {
  if (Authorizer* authorizer = tcp_->parts_.hooks.authorizer(); authorizer != nullptr) {
    Operation operation = tcp_->operation_of(record_.facts, tuple_.local, tuple_.remote);
    if (segment.packet) {
      operation = ip::make_flow_operation(tcp_->context_of(tuple_, segment, record_.facts));
      operation.endpoint = record_.facts;
    }
    operation.direction = tcb_.is_active_open ? Direction::Outbound : Direction::Inbound;  // of the flow
    operation.tcp_flags = segment.flags;
    if (!authorizer->established(operation, segment.packet ? &segment.packet : nullptr)) {
      abort(Error::AccessDenied);
      return false;
    }
  }
  tcb_.last_received_at = now_;
  if (tcb_.keep_alive) tcp::set_keep_alive(tcb_, true, now_);
  if (listener_ != nullptr)
    tcp_->on_child_established(*this);
  else
    notify(kConnected);
  return tcb_.state != State::Closed;
}

void Endpoint::reset_peer(Seq seq) {
  tcp_->answer(tuple_, {.seq = seq, .flags = flag::kRst}, Origin::TcpAbort, record_.facts, now_);
}

void Endpoint::close(Error reason) {
  if (reason == Error::TimedOut && tcb_.state == State::SynSent && soft_error_ != Error::None) reason = soft_error_;
  opening_ = Opening::Done;
  enter(State::Closed);
  tcb_.send.clear();
  tcb_.scoreboard.clear();
  tcb_.out_of_order.clear();
  if (reason == Error::None) return;
  tcb_.received.clear();
  error_ = reason;
  notify(kFailed);
}

void Endpoint::abort(Error reason) {
  if (is_synchronized(tcb_.state) && tcb_.state != State::TimeWait) {
    OutSegment reset = abort_segment(tcb_, now_);
    if (refresh_route()) transmit(reset, now_);
  }
  close(reason);
}

void Endpoint::readable() {
  if (!std::exchange(waiting_.reader, false) && !tcb_.fin_received) return;
  notify(kReadable);
}

void Endpoint::writable() {
  // Not for every few bytes: a third of the buffer, or all of it.
  if (!waiting_.writer || (tcb_.send.room() < tcb_.send.limit() / 3 && !tcb_.send.empty())) return;
  waiting_.writer = false;
  notify(kWritable);
}

void Endpoint::drop(Segment& segment, Drop reason) {
  if (!segment.packet) return;
  const PacketContext context = tcp_->context_of(tuple_, segment, record_.facts);
  tcp_->parts_.hooks.discard(std::move(segment.packet), reason, context);
}

}  // namespace stack::tcp
