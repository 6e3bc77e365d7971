// The connection itself: the actions of the protocol's steps, the application's requests, output, and its end.
#include "stack/ip/packet_context.hpp"
#include "stack/tcp/endpoint.hpp"
#include "stack/tcp/input_syn_sent.hpp"
#include "stack/tcp/input_synchronized.hpp"
#include "stack/tcp/keep_alive.hpp"
#include "stack/tcp/retransmit.hpp"
#include "stack/tcp/segment_builder.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {
namespace {

// Packets that one connection may send before others have their turn.
constexpr unsigned kMaxBurst = 64;
// When a buffer or a route was missing.
constexpr Duration kOutputRetry = 10ms;

std::uint32_t path_mss_of(std::uint32_t mtu, Family family) {
  const std::uint32_t headers = family == Family::V4 ? 40 : 60;
  return mtu > headers ? mtu - headers : 0;
}

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

// --- moved by Tcp ---

void Endpoint::receive(Segment& segment, Instant now) {
  now_ = now;
  const Seq una = tcb_.snd_una;
  if (tcb_.state == State::SynSent)
    input_syn_sent(tcb_, segment, *this, now);
  else
    input_synchronized(tcb_, segment, *this, now);
  if (tcb_.snd_una != una && route_) tcp_->parts_.ip.confirm_reachable(*route_, now);
  apply_requests(now);
  output(now);
  settle(now);
}

void Endpoint::on_deadline(Instant now) {
  now_ = now;
  if (tcb_.timers.next() <= now) {
    on_timers(tcb_, *this, now);
    output(now);
  }
  settle(now);
}

void Endpoint::run(Instant now) {
  now_ = now;
  const bool is_wanted = !wants_close_ && !wants_abort_;
  if (opening_ == Opening::Bind && is_wanted && !is_asked_) {
    is_asked_ = true;
    tcp_->advance_open(*this);
  }
  if (opening_ == Opening::Syn && is_wanted) begin_active_open(now);
  apply_requests(now);
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

// --- Actions ---

void Endpoint::enter(State next) {
  CHECK(is_legal(tcb_.state, next));
  if (is_half_open_ && next != State::SynReceived) {
    is_half_open_ = false;
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
    if (refresh_route(now_)) transmit(reset, now_);
  }
  close(reason);
}

void Endpoint::readable() {
  if (!std::exchange(is_reader_waiting_, false) && !tcb_.fin_received) return;
  notify(kReadable);
}

void Endpoint::writable() {
  // Not for every few bytes: a third of the buffer, or all of it.
  if (!is_writer_waiting_ || (tcb_.send.room() < tcb_.send.limit() / 3 && !tcb_.send.empty())) return;
  is_writer_waiting_ = false;
  notify(kWritable);
}

void Endpoint::drop(Segment& segment, Drop reason) {
  if (!segment.packet) return;
  const PacketContext context = tcp_->context_of(tuple_, segment, record_.facts);
  tcp_->parts_.hooks.discard(std::move(segment.packet), reason, context);
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
  if (std::exchange(is_flow_aborted_, false) && tcb_.state != State::Closed) abort(Error::ConnectionAborted);
  if (wants_abort_) {
    wants_abort_ = wants_finish_ = wants_close_ = false;
    is_app_done_ = true;
    if (tcb_.state != State::Closed)
      abort(Error::ConnectionAborted);
    else
      opening_ = Opening::Done;
    return;
  }
  if (std::exchange(wants_finish_, false) && is_open_for_writing(tcb_.state)) queue_fin();
  if (std::exchange(wants_close_, false) && !is_app_done_) apply_close(now);
}

// --- output ---

bool Endpoint::refresh_route(Instant) {
  ip::IpSender& ip = tcp_->parts_.ip;
  if (route_ && route_generation_ == ip.route_generation()) return true;
  route_generation_ = ip.route_generation();
  auto found = ip.route(tuple_.remote.address, tuple_.local.address);
  if (!found) {
    soft_error_ = Error::NetworkUnreachable;
    return route_.has_value();  // the old way may work again before the connection gives up
  }
  route_ = *found;
  const std::uint32_t path_mss = path_mss_of(route_->mtu, tcb_.family);
  if (path_mss != tcb_.path_mss) on_path_mtu(tcb_, path_mss);
  return true;
}

void Endpoint::output(Instant now) {
  if (tcb_.state == State::Closed || tcb_.state == State::Listen) return;
  if (!refresh_route(now)) {
    tcb_.timers.retry_output = now + kOutputRetry;
    return;
  }
  const std::uint32_t large_send_max = tcb_.config->large_send ? route_->large_send_max : 0;
  for (unsigned sent = 0; tcb_.state != State::Closed; ++sent) {
    if (sent == kMaxBurst) return wake();
    auto segment = next_segment(tcb_, large_send_max, now);
    if (!segment) break;
    if (!transmit(*segment, now)) {
      tcb_.timers.retry_output = now + kOutputRetry;
      return;
    }
  }
  after_output(tcb_, now);
}

bool Endpoint::transmit(OutSegment& segment, Instant now) {
  const std::size_t offset = segment.payload_size > 0 ? segment.seq - tcb_.buffer_begin : 0;
  Packet packet = build_segment(tcp_->parts_.pool, tuple_, segment, &tcb_.send, offset);
  if (!packet) {
    tcp_->parts_.hooks.stats().count(Drop::NoBuffers);
    return false;
  }
  if (segment.origin != Origin::TcpAbort) on_segment_sent(tcb_, segment, now);
  const ip::SendFacts facts{.source = tuple_.local.address,
                            .destination = tuple_.remote.address,
                            .protocol = wire::kProtocolTcp,
                            .origin = segment.origin,
                            .local_port = tuple_.local.port,
                            .remote_port = tuple_.remote.port,
                            .tcp_flags = segment.flags,
                            .transport_header_size = packet.meta().transport_header_size,
                            .endpoint = record_.facts};
  tcp_->parts_.ip.send(std::move(packet), facts, *route_, now);
  return true;
}

// The endpoint goes when the application is done and only the peer's FIN, or its second copy, is awaited.
void Endpoint::settle(Instant now) {
  if (!is_registered_) return;
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
