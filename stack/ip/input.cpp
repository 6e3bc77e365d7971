#include "stack/ip/input.hpp"

#include <algorithm>

#include "stack/ip/fragment_check.hpp"
#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_facts.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "stack/wire/tcp.hpp"

namespace stack::ip {

Input::Input(const IpParts& parts, IcmpReply& icmp_reply, SipKey key, const ReassemblyConfig& reassembly)
    : parts_(parts),
      icmp_reply_(icmp_reply),
      reassembly_(parts.pool, parts.teller, parts.hooks, key, reassembly, [this](const Packet& first, Instant now) {
        icmp_reply_.send({.error = IcmpError::ReassemblyTimeExceeded}, first, now);
      }) {}

void Input::give_up(Packet packet, Drop reason) {
  const PacketContext context = make_inbound_context(Hook::IpIn, packet.meta(), parts_.addresses);
  parts_.hooks.discard(std::move(packet), reason, context);
}

void Input::give_up_unread(Packet packet, const IpHeader& header, Drop reason) {
  PacketContext context = make_inbound_context(Hook::IpIn, packet.meta(), parts_.addresses);
  if (!header.fragment || header.fragment->offset == 0) {
    packet.pull(header.header_size);
    read_transport_facts(packet, context);
    packet.restore(header.header_size);
  }
  parts_.hooks.discard(std::move(packet), reason, context);
}

// RFC 1122 3.2.1.3, RFC 4291 2.5 to 2.7: addresses that are no source, and loopback addresses from a wire.
bool Input::is_source_legal(const PacketMeta& meta) const {
  const AddressKind kind = parts_.addresses.kind_of(meta.source, meta.interface_index);
  if (kind == AddressKind::Multicast || kind == AddressKind::Broadcast) return false;
  if (meta.loopback) return true;
  if (meta.source.is_loopback() || meta.destination.is_loopback()) return false;
  const bool may_be_detection = meta.family == Family::V6 && meta.protocol == wire::kProtocolIcmpv6;
  if (kind == AddressKind::Unspecified) return may_be_detection;
  // Somebody who claims to be us: refused, but a driver may well inject what this host sent before, and duplicate
  // detection lives from hearing the other owner (RFC 4862 5.4.4).
  return !parts_.addresses.is_own_unicast(meta.source) || meta.origin == Origin::Injected || may_be_detection;
}

// RFC 1122 3.3.6: what came in a frame to all, but names one host, would make many answer.
bool Input::may_be_in_group_frame(const PacketMeta& meta) const {
  if (!meta.link_broadcast || meta.family != Family::V4) return true;
  return parts_.addresses.kind_of(meta.destination, meta.interface_index) != AddressKind::Unicast;
}

void Input::receive(Packet packet, Instant now) {
  std::optional<ParameterProblem> problem;
  const auto header = parse_ip_header(packet, problem);
  if (!header) return refuse(std::move(packet), header.drop(), problem, now);
  packet.trim(header->total_size);
  PacketMeta& meta = packet.meta();
  fill_meta(meta, *header);
  meta.direction = Direction::Inbound;
  meta.transport_header_size = 0;
  if (!is_source_legal(meta)) return give_up_unread(std::move(packet), *header, Drop::BadSourceAddress);
  if (!parts_.addresses.is_for_us(header->destination, meta.interface_index) || !may_be_in_group_frame(meta))
    return give_up_unread(std::move(packet), *header, Drop::NotForUs);
  const Coalesced coalesced = packet.coalesced();
  const bool is_super_frame = coalesced.segment_count > 1 && coalesced.segment_size > 0 && !header->fragment &&
                              header->protocol == wire::kProtocolTcp;
  if (!is_super_frame || !parts_.hooks.refuses_offload(Direction::Inbound, meta.family))
    return accept(std::move(packet), *header, now);
  const Cut cut = cut_into_segments(parts_.pool, packet, *header, coalesced.segment_size, [&](Packet segment) {
    std::optional<ParameterProblem> none;
    const auto own_header = parse_ip_header(segment, none);
    if (own_header) accept(std::move(segment), *own_header, now);
  });
  if (!cut.complete) give_up(std::move(packet), cut.made == 0 ? Drop::TruncatedHeader : Drop::NoBuffers);
}

void Input::accept(Packet packet, const IpHeader& header, Instant now) {
  packet.pull(header.header_size);
  if (!show(packet, header, false)) return;
  if (header.fragment) return on_fragment(std::move(packet), header, now);
  deliver(std::move(packet), header, now);
}

bool Input::show(Packet& packet, const IpHeader& header, bool as_fragment) {
  if (!parts_.hooks.armed(Hook::IpIn, header.family)) return true;
  PacketContext context = make_inbound_context(Hook::IpIn, packet.meta(), parts_.addresses);
  if (!header.fragment || header.fragment->offset == 0) read_transport_facts(packet, context);
  if (as_fragment) {
    const std::uint32_t known = reassembly_.known_size(header);
    context.is_fragment = true;
    context.fragment = {.id = header.fragment->id,
                        .offset = header.fragment->offset,
                        .length = known != 0 ? known : header.total_size - header.header_size,
                        .more = header.fragment->more};
  }
  auto kept = parts_.hooks.inspect(std::move(packet), context);
  if (!kept) return false;
  packet = std::move(*kept);
  return true;
}

bool Input::is_fragment_legal(Packet& packet, const IpHeader& header, Instant now) {
  packet.restore(header.header_size);
  auto fault = check_fragment_size(header);
  if (!fault)
    fault = check_first_fragment(header, packet.head(std::min(packet.size(), wire::Ipv6Chain::kMaxChainSize)));
  if (fault) {
    refuse(std::move(packet), fault->reason, fault->problem, now);
    return false;
  }
  packet.pull(header.header_size);
  return true;
}

void Input::on_fragment(Packet packet, const IpHeader& header, Instant now) {
  if (!is_fragment_legal(packet, header, now) || !show(packet, header, true)) return;
  Packet whole = reassembly_.add(std::move(packet), header, now);
  if (!whole) return;
  std::optional<ParameterProblem> problem;
  whole.set_checksum({.ip_verified = true});
  const auto whole_header = parse_ip_header(whole, problem);
  if (!whole_header) return refuse(std::move(whole), whole_header.drop(), problem, now);
  fill_meta(whole.meta(), *whole_header);
  if (whole_header->fragment) return give_up(std::move(whole), Drop::BadOption);  // a fragment within fragments
  whole.pull(whole_header->header_size);
  if (!show(whole, *whole_header, false)) return;
  deliver(std::move(whole), *whole_header, now);
}

// ICMP belongs to one family each: over the other one its number is nobody's.
TransportSink* Input::find_sink(const IpHeader& header) const {
  const std::uint8_t foreign = header.family == Family::V4 ? wire::kProtocolIcmpv6 : wire::kProtocolIcmp;
  return header.protocol == foreign ? nullptr : parts_.transports.find(header.protocol);
}

void Input::deliver(Packet packet, const IpHeader& header, Instant now) {
  if (TransportSink* sink = find_sink(header)) return sink->receive(std::move(packet), now);
  const bool is_complete = header.family == Family::V6 && header.protocol == wire::ipv6_header::kNone;
  if (is_complete) return give_up(std::move(packet), Drop::UnknownProtocol);  // RFC 8200 4.7: nothing, and no fault
  Packet kept = packet.share();
  const PacketContext context = make_inbound_context(Hook::IpIn, packet.meta(), parts_.addresses);
  if (!parts_.hooks.discard(std::move(packet), Drop::UnknownProtocol, context)) return;
  kept.restore(header.header_size);
  icmp_reply_.send({.error = IcmpError::ProtocolUnreachable, .parameter = header.next_header_offset}, kept, now);
}

// The packet could not be parsed to its end; when its sender is owed a parameter problem, the addresses are readable.
void Input::refuse(Packet packet, Drop reason, const std::optional<ParameterProblem>& problem, Instant now) {
  if (!problem) return parts_.hooks.discard(std::move(packet), reason);
  PacketMeta& meta = packet.meta();
  const Bytes head = packet.head(std::min<std::size_t>(packet.size(), 40));
  meta.family = load_u8(head, 0) >> 4 == 6 ? Family::V6 : Family::V4;
  const bool v4 = meta.family == Family::V4;
  meta.source = v4 ? IpAddress::v4(head.subspan(12, 4)) : IpAddress::v6(head.subspan(8, 16));
  meta.destination = v4 ? IpAddress::v4(head.subspan(16, 4)) : IpAddress::v6(head.subspan(24, 16));
  meta.protocol = 0;
  meta.ip_header_size = 0;
  meta.direction = Direction::Inbound;
  const bool for_us = parts_.addresses.is_for_us(meta.destination, meta.interface_index);
  Packet kept = packet.share();
  const PacketContext context = make_inbound_context(Hook::IpIn, meta, parts_.addresses);
  if (!parts_.hooks.discard(std::move(packet), reason, context) || !for_us || !is_source_legal(kept.meta())) return;
  icmp_reply_.send({.error = IcmpError::ParameterProblem,
                    .code = problem->code,
                    .parameter = problem->pointer,
                    .answer_multicast = problem->answer_multicast},
                   kept, now);
}

}  // namespace stack::ip
