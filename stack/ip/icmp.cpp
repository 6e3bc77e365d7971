#include "stack/ip/icmp.hpp"

#include <algorithm>
#include <array>

#include "stack/ip/icmp_event.hpp"
#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"

namespace stack::ip {
namespace {

bool is_echo_request(Family family, std::uint8_t type) {
  return type == (family == Family::V4 ? wire::icmpv4::kEcho : wire::icmpv6::kEcho);
}
bool is_echo(Family family, std::uint8_t type) {
  return is_echo_request(family, type) ||
         type == (family == Family::V4 ? wire::icmpv4::kEchoReply : wire::icmpv6::kEchoReply);
}
bool is_error(Family family, std::uint8_t type) {
  return family == Family::V4 ? wire::icmpv4::is_error(type) : wire::icmpv6::is_error(type);
}

// Whether the packet, whose data is behind its IPv6 header, was made of fragments or is an atomic one (RFC 6946).
bool came_in_fragments(Packet& packet) {
  const std::uint32_t header_size = packet.meta().ip_header_size;
  if (packet.meta().reassembled) return true;
  if (header_size <= wire::Ipv6View::kHeaderSize) return false;
  packet.restore(header_size);
  const Bytes headers = packet.head(header_size);
  const bool is_one = headers.empty() || wire::Ipv6Chain::walk(headers).has_fragment_header;
  packet.pull(header_size);
  return is_one;
}

// Enough of a quoted packet for its IP header with extension headers and the transport's ports.
constexpr std::size_t kMaxQuoted = 1280;

}  // namespace

struct Icmp::Message {
  Family family = Family::V4;
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t rest = 0;
  bool needs_authorization = false;
  FlowTag flow = 0;
  EndpointMatch match = EndpointMatch::None;
};

Icmp::Icmp(const IpParts& parts, Output& output, EndpointTable& endpoints, PathMtuCache& path_mtus, NdpReceiver& ndp,
           std::shared_ptr<const Owner> owner, SipKey key, const IcmpConfig& config)
    : parts_(parts),
      output_(output),
      endpoints_(endpoints),
      path_mtus_(path_mtus),
      ndp_(ndp),
      owner_(std::move(owner)),
      config_(config),
      flows_(parts.hooks, key, config.flow_limit, config.flow_idle) {
  const auto open = [this](EndpointRecord& record, Family family, std::uint8_t protocol) {
    record.protocol = protocol;
    record.local.address = IpAddress::any(family);
    record.remote.address = IpAddress::any(family);
    record.facts.match = EndpointMatch::Live;
    record.facts.owner = owner_.get();
    record.state = "bound";
    const auto id = endpoints_.insert(&record);
    CHECK(id.has_value());
    record.facts.endpoint = *id;
  };
  open(record_v4_, Family::V4, wire::kProtocolIcmp);
  open(record_v6_, Family::V6, wire::kProtocolIcmpv6);
}

Icmp::~Icmp() {
  flows_.clear();
  for (const EndpointRecord* record : {&record_v4_, &record_v6_}) {
    if (parts_.hooks.authorizer() != nullptr) parts_.hooks.authorizer()->endpoint_closed(record->facts.endpoint);
    endpoints_.erase(record->facts.endpoint);
  }
}

PacketContext Icmp::context_of(Hook hook, const Packet& packet, const Message& message) const {
  PacketContext context = make_inbound_context(hook, packet.meta(), parts_.addresses);
  context.icmp_type = message.type;
  context.icmp_code = message.code;
  context.has_icmp_id = is_echo(message.family, message.type);
  if (context.has_icmp_id) context.icmp_id_and_sequence = message.rest;
  context.needs_authorization = message.needs_authorization;
  if (message.match == EndpointMatch::Live) context.endpoint = record(message.family).facts;
  context.endpoint.flow = message.flow;
  return context;
}

void Icmp::give_up(Packet packet, Drop reason, const Message& message) {
  const PacketContext context = context_of(Hook::TransportIn, packet, message);
  parts_.hooks.discard(std::move(packet), reason, context);
}

bool Icmp::inspect(Packet& packet, Hook hook, const Message& message) {
  if (!parts_.hooks.armed(hook, message.family)) return true;
  const PacketContext context = context_of(hook, packet, message);
  auto kept = parts_.hooks.inspect(std::move(packet), context);
  if (!kept) return false;
  packet = std::move(*kept);
  return true;
}

void Icmp::receive(Packet packet, Instant now) {
  PacketMeta& meta = packet.meta();
  Message message{.family = meta.family};
  const auto icmp = wire::IcmpView::parse(packet.head(std::min(packet.size(), wire::IcmpView::kHeaderSize)));
  if (!icmp) return give_up(std::move(packet), icmp.drop(), message);
  message.type = icmp->type();
  message.code = icmp->code();
  message.rest = icmp->rest();
  meta.transport_header_size = wire::IcmpView::kHeaderSize;
  if (!is_transport_checksum_valid(packet)) return give_up(std::move(packet), Drop::BadChecksum, message);
  if (is_echo_request(meta.family, message.type)) return on_echo(std::move(packet), message, now);
  message.match = EndpointMatch::Live;
  if (is_error(meta.family, message.type)) return on_error(std::move(packet), message, now);
  if (meta.family == Family::V6 && wire::icmpv6::is_ndp(message.type)) {
    if (!inspect(packet, Hook::TransportIn, message)) return;
    if (came_in_fragments(packet)) return give_up(std::move(packet), Drop::NeighborInvalid, message);  // RFC 6980 5
    const Bytes bytes = packet.head(packet.size());
    if (bytes.empty()) return give_up(std::move(packet), Drop::NoBuffers, message);
    return ndp_.on_ndp(bytes, packet.meta(), now);
  }
  message.match = EndpointMatch::None;  // echo replies without a question, timestamps, reports: nobody waits for them
  give_up(std::move(packet), Drop::NoEndpoint, message);
}

bool Icmp::may_have_sent(const PathEvent& event) const {
  const std::uint8_t type = load_u8(event.transport_header, 0);
  return is_echo(event.local.family(), type) && !is_echo_request(event.local.family(), type);
}

void Icmp::on_echo(Packet packet, Message& message, Instant now) {
  const PacketMeta& meta = packet.meta();
  const AddressKind to = parts_.addresses.kind_of(meta.destination, meta.interface_index);
  // RFC 1122 3.2.2.6 leaves it to the host whether groups get an answer, RFC 4443 4.2 does not.
  const bool wanted = to == AddressKind::Unicast || (to == AddressKind::Multicast && meta.family == Family::V6);
  if (!wanted) return give_up(std::move(packet), Drop::NoEndpoint, message);
  message.match = EndpointMatch::Live;
  const auto id = static_cast<std::uint16_t>(message.rest >> 16);
  const FlowKey key{record(meta.family).facts.endpoint, {meta.destination, id}, {meta.source, id}};
  if (parts_.hooks.authorizer() != nullptr) {
    const auto flow = flows_.find(key, now);
    message.needs_authorization = !flow.has_value();
    message.flow = flow.value_or(0);
  }
  if (!inspect(packet, Hook::TransportIn, message)) return;
  if (message.needs_authorization && !authorize(packet, message, key, now)) return;
  reply(std::move(packet), message, now);
}

// True: the conversation may go on. False: the packet is gone.
bool Icmp::authorize(Packet& packet, Message& message, const FlowKey& key, Instant now) {
  const PacketMeta& meta = packet.meta();
  const bool injected = meta.origin == Origin::Injected;
  if (flows_.is_pended(key) && !injected) {
    give_up(std::move(packet), Drop::PendRetransmission, message);
    return false;
  }
  flows_.unpend(key);
  Operation operation = make_flow_operation(context_of(Hook::TransportIn, packet, message));
  operation.injected = injected;
  Authorizer& authorizer = *parts_.hooks.authorizer();
  const Authorization answer = authorizer.accept(operation, packet);
  if (answer.decision == Decision::Later && !flows_.pend(key, answer.ticket, now))
    parts_.hooks.stats().count(Drop::PendLimit);
  if (answer.decision != Decision::Allow) return false;
  operation.endpoint.flow = message.flow = answer.flow;
  flows_.insert(key, answer.flow, now);
  if (authorizer.established(operation, packet ? &packet : nullptr)) return true;
  flows_.erase(key);
  if (packet) give_up(std::move(packet), Drop::AuthorizationDenied, message);
  return false;
}

// The options of an IPv4 echo's answer (RFC 1122 3.2.2.6), from the request's header, which still lies before the data.
wire::Ipv4EchoOptions Icmp::options_for(Packet& request, const IpAddress& own, Instant now) {
  const std::uint32_t header_size = request.meta().ip_header_size;
  const bool has_options = request.meta().family == Family::V4 && header_size > wire::Ipv4View::kMinHeaderSize;
  std::array<std::byte, wire::Ipv4EchoOptions::kMaxSize> storage;
  Bytes options;
  if (has_options) {
    request.restore(header_size);
    options = Bytes{storage}.first(request.copy_out(
        wire::Ipv4View::kMinHeaderSize, MutableBytes{storage}.first(header_size - wire::Ipv4View::kMinHeaderSize)));
    request.pull(header_size);
  }
  return {options, own, static_cast<std::uint32_t>(now.ns() / 1'000'000)};
}

void Icmp::reply(Packet packet, const Message& message, Instant now) {
  const PacketMeta& asked = packet.meta();
  const bool to_us = parts_.addresses.is_own_unicast(asked.destination);
  const auto route = output_.route(asked.source, to_us ? std::optional{asked.destination} : std::nullopt);
  if (!route) return give_up(std::move(packet), route.drop(), message);
  Packet answer = parts_.pool.slice(packet, wire::IcmpView::kHeaderSize, packet.size() - wire::IcmpView::kHeaderSize);
  const MutableBytes header = answer ? answer.push(wire::IcmpView::kHeaderSize) : MutableBytes{};
  if (header.empty()) return give_up(std::move(packet), Drop::NoBuffers, message);

  const wire::Ipv4EchoOptions options = options_for(packet, route->source, now);
  SendFacts facts;
  facts.ipv4_options = options.bytes();
  facts.source = route->source;
  facts.destination = asked.source;
  facts.protocol = asked.protocol;
  facts.traffic_class = asked.traffic_class;
  facts.dont_fragment = false;
  facts.origin = Origin::IcmpEcho;
  facts.icmp_type = message.family == Family::V4 ? wire::icmpv4::kEchoReply : wire::icmpv6::kEchoReply;
  facts.icmp_id_and_sequence = message.rest;
  facts.has_icmp_id = true;
  facts.transport_header_size = wire::IcmpView::kHeaderSize;
  facts.endpoint = record(message.family).facts;
  facts.endpoint.flow = message.flow;
  wire::IcmpFields{.type = facts.icmp_type, .rest = message.rest}.emit(header);
  PacketMeta& meta = answer.meta();
  meta = PacketMeta{};
  meta.family = message.family;
  meta.protocol = facts.protocol;
  meta.source = facts.source;
  meta.destination = facts.destination;
  if (!set_partial_checksum(answer) || !finish_checksum(answer, 0))
    return give_up(std::move(packet), Drop::NoBuffers, message);
  packet.reset();
  output_.send(std::move(answer), facts, *route, now);
}

void Icmp::on_error(Packet packet, Message& message, Instant now) {
  const bool is_quoting = packet.size() > wire::IcmpView::kHeaderSize;
  if (!is_quoting) return give_up(std::move(packet), Drop::IcmpInvalid, message);
  if (!inspect(packet, Hook::TransportIn, message)) return;
  packet.pull(wire::IcmpView::kHeaderSize);
  if (!inspect(packet, Hook::IcmpErrorIn, message)) return;
  const Bytes quoted = packet.head(std::min(packet.size(), kMaxQuoted));
  hand_over(quoted, message, now);
}

void Icmp::hand_over(Bytes quoted, const Message& message, Instant now) {
  const auto event = read_path_event(message.family, message.type, message.code, message.rest, quoted);
  if (!event) return parts_.hooks.stats().count(event.drop());
  PathEvent known = event->event;
  // Only what this host can have sent: its source is ours, and the transport knows ports and sequence numbers.
  TransportSink* sink = parts_.transports.find(known.protocol);
  if (!parts_.addresses.is_own_unicast(known.local) || sink == nullptr || !sink->may_have_sent(known))
    return parts_.hooks.stats().count(Drop::IcmpInvalid);
  if (known.kind == PathEvent::Kind::PacketTooBig) {
    const auto mtu = path_mtus_.on_too_big(known.remote, known.mtu, event->quoted_size, now);
    if (!mtu) return parts_.hooks.stats().count(Drop::IcmpInvalid);
    known.mtu = *mtu;
  }
  sink->path_event(known, now);
}

}  // namespace stack::ip
