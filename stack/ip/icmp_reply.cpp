#include "stack/ip/icmp_reply.hpp"

#include <algorithm>
#include <array>

#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"

namespace stack::ip {
namespace {

wire::IcmpFields fields_of(const IcmpErrorDetail& detail, Family family) {
  const bool v4 = family == Family::V4;
  switch (detail.error) {
    case IcmpError::PortUnreachable:
      return {.type = v4 ? wire::icmpv4::kUnreachable : wire::icmpv6::kUnreachable,
              .code = v4 ? wire::icmpv4::kPort : wire::icmpv6::kPort};
    case IcmpError::ProtocolUnreachable:
      if (v4) return {.type = wire::icmpv4::kUnreachable, .code = wire::icmpv4::kProtocol};
      return {.type = wire::icmpv6::kParameterProblem,
              .code = wire::icmpv6::kUnknownNextHeader,
              .rest = detail.parameter};
    case IcmpError::ReassemblyTimeExceeded:
      return {.type = v4 ? wire::icmpv4::kTimeExceeded : wire::icmpv6::kTimeExceeded,
              .code = wire::icmpv4::kReassembly};
    case IcmpError::ParameterProblem:
      break;
  }
  if (v4) return {.type = wire::icmpv4::kParameterProblem, .code = detail.code, .rest = detail.parameter << 24};
  return {.type = wire::icmpv6::kParameterProblem, .code = detail.code, .rest = detail.parameter};
}

// `at`: of the ICMP header. One whose type was cut off might be an error.
bool is_icmp_error(Bytes packet, std::size_t at, bool v4) {
  if (at >= packet.size()) return true;
  return v4 ? wire::icmpv4::is_error(load_u8(packet, at)) : wire::icmpv6::is_error(load_u8(packet, at));
}

// No ICMP error (RFC 1122 3.2.2, RFC 4443 2.4 (e)), and over IPv4 no fragment behind the first. Reads the bytes,
// because a packet that was refused has no complete metadata.
bool may_be_answered(const Packet& offending) {
  std::array<std::byte, wire::Ipv6Chain::kMaxChainSize> storage;
  const Bytes packet = Bytes{storage}.first(offending.copy_out(0, storage));
  if (offending.meta().family == Family::V4) {
    const auto ip = wire::Ipv4View::parse_quoted(packet);
    if (!ip || ip->fragment_offset() != 0) return false;
    return ip->protocol() != wire::kProtocolIcmp || !is_icmp_error(packet, ip->header_size(), true);
  }
  if (packet.size() < wire::Ipv6View::kHeaderSize) return false;
  const auto upper = wire::find_upper_layer(packet);
  if (!upper) return true;  // headers without end are what the answer is about
  if (upper->protocol != wire::kProtocolIcmpv6) return true;
  return !upper->is_later_fragment && !is_icmp_error(packet, upper->offset, false);
}

}  // namespace

bool IcmpReply::is_due(const IcmpErrorDetail& detail, const Packet& offending) const {
  const PacketMeta& meta = offending.meta();
  if (!may_be_answered(offending)) return false;
  if (parts_.addresses.kind_of(meta.source, meta.interface_index) != AddressKind::Unicast) return false;
  if (meta.source.is_loopback() && !meta.loopback) return false;
  const bool to_one_host = parts_.addresses.kind_of(meta.destination, meta.interface_index) == AddressKind::Unicast;
  return (to_one_host && !meta.link_broadcast) || detail.answer_multicast;
}

Packet IcmpReply::build(const IcmpErrorDetail& detail, const Packet& offending, Family family) {
  const bool v4 = family == Family::V4;
  const std::size_t headers =
      (v4 ? wire::Ipv4View::kMinHeaderSize : wire::Ipv6View::kHeaderSize) + wire::IcmpView::kHeaderSize;
  const std::size_t quoted = std::min(offending.size(), (v4 ? kMaxV4 : kMaxV6) - headers);
  Packet packet = parts_.pool.allocate(wire::IcmpView::kHeaderSize + quoted);
  if (!packet) return {};
  const MutableBytes bytes = packet.make_private(packet.size());
  if (bytes.empty()) return {};
  fields_of(detail, family).emit(bytes);
  offending.copy_out(0, bytes.subspan(wire::IcmpView::kHeaderSize));
  return packet;
}

void IcmpReply::send(const IcmpErrorDetail& detail, const Packet& offending, Instant now) {
  if (!is_due(detail, offending)) return;
  if (!limit_.take(now)) return parts_.hooks.stats().count(Drop::IcmpRateLimited);
  const PacketMeta& about = offending.meta();
  const Family family = about.family;
  const bool to_us = parts_.addresses.is_own_unicast(about.destination);
  const auto route = output_.route(about.source, to_us ? std::optional{about.destination} : std::nullopt);
  if (!route) return parts_.hooks.stats().count(route.drop());
  Packet packet = build(detail, offending, family);
  if (!packet) return parts_.hooks.stats().count(Drop::NoBuffers);

  SendFacts facts;
  facts.source = route->source;
  facts.destination = about.source;
  facts.protocol = family == Family::V4 ? wire::kProtocolIcmp : wire::kProtocolIcmpv6;
  facts.dont_fragment = false;
  facts.origin = Origin::IcmpError;
  facts.icmp_type = fields_of(detail, family).type;
  facts.icmp_code = fields_of(detail, family).code;
  facts.transport_header_size = wire::IcmpView::kHeaderSize;
  PacketMeta& meta = packet.meta();
  meta.family = family;
  meta.protocol = facts.protocol;
  meta.source = facts.source;
  meta.destination = facts.destination;
  meta.direction = Direction::Outbound;
  meta.origin = facts.origin;
  meta.interface_index = route->interface_index;
  meta.transport_header_size = facts.transport_header_size;
  meta.loopback = route->loopback;
  if (!set_partial_checksum(packet) || !finish_checksum(packet, 0))
    return parts_.hooks.stats().count(Drop::NoBuffers);
  if (parts_.hooks.armed(Hook::IcmpErrorOut, family)) {
    auto kept = parts_.hooks.inspect(
        std::move(packet), make_outbound_context(Hook::IcmpErrorOut, meta, facts, *route, parts_.addresses));
    if (!kept) return;
    packet = std::move(*kept);
  }
  output_.send(std::move(packet), facts, *route, now);
}

}  // namespace stack::ip
