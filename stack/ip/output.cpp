#include "stack/ip/output.hpp"

#include <algorithm>
#include <array>

#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/ip/transport_facts.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/icmp.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::ip {
namespace {

// Room that a large send leaves for the headers of IP and TCP.
constexpr std::uint32_t kLargeSendHeaders = wire::Ipv6View::kHeaderSize + wire::TcpView::kMaxHeaderSize;
constexpr std::size_t kQuotedTransport = 64;  // bytes of the transport header that a path event may carry

std::size_t ip_header_size(Family family) {
  return family == Family::V4 ? wire::Ipv4View::kMinHeaderSize : wire::Ipv6View::kHeaderSize;
}

bool has_tso(const LinkCapabilities& link, Family family) { return family == Family::V4 ? link.tso4 : link.tso6; }

}  // namespace

std::uint32_t Output::route_generation() const {
  return parts_.routes.generation() + parts_.addresses.generation() + parts_.path_mtus.generation();
}

std::optional<Route> Output::find_route(const IpAddress& remote, InterfaceIndex interface_hint) const {
  Route route;
  route.next_hop = remote;
  if (parts_.addresses.is_own_unicast(remote)) {
    for (const IpInterface* interface : parts_.interfaces.all())
      if (interface->is_loopback()) route.interface_index = interface->index();
    route.loopback = true;
    route.on_link = true;
    return route.interface_index != 0 ? std::optional{route} : std::nullopt;
  }
  const bool needs_hint = remote.is_link_local() || remote.is_multicast() || remote.is_broadcast();
  const RouteEntry* entry = parts_.routes.find(remote);
  if (needs_hint && interface_hint != 0) {
    route.interface_index = interface_hint;
    route.on_link = true;
  } else if (entry != nullptr) {
    route.interface_index = entry->interface_index;
    route.on_link = !entry->gateway || remote.is_multicast();
    if (!route.on_link) route.next_hop = *entry->gateway;
  } else if (needs_hint) {
    for (const IpInterface* interface : parts_.interfaces.all())
      if (!interface->is_loopback() && route.interface_index == 0) route.interface_index = interface->index();
    route.on_link = true;
  }
  return parts_.interfaces.find(route.interface_index) != nullptr ? std::optional{route} : std::nullopt;
}

Result<Route> Output::route(const IpAddress& remote, const std::optional<IpAddress>& source) {
  if (remote.is_unspecified()) return Drop::BadDestinationAddress;
  const bool has_source = source && !source->is_unspecified();
  auto found = find_route(remote, has_source ? parts_.addresses.interface_of(*source) : 0);
  if (!found) return Drop::NoRoute;
  Route& route = *found;
  const IpInterface& interface = *parts_.interfaces.find(route.interface_index);
  const auto chosen = has_source ? source : parts_.addresses.select_source(remote, route.interface_index);
  if (!chosen) return Drop::NoSourceAddress;
  route.source = *chosen;
  route.remote_kind = parts_.addresses.kind_of(remote, route.interface_index);
  route.mtu = parts_.path_mtus.mtu(remote, interface.mtu());
  // Nothing is cut on the way to oneself: TCP's segments are as large as packets can be. Without a card that segments
  // there are no large sends, as in NDIS: callouts see what goes out.
  if (!route.loopback && has_tso(interface.capabilities(), remote.family())) {
    const std::uint32_t largest = std::min(interface.capabilities().gso_max_bytes, kMaxPacket);
    route.large_send_max = largest > kLargeSendHeaders ? largest - kLargeSendHeaders : 0;
  }
  return route;
}

void Output::confirm_reachable(const Route& route, Instant now) {
  if (IpInterface* interface = parts_.interfaces.find(route.interface_index))
    interface->confirm_reachable(route.next_hop, now);
}

void Output::give_up(Packet packet, Drop reason, const SendFacts& facts, const Route& route) {
  const PacketContext context = make_outbound_context(Hook::IpOut, packet.meta(), facts, route, parts_.addresses);
  parts_.hooks.discard(std::move(packet), reason, context);
}

void Output::send(Packet packet, const SendFacts& facts, const Route& route, Instant now) {
  DCHECK(packet);
  const Family family = facts.destination.family();
  PacketMeta& meta = packet.meta();
  meta.origin = facts.origin;
  meta.direction = Direction::Outbound;
  meta.family = family;
  meta.protocol = facts.protocol;
  meta.loopback = route.loopback;
  meta.hop_limit = facts.hop_limit;
  meta.traffic_class = facts.traffic_class;
  meta.interface_index = route.interface_index;
  meta.ip_header_size = 0;
  meta.transport_header_size = facts.transport_header_size;
  meta.source = facts.source;
  meta.destination = facts.destination;
  if (parts_.hooks.armed(Hook::TransportOut, family)) {
    auto kept = parts_.hooks.inspect(std::move(packet),
                                     make_outbound_context(Hook::TransportOut, meta, facts, route, parts_.addresses));
    if (!kept) return;
    packet = std::move(*kept);
  }
  IpInterface* interface = parts_.interfaces.find(route.interface_index);
  if (interface == nullptr) return give_up(std::move(packet), Drop::NoRoute, facts, route);
  if (packet.size() + ip_header_size(family) > kMaxPacket)
    return give_up(std::move(packet), Drop::PacketTooBig, facts, route);
  if (!push_header(packet, facts, route, *interface))
    return give_up(std::move(packet), Drop::NoBuffers, facts, route);
  after_header(std::move(packet), facts, route, now);
}

