// UDP's receive path: checks, endpoint, transport-in hook, authorization of a first datagram, datagram hook, queue.
#include <algorithm>

#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/udp/udp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::udp {

struct Udp::Inbound {
  SocketAddress local, remote;
  Endpoint* endpoint = nullptr;
  bool needs_authorization = false;
  FlowTag flow = 0;
};

PacketContext Udp::context_of(Hook hook, const Packet& packet, const Inbound& inbound) const {
  PacketContext context = ip::make_inbound_context(hook, packet.meta(), parts_.addresses);
  context.local_port = inbound.local.port;
  context.remote_port = inbound.remote.port;
  context.needs_authorization = inbound.needs_authorization;
  if (inbound.endpoint != nullptr) context.endpoint = inbound.endpoint->record_.facts;
  context.endpoint.flow = inbound.flow;
  return context;
}

bool Udp::inspect(Packet& packet, Hook hook, const Inbound& inbound) {
  if (!parts_.hooks.armed(hook, packet.meta().family)) return true;
  const PacketContext context = context_of(hook, packet, inbound);
  auto kept = parts_.hooks.inspect(std::move(packet), context);
  if (!kept) return false;
  packet = std::move(*kept);
  return true;
}

void Udp::give_up(Packet packet, Hook hook, Drop reason, const Inbound& inbound) {
  const PacketContext context = context_of(hook, packet, inbound);
  parts_.hooks.discard(std::move(packet), reason, context);
}

void Udp::receive(Packet packet, Instant now) {
  PacketMeta& meta = packet.meta();
  Inbound inbound{.local = {meta.destination, 0}, .remote = {meta.source, 0}};
  const auto udp =
      wire::UdpView::parse(packet.head(std::min(packet.size(), wire::UdpView::kHeaderSize)), packet.size());
  if (!udp) return give_up(std::move(packet), Hook::TransportIn, udp.drop(), inbound);
  inbound.local.port = udp->dst_port();
  inbound.remote.port = udp->src_port();
  const bool has_checksum = udp->checksum() != 0;
  packet.trim(udp->length());
  meta.transport_header_size = wire::UdpView::kHeaderSize;
  const bool may_lack_checksum = meta.family == Family::V4;  // RFC 8200 8.1
  if (has_checksum ? !ip::is_transport_checksum_valid(packet) : !may_lack_checksum)
    return give_up(std::move(packet), Hook::TransportIn, Drop::BadChecksum, inbound);
  inbound.endpoint = find(inbound.local, inbound.remote);
  if (inbound.endpoint == nullptr || !inbound.endpoint->open_) return no_endpoint(std::move(packet), inbound, now);

  const auto keep = inbound.endpoint->shared_from_this();
  const ip::FlowKey key{inbound.endpoint->id(), inbound.local, inbound.remote};
  if (parts_.hooks.authorizer() != nullptr) {
    const auto flow = flows_.find(key, now);
    inbound.needs_authorization = !flow.has_value();
    inbound.flow = flow.value_or(0);
  }
  packet.pull(wire::UdpView::kHeaderSize);
  if (!inspect(packet, Hook::TransportIn, inbound)) return;
  if (inbound.needs_authorization && !authorize(packet, inbound, key, now)) return;
  if (!inspect(packet, Hook::DatagramIn, inbound)) return;
  enqueue(std::move(packet), inbound);
}

// Discarded at the IP hook and not at the transport's, as WFP documents it; a veto there silences the ICMP error.
void Udp::no_endpoint(Packet packet, const Inbound& inbound, Instant now) {
  Packet kept = packet.share();
  Inbound unknown = inbound;
  unknown.endpoint = nullptr;
  const PacketContext context = context_of(Hook::IpIn, packet, unknown);
  if (!parts_.hooks.discard(std::move(packet), Drop::NoEndpoint, context)) return;
  kept.restore(kept.meta().ip_header_size);
  icmp_reply_.send({.error = ip::IcmpError::PortUnreachable}, kept, now);
}

