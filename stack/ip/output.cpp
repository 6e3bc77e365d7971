#include "stack/ip/output.hpp"

#include <array>

#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/ip/transport_facts.hpp"
#include "stack/wire/checksum.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"

namespace stack::ip {
namespace {

constexpr std::size_t kQuotedTransport = 64;  // bytes of the transport header that a path event may carry

std::size_t ip_header_size(const SendFacts& facts) {
  return facts.destination.is_v4() ? wire::Ipv4Fields{.options = facts.ipv4_options}.size()
                                   : wire::Ipv6View::kHeaderSize;
}

// Transport header and payload: IPv4's length counts the IP header, IPv6's does not.
std::size_t largest_payload(const SendFacts& facts) {
  return facts.destination.is_v4() ? wire::Ipv4View::kMaxTotalLength - ip_header_size(facts)
                                   : wire::Ipv6View::kMaxPayloadSize;
}

// What a header says that somebody else has made.
SendFacts facts_of(const IpHeader& header) {
  SendFacts facts;
  facts.source = header.source;
  facts.destination = header.destination;
  facts.protocol = header.protocol;
  facts.traffic_class = header.traffic_class;
  facts.hop_limit = header.hop_limit;
  facts.dont_fragment = header.dont_fragment;
  return facts;
}

}  // namespace

void Output::give_up(Packet packet, Drop reason, const Departure& departure) {
  const PacketMeta& meta = packet.meta();
  const Hook where = meta.ip_header_size == 0 ? Hook::TransportOut : Hook::IpOut;  // the data starts accordingly
  PacketContext context = make_outbound_context(where, meta, departure.facts, departure.route, parts_.addresses);
  context.ip_header_size = meta.ip_header_size;
  parts_.hooks.discard(std::move(packet), reason, context);
}

void Output::send(Packet packet, const SendFacts& facts, const Route& route, Instant now) {
  DCHECK(packet);
  const Departure departure{facts, route, now};
  const Family family = facts.destination.family();
  PacketMeta& meta = packet.meta();
  fill_outbound_meta(meta, facts, route);
  const IpInterface* interface = parts_.interfaces.find(route.interface_index);
  if (interface == nullptr) return give_up(std::move(packet), Drop::NoRoute, departure);
  const LinkCapabilities offload = offload_of(*interface, family);
  if (packet.large_send().segment_size != 0 && !offload.has_tso(family)) {
    if (put_header(packet, departure, *interface)) send_segments(std::move(packet), departure);
    return;
  }
  if (packet.checksum().transport_partial && !offload.checksum && !finish_checksum(packet, 0))
    return give_up(std::move(packet), Drop::NoBuffers, departure);
  if (parts_.hooks.armed(Hook::TransportOut, family)) {
    auto kept = parts_.hooks.inspect(std::move(packet),
                                     make_outbound_context(Hook::TransportOut, meta, facts, route, parts_.addresses));
    if (!kept) return;
    packet = std::move(*kept);
  }
  if (put_header(packet, departure, *interface)) after_header(std::move(packet), departure);
}

// False: the packet was given up.
bool Output::put_header(Packet& packet, const Departure& departure, const IpInterface& interface) {
  const bool fits = packet.size() <= largest_payload(departure.facts);
  if (fits && push_header(packet, departure.facts, departure.route, interface)) return true;
  give_up(std::move(packet), fits ? Drop::NoBuffers : Drop::PacketTooBig, departure);
  return false;
}

bool Output::push_header(Packet& packet, const SendFacts& facts, const Route& route, const IpInterface& interface) {
  const std::size_t payload = packet.size();
  const Family family = facts.destination.family();
  const std::size_t size = ip_header_size(facts);
  const MutableBytes header = packet.push(size);
  if (header.empty()) return false;
  std::uint8_t hop_limit = facts.hop_limit != 0 ? facts.hop_limit : interface.hop_limit(family);
  if (route.remote_kind == AddressKind::Multicast && facts.hop_limit == 0) hop_limit = 1;  // RFC 1112 6.1
  if (family == Family::V4) {
    // RFC 6864 4.1: only packets that may be fragmented need an identification, and that is not to be guessed.
    const bool dont_fragment = facts.dont_fragment && !route.may_fragment;
    const std::uint16_t id = dont_fragment ? std::uint16_t{0} : static_cast<std::uint16_t>(parts_.random.next());
    wire::Ipv4Fields{.traffic_class = facts.traffic_class,
                     .payload_size = payload,
                     .identification = id,
                     .dont_fragment = dont_fragment,
                     .hop_limit = hop_limit,
                     .protocol = facts.protocol,
                     .source = facts.source,
                     .destination = facts.destination,
                     .options = facts.ipv4_options}
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

void Output::after_header(Packet packet, const Departure& departure) {
  const PacketMeta& meta = packet.meta();
  if (parts_.hooks.armed(Hook::IpOut, meta.family)) {
    PacketContext context =
        make_outbound_context(Hook::IpOut, meta, departure.facts, departure.route, parts_.addresses);
    context.ip_header_size = meta.ip_header_size;
    context.path_mtu = departure.route.mtu;
    auto kept = parts_.hooks.inspect(std::move(packet), context);
    if (!kept) return;
    packet = std::move(*kept);
  }
  transmit(std::move(packet), departure);
}

bool Output::correct_header_checksum(Packet& packet, std::uint32_t header_size) {
  const Bytes bytes = packet.head(header_size);
  if (!bytes.empty() && wire::sum_of(bytes) == 0xffff) return true;
  const MutableBytes own = packet.make_private(header_size);
  if (own.empty()) return false;
  store_be16(own, wire::Ipv4View::kChecksumOffset, 0);
  store_be16(own, wire::Ipv4View::kChecksumOffset, wire::checksum_of(own));
  return true;
}

void Output::send_with_header(Packet packet, Instant now) {
  const bool partial = packet.checksum().transport_partial;
  packet.set_checksum({.ip_verified = true});  // whatever it is, it is corrected below
  std::optional<ParameterProblem> problem;
  const auto header = parse_ip_header(packet, problem);
  if (!header) return parts_.hooks.discard(std::move(packet), Drop::InjectionInvalid);
  packet.trim(header->total_size);
  PacketMeta& meta = packet.meta();
  fill_meta(meta, *header);
  meta.direction = Direction::Outbound;
  if (header->fragment) packet.set_large_send({});
  if (partial && (header->fragment || !has_checksum_field(header->protocol, packet.size() - header->header_size)))
    return parts_.hooks.discard(std::move(packet), Drop::InjectionInvalid);
  packet.set_checksum({.transport_partial = partial});
  if (header->family == Family::V4 && !correct_header_checksum(packet, header->header_size))
    return parts_.hooks.discard(std::move(packet), Drop::NoBuffers);
  const auto route = this->route(header->destination, header->source);
  if (!route) return parts_.hooks.discard(std::move(packet), route.drop());
  meta.interface_index = route->interface_index;
  meta.loopback = route->loopback;

  SendFacts facts = facts_of(*header);
  facts.origin = meta.origin;
  packet.pull(header->header_size);
  if (!header->fragment || header->fragment->offset == 0) read_transport_facts(packet, facts);
  meta.transport_header_size = facts.transport_header_size;
  packet.restore(header->header_size);
  const Departure departure{facts, *route, now};
  const LinkCapabilities offload = offload_of(*parts_.interfaces.find(route->interface_index), header->family);
  if (packet.large_send().segment_size != 0 && !offload.has_tso(header->family))
    return send_segments(std::move(packet), departure);
  show_behind_header(std::move(packet), header->header_size, departure, offload.checksum);
}

// A packet that has its IP header already; data there. The transport-out hook sees what is behind it.
void Output::show_behind_header(Packet packet, std::uint32_t header_size, const Departure& departure,
                                bool may_be_partial) {
  if (packet.checksum().transport_partial && !may_be_partial && !finish_checksum(packet, header_size))
    return give_up(std::move(packet), Drop::NoBuffers, departure);
  const PacketMeta& meta = packet.meta();
  if (parts_.hooks.armed(Hook::TransportOut, meta.family)) {
    packet.pull(header_size);
    auto kept = parts_.hooks.inspect(
        std::move(packet),
        make_outbound_context(Hook::TransportOut, meta, departure.facts, departure.route, parts_.addresses));
    if (!kept) return;
    packet = std::move(*kept);
    packet.restore(header_size);
  }
  after_header(std::move(packet), departure);
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
  std::optional<ParameterProblem> problem;
  if (const auto header = parse_ip_header(packet, problem))
    tell_transport(packet, *header, PathEvent::Kind::HostUnreachable, 0, now);
  give_up(std::move(packet), Drop::NeighborUnreachable, {facts, route, now});
}

// Posted, because a transport that is just sending must not be entered again. A later fragment has no transport header
// that would say whom to tell.
void Output::tell_transport(const Packet& packet, const IpHeader& header, PathEvent::Kind kind, std::uint32_t mtu,
                            Instant now) {
  if (header.fragment && header.fragment->offset != 0) return;
  PathEvent event;
  event.kind = kind;
  // Our own neighbour does not answer: unlike a router's word (RFC 1122 4.2.3.9) that needs no second opinion, and an
  // attempt to connect ends with it, as on other hosts, after the three seconds that neighbours are asked for.
  event.is_hard = kind == PathEvent::Kind::HostUnreachable;
  event.mtu = mtu;
  event.local = header.source;
  event.remote = header.destination;
  event.protocol = header.protocol;
  TransportSink* sink = parts_.transports.find(event.protocol);
  if (sink == nullptr) return;
  std::array<std::byte, kQuotedTransport> quote;
  const std::size_t size = packet.copy_out(header.header_size, quote);
  if (size < 8) return;
  parts_.executor.post([sink, event, quote, size, now]() mutable {
    event.transport_header = Bytes{quote}.first(size);
    sink->path_event(event, now);
  });
}

}  // namespace stack::ip