bool Output::push_header(Packet& packet, const SendFacts& facts, const Route& route, const IpInterface& interface) {
  const std::size_t payload = packet.size();
  const Family family = facts.destination.family();
  const std::size_t size = ip_header_size(family);
  const MutableBytes header = packet.push(size);
  if (header.empty()) return false;
  std::uint8_t hop_limit = facts.hop_limit != 0 ? facts.hop_limit : interface.hop_limit(family);
  if (route.remote_kind == AddressKind::Multicast && facts.hop_limit == 0) hop_limit = 1;  // RFC 1112 6.1
  if (family == Family::V4) {
    // RFC 6864 4.1: only packets that may be fragmented need an identification, and that is not to be guessed.
    const std::uint16_t id =
        facts.dont_fragment ? std::uint16_t{0} : static_cast<std::uint16_t>(parts_.random.next());
    wire::Ipv4Fields{.traffic_class = facts.traffic_class,
                     .payload_size = payload,
                     .identification = id,
                     .dont_fragment = facts.dont_fragment,
                     .hop_limit = hop_limit,
                     .protocol = facts.protocol,
                     .source = facts.source,
                     .destination = facts.destination}
        .emit(header);
  } else {
    wire::Ipv6Fields{.traffic_class = facts.traffic_class,
                     .payload_size = payload,
                     .next_header = facts.protocol,
                     .hop_limit = hop_limit,
                     .source = facts.source,
                     .destination = facts.destination}
        .emit(header);
  }
  packet.meta().hop_limit = hop_limit;
  packet.meta().ip_header_size = static_cast<std::uint32_t>(size);
  return true;
}

void Output::after_header(Packet packet, const SendFacts& facts, const Route& route, Instant now) {
  const PacketMeta& meta = packet.meta();
  if (parts_.hooks.armed(Hook::IpOut, meta.family)) {
    PacketContext context = make_outbound_context(Hook::IpOut, meta, facts, route, parts_.addresses);
    context.ip_header_size = meta.ip_header_size;
    context.path_mtu = route.mtu;
    auto kept = parts_.hooks.inspect(std::move(packet), context);
    if (!kept) return;
    packet = std::move(*kept);
  }
  transmit(std::move(packet), facts, route, *parts_.interfaces.find(route.interface_index), now);
}

// Most packets fit and the link does the rest: no parse, no copy.
void Output::transmit(Packet packet, const SendFacts& facts, const Route& route, IpInterface& interface,
                      Instant now) {
  const LinkCapabilities link = interface.capabilities();
  const std::uint32_t large = packet.large_send().segment_size;
  const bool large_in_hardware =
      large != 0 &&
      (interface.is_loopback() || (has_tso(link, packet.meta().family) && packet.size() <= link.gso_max_bytes));
  const bool is_small_enough = large_in_hardware || (large == 0 && packet.size() <= route.mtu);
  const bool partial = packet.checksum().transport_partial;
  const bool checksum_in_hardware = !partial || link.checksum;
  if (is_small_enough && checksum_in_hardware) return interface.send(std::move(packet), route.next_hop, now);
  if (is_small_enough) {
    if (!finish_checksum(packet, packet.meta().ip_header_size))
      return give_up(std::move(packet), Drop::NoBuffers, facts, route);
    return interface.send(std::move(packet), route.next_hop, now);
  }
  std::optional<ParameterProblem> problem;
  auto header = parse_ip_header(packet, problem);
  if (!header) return give_up(std::move(packet), header.drop(), facts, route);
  fit(std::move(packet), *header, facts, route, interface, now);
}