// True: the datagram may go on. False: it is gone. Until one of a conversation is allowed, each is asked about: those
// that come while the first waits for its answer are data of their own, unlike a repeated SYN, and may wait as well.
bool Udp::authorize(Packet& packet, Inbound& inbound, const ip::FlowKey& key, Instant now) {
  Operation operation = ip::make_flow_operation(context_of(Hook::TransportIn, packet, inbound));
  operation.injected = packet.meta().origin == Origin::Injected;
  Authorizer& authorizer = *parts_.hooks.authorizer();
  const Authorization answer = authorizer.accept(operation, packet);
  if (answer.decision != Decision::Allow) return false;
  operation.endpoint.flow = inbound.flow = answer.flow;
  flows_.insert(key, answer.flow, now);
  if (authorizer.established(operation, packet ? &packet : nullptr)) return true;
  flows_.erase(key);
  if (packet) give_up(std::move(packet), Hook::TransportIn, Drop::AuthorizationDenied, inbound);
  return false;
}

void Udp::enqueue(Packet packet, const Inbound& inbound) {
  Endpoint& endpoint = *inbound.endpoint;
  if (!endpoint.open_) return give_up(std::move(packet), Hook::TransportIn, Drop::EndpointGone, inbound);
  if (endpoint.queue_.is_full())
    return give_up(std::move(packet), Hook::TransportIn, Drop::ReceiveQueueFull, inbound);
  const PacketMeta& meta = packet.meta();
  const bool to_group = parts_.addresses.kind_of(meta.destination, meta.interface_index) != AddressKind::Unicast;
  // One endpoint gets as much as it leaves to the others.
  const std::size_t held = parts_.teller.account().held(Use::Datagrams);
  const bool is_fair = endpoint.queued_ <= parts_.teller.account().most(Use::Datagrams) - held;
  const Keeping keeping{parts_.pool, parts_.teller, Use::Datagrams};
  KeptPacket kept = is_fair ? KeptPacket::keep(keeping, packet) : KeptPacket{};
  if (!kept) return give_up(std::move(packet), Hook::TransportIn, Drop::ReceiveMemory, inbound);
  endpoint.queued_ += kept.charge();
  endpoint.queue_.push(WaitingDatagram{std::move(kept), inbound.remote, inbound.local, to_group});
  notify(endpoint);
}

void Udp::notify(Endpoint& endpoint) {
  if (std::exchange(endpoint.notification_posted_, true)) return;
  parts_.executor.post([weak = endpoint.weak_from_this()] {
    const auto kept = weak.lock();
    if (kept == nullptr) return;
    kept->notification_posted_ = false;
    const auto handler = kept->on_readable_;  // it may set another, or close
    if (handler) handler();
  });
}

bool Udp::may_have_sent(const ip::PathEvent& event) const {
  const auto udp = wire::UdpView::parse(event.transport_header, 0xffff);
  return udp && find({event.local, udp->src_port()}, {event.remote, udp->dst_port()}) != nullptr;
}

// An unconnected socket is not told about one of its many remotes (as Linux does without IP_RECVERR).
void Udp::path_event(const ip::PathEvent& event, Instant) {
  const auto udp = wire::UdpView::parse(event.transport_header, 0xffff);
  if (!udp) return;
  const SocketAddress remote{event.remote, udp->dst_port()};
  Endpoint* endpoint = find({event.local, udp->src_port()}, remote);
  if (endpoint == nullptr || endpoint->record_.remote != remote) return;
  using Kind = ip::PathEvent::Kind;
  switch (event.kind) {
    case Kind::PortUnreachable:
    case Kind::ProtocolUnreachable:
      endpoint->error_ = Error::ConnectionRefused;
      break;
    case Kind::HostUnreachable:
      endpoint->error_ = Error::HostUnreachable;
      break;
    case Kind::NetUnreachable:
      endpoint->error_ = Error::NetworkUnreachable;
      break;
    case Kind::AdminProhibited:
      endpoint->error_ = Error::AccessDenied;
      break;
    case Kind::PacketTooBig:
      endpoint->error_ = Error::MessageTooLarge;
      break;
    case Kind::TimeExceeded:
    case Kind::ParameterProblem:
      return;
  }
  notify(*endpoint);
}

}  // namespace stack::udp
