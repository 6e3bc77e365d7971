// Sending: the route, the packets that a connection may send now, and what happens when it cannot.
#include "stack/tcp/endpoint.hpp"
#include "stack/tcp/output.hpp"
#include "stack/tcp/retransmit.hpp"
#include "stack/tcp/segment_builder.hpp"
#include "stack/tcp/tcp.hpp"

namespace stack::tcp {
namespace {

// Packets that one connection may send before others have their turn.
constexpr unsigned kMaxBurst = 64;
// When a buffer or a route was missing.
constexpr Duration kOutputRetry = 10ms;

bool is_opening(State state) { return state == State::SynSent || state == State::SynReceived; }

}  // namespace

bool Endpoint::refresh_route() {
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

// Something is missing that no acknowledgement will bring: a route or a buffer. It is not waited for for ever.
void Endpoint::retry_output(Instant now) {
  tcb_.timers.retry_output = now + kOutputRetry;
  if (is_opening(tcb_.state) || tcb_.has_unsent()) begin_give_up(tcb_, now);
}

void Endpoint::output(Instant now) {
  if (tcb_.state == State::Closed || tcb_.state == State::Listen) return;
  if (!refresh_route()) return retry_output(now);
  const std::uint32_t large_send_max = tcb_.config->large_send ? route_->large_send_max : 0;
  for (unsigned sent = 0; tcb_.state != State::Closed; ++sent) {
    if (sent == kMaxBurst) return wake();
    auto segment = next_segment(tcb_, large_send_max, now);
    if (!segment) break;
    if (!transmit(*segment, now)) return retry_output(now);
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

}  // namespace stack::tcp