void Output::fit(Packet packet, IpHeader& header, const SendFacts& facts, const Route& route, IpInterface& interface,
                 Instant now) {
  const LinkCapabilities link = interface.capabilities();
  const std::uint32_t large = packet.large_send().segment_size;
  const std::uint32_t headers = header.header_size + packet.meta().transport_header_size;
  Cut cut;
  if (large != 0 && header.protocol == wire::kProtocolTcp && !header.fragment && route.mtu > headers) {
    const std::uint32_t segment_size = std::min(large, route.mtu - headers);  // the path may have become narrower
    cut = cut_into_segments(parts_.pool, packet, header, segment_size, [&](Packet segment) {
      if (!link.checksum && !finish_checksum(segment, segment.meta().ip_header_size))
        return give_up(std::move(segment), Drop::NoBuffers, facts, route);
      interface.send(std::move(segment), route.next_hop, now);
    });
  } else {
    const bool may_fragment = header.family == Family::V4 ? !header.dont_fragment : !header.fragment;
    const std::uint32_t least = header.header_size + wire::Ipv6Fragment::kHeaderSize + 8;
    if (!may_fragment || route.mtu < least) {
      tell_transport(packet, PathEvent::Kind::PacketTooBig, route.mtu, header.header_size, now);
      return give_up(std::move(packet), Drop::PacketTooBig, facts, route);
    }
    if (packet.checksum().transport_partial && !finish_checksum(packet, header.header_size))
      return give_up(std::move(packet), Drop::NoBuffers, facts, route);
    cut = cut_into_fragments(parts_.pool, packet, header, route.mtu, parts_.random.next_u32(),
                             [&](Packet fragment) { interface.send(std::move(fragment), route.next_hop, now); });
  }
  if (!cut.complete) return give_up(std::move(packet), Drop::NoBuffers, facts, route);
}

void Output::send_with_header(Packet packet, Instant now) {
  std::optional<ParameterProblem> problem;
  packet.set_checksum({.ip_verified = true, .transport_partial = packet.checksum().transport_partial});
  auto header = parse_ip_header(packet, problem);
  if (!header) return parts_.hooks.discard(std::move(packet), Drop::InjectionInvalid);
  packet.trim(header->total_size);
  PacketMeta& meta = packet.meta();
  fill_meta(meta, *header);
  meta.direction = Direction::Outbound;
  if (header->family == Family::V4) {
    const Bytes bytes = packet.head(header->header_size);
    if (!bytes.empty() && wire::sum_of(bytes) != 0xffff) {
      const MutableBytes own = packet.make_private(header->header_size);
      if (own.empty()) return parts_.hooks.discard(std::move(packet), Drop::NoBuffers);
      store_be16(own, wire::Ipv4View::kChecksumOffset, 0);
      store_be16(own, wire::Ipv4View::kChecksumOffset, wire::checksum_of(own));
    }
  }
  const auto route = this->route(header->destination, header->source);
  if (!route) return parts_.hooks.discard(std::move(packet), route.drop());
  meta.interface_index = route->interface_index;
  meta.loopback = route->loopback;

  SendFacts facts;
  facts.source = header->source;
  facts.destination = header->destination;
  facts.protocol = header->protocol;
  facts.traffic_class = header->traffic_class;
  facts.hop_limit = header->hop_limit;
  facts.dont_fragment = header->dont_fragment;
  facts.origin = meta.origin;
  packet.pull(header->header_size);
  if (!header->fragment || header->fragment->offset == 0) read_transport_facts(packet, facts);
  packet.meta().transport_header_size = facts.transport_header_size;
  if (parts_.hooks.armed(Hook::TransportOut, header->family)) {
    auto kept = parts_.hooks.inspect(
        std::move(packet), make_outbound_context(Hook::TransportOut, meta, facts, *route, parts_.addresses));
    if (!kept) return;
    packet = std::move(*kept);
  }
  packet.restore(header->header_size);
  after_header(std::move(packet), facts, *route, now);
}

void Output::on_unreachable(Packet packet, Instant now) {
  SendFacts facts;
  const PacketMeta& meta = packet.meta();
  facts.source = meta.source;
  facts.destination = meta.destination;
  facts.protocol = meta.protocol;
  facts.origin = meta.origin;
  Route route;
  route.interface_index = meta.interface_index;
  route.remote_kind = parts_.addresses.kind_of(meta.destination, meta.interface_index);
  tell_transport(packet, PathEvent::Kind::HostUnreachable, 0, meta.ip_header_size, now);
  give_up(std::move(packet), Drop::NeighborUnreachable, facts, route);
}

// Posted, because a transport that is just sending must not be entered again.
void Output::tell_transport(const Packet& packet, PathEvent::Kind kind, std::uint32_t mtu, std::size_t header_size,
                            Instant now) {
  PathEvent event;
  event.kind = kind;
  event.mtu = mtu;
  event.local = packet.meta().source;
  event.remote = packet.meta().destination;
  event.protocol = packet.meta().protocol;
  TransportSink* sink = parts_.transports.find(event.protocol);
  if (sink == nullptr) return;
  std::array<std::byte, kQuotedTransport> quote;
  const std::size_t size = packet.copy_out(header_size, quote);
  if (size < 8) return;
  parts_.executor.post([sink, event, quote, size, now]() mutable {
    event.transport_header = Bytes{quote}.first(size);
    sink->path_event(event, now);
  });
}

}  // namespace stack::ip
