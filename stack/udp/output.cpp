// UDP's send path: header, authorization of a first datagram, datagram hook, then IP, whose transport hook comes
// next.
#include <algorithm>

#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/udp/udp.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/udp.hpp"

namespace stack::udp {
namespace {

// What the length fields of IP (RFC 791 3.1, RFC 8200 3) and UDP can say.
constexpr std::size_t max_payload(Family family) {
  return 65'535 - wire::UdpView::kHeaderSize - (family == Family::V4 ? wire::Ipv4View::kMinHeaderSize : 0);
}
constexpr std::size_t kPooledPayload = 1536;  // larger ones get a block of their own

Error error_of(Drop reason) {
  switch (reason) {
    case Drop::NoRoute:
      return Error::NetworkUnreachable;
    case Drop::NoSourceAddress:
      return Error::AddressNotAvailable;
    default:
      return Error::Invalid;
  }
}

Packet make_packet(PacketPool& pool, Bytes payload) {
  if (payload.size() > kPooledPayload) {
    const BufferRef block = make_buffer(kHeadroom + payload.size());
    if (!block) return {};
    std::ranges::copy(payload, block.bytes().begin() + kHeadroom);
    return pool.adopt(block, kHeadroom, payload.size());
  }
  Packet packet = pool.allocate(payload.size());
  if (!packet || payload.empty()) return packet;
  const MutableBytes bytes = packet.make_private(payload.size());
  if (bytes.empty()) return {};
  std::ranges::copy(payload, bytes.begin());
  return packet;
}

}  // namespace

Error Udp::connect(Endpoint& endpoint, const SocketAddress& remote) {
  if (!endpoint.open_) return Error::Closed;
  if (remote.port == 0 || remote.address.family() != endpoint.record_.local.address.family()) return Error::Invalid;
  const bool is_bound = !endpoint.record_.local.address.is_unspecified();
  const auto route =
      output_.route(remote.address, is_bound ? std::optional{endpoint.record_.local.address} : std::nullopt);
  if (!route) return error_of(route.drop());
  delist(endpoint);
  endpoint.record_.local.address = route->source;
  endpoint.record_.remote = remote;
  enlist(endpoint);
  return Error::None;
}

Error Udp::send(Endpoint& endpoint, Bytes payload, const SocketAddress& remote,
                const std::optional<IpAddress>& source) {
  if (!endpoint.open_) return Error::Closed;
  if (payload.size() > max_payload(remote.address.family())) return Error::MessageTooLarge;
  if (remote.port == 0 || remote.address.family() != endpoint.record_.local.address.family()) return Error::Invalid;
  const IpAddress& bound = endpoint.record_.local.address;
  const auto from = source ? source : (bound.is_unspecified() ? std::nullopt : std::optional{bound});
  if (from && !parts_.addresses.is_own_unicast(*from)) return Error::AddressNotAvailable;
  const auto route = output_.route(remote.address, from);
  if (!route) return error_of(route.drop());
  Packet packet = make_packet(parts_.pool, payload);
  const MutableBytes header = packet ? packet.push(wire::UdpView::kHeaderSize) : MutableBytes{};
  if (header.empty()) {
    parts_.hooks.stats().count(Drop::NoBuffers);
    return Error::NoBuffers;
  }
  ip::SendFacts facts;
  facts.source = route->source;
  facts.destination = remote.address;
  facts.protocol = wire::kProtocolUdp;
  facts.dont_fragment = false;
  facts.origin = Origin::UdpData;
  facts.local_port = endpoint.record_.local.port;
  facts.remote_port = remote.port;
  facts.transport_header_size = wire::UdpView::kHeaderSize;
  facts.endpoint = endpoint.record_.facts;
  wire::UdpFields{.src_port = facts.local_port, .dst_port = facts.remote_port, .payload_size = payload.size()}.emit(
      header);
  PacketMeta& meta = packet.meta();
  meta.origin = facts.origin;
  meta.direction = Direction::Outbound;
  meta.family = remote.address.family();
  meta.protocol = facts.protocol;
  meta.loopback = route->loopback;
  meta.interface_index = route->interface_index;
  meta.transport_header_size = facts.transport_header_size;
  meta.source = facts.source;
  meta.destination = facts.destination;
  if (!ip::set_partial_checksum(packet)) return Error::NoBuffers;
  if (!route->checksum_offload && !ip::finish_checksum(packet, 0)) return Error::NoBuffers;
  const Error error = authorize_send(packet, facts, *route, false, now_);
  if (error != Error::None || !packet) return error;
  if (parts_.hooks.armed(Hook::DatagramOut, packet.meta().family)) {
    auto kept = parts_.hooks.inspect(
        std::move(packet), ip::make_outbound_context(Hook::DatagramOut, meta, facts, *route, parts_.addresses));
    if (!kept) return Error::None;
    packet = std::move(*kept);
  }
  output_.send(std::move(packet), facts, *route, now_);
  return Error::None;
}

// Until one datagram of a conversation is allowed, each is asked about, as on receive. Who is asked sees it finished:
// that is one datagram of many, and not worth a consent of its own.
Error Udp::authorize_send(Packet& packet, ip::SendFacts& facts, const ip::Route& route, bool injected, Instant now) {
  Authorizer* authorizer = parts_.hooks.authorizer();
  if (authorizer == nullptr) return Error::None;
  const ip::FlowKey key{
      facts.endpoint.endpoint, {facts.source, facts.local_port}, {facts.destination, facts.remote_port}};
  if (const auto flow = flows_.find(key, now)) {
    facts.endpoint.flow = *flow;
    return Error::None;
  }
  if (packet.checksum().transport_partial && !ip::finish_checksum(packet, 0)) return Error::NoBuffers;
  const PacketContext context =
      ip::make_outbound_context(Hook::TransportOut, packet.meta(), facts, route, parts_.addresses);
  Operation operation = ip::make_flow_operation(context);
  operation.injected = injected;
  const Authorization answer = authorizer->connect(operation, &packet);
  if (answer.decision == Decision::Deny) return Error::AccessDenied;
  if (answer.decision == Decision::Later) return Error::None;  // taken; it goes out when it comes back
  operation.endpoint.flow = facts.endpoint.flow = answer.flow;
  flows_.insert(key, answer.flow, now);
  if (authorizer->established(operation, packet ? &packet : nullptr)) return Error::None;
  flows_.erase(key);
  if (packet) parts_.hooks.discard(std::move(packet), Drop::AuthorizationDenied, context);
  return Error::AccessDenied;
}

void Udp::send_injected(Packet packet, EndpointId endpoint, ip::SendFacts facts, const ip::Route& route,
                        Instant now) {
  const auto found = open_.find(endpoint.value);
  CHECK(found != open_.end());
  facts.endpoint = found->second->record_.facts;
  const Error error = authorize_send(packet, facts, route, true, now);
  if (error != Error::None || !packet) return;
  output_.send(std::move(packet), facts, route, now);
}

}  // namespace stack::udp
