// How packets fit: the part of Output below the IP-out hook. It does what the link does not (checksums, segmentation)
// and what the path demands (fragments), whoever made the packet: an endpoint, or a driver that injects it.
#include <algorithm>

#include "stack/ip/output.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "stack/wire/tcp.hpp"

namespace stack::ip {
namespace {

// What a fragment takes at least behind the headers of the whole: IPv6's fragment header and eight bytes of payload.
constexpr std::uint32_t kLeastFragment = wire::Ipv6Fragment::kHeaderSize + 8;

// Puts into the checksum field what the link expects there: the finished sum, or, where the link makes that or cuts
// the packet, the sum over the pseudo header. False: no buffer left.
bool settle_checksum(Packet& packet, bool link_finishes, bool link_cuts) {
  const std::size_t transport = packet.meta().ip_header_size;
  const bool partial = packet.checksum().transport_partial;
  if (link_cuts && !partial) return set_partial_checksum(packet, transport);
  if (partial && !link_finishes) return finish_checksum(packet, transport);
  return true;
}

}  // namespace

// Payload bytes of the segments that a large send becomes; 0: it is none, whatever its sender said. Never more than
// the path takes, which may have become narrower since the sender looked.
std::uint32_t Output::segment_size_of(const Packet& packet, std::uint32_t mtu) {
  const std::uint32_t asked = packet.large_send().segment_size;
  const PacketMeta& meta = packet.meta();
  const std::uint32_t headers = meta.ip_header_size + meta.transport_header_size;
  if (asked == 0 || meta.protocol != wire::kProtocolTcp || meta.transport_header_size == 0 || mtu <= headers)
    return 0;
  const std::uint32_t size = std::min(asked, mtu - headers);
  return packet.size() > std::size_t{headers} + size ? size : 0;
}

// Most packets fit and the link does the rest: no parse, no copy.
void Output::transmit(Packet packet, const Departure& departure) {
  const Route& route = departure.route;
  IpInterface& interface = *parts_.interfaces.find(route.interface_index);
  const LinkCapabilities link = interface.capabilities();
  const std::uint32_t segment_size = segment_size_of(packet, route.mtu);
  if (packet.large_send().segment_size != segment_size) packet.set_large_send({segment_size});
  const bool link_cuts =
      segment_size != 0 && link.has_tso(packet.meta().family) && packet.size() <= link.gso_max_bytes;
  if (!link_cuts && (segment_size != 0 || packet.size() > route.mtu))
    return cut(std::move(packet), segment_size, interface, departure);
  if (!settle_checksum(packet, link.checksum, link_cuts))
    return give_up(std::move(packet), Drop::NoBuffers, departure);
  interface.send(std::move(packet), route.next_hop, departure.now);
}

void Output::cut(Packet packet, std::uint32_t segment_size, IpInterface& interface, const Departure& departure) {
  std::optional<ParameterProblem> problem;
  const auto header = parse_ip_header(packet, problem);
  if (!header) return give_up(std::move(packet), header.drop(), departure);
  Cut cut;
  if (segment_size != 0) {
    cut = segment(packet, *header, segment_size, interface, departure);
  } else {
    // IPv6 has no bit for it, but a sender that wants none gets none; fragments of fragments only IPv4 knows.
    const bool may_fragment =
        header->family == Family::V4 ? !header->dont_fragment : !header->fragment && !departure.facts.dont_fragment;
    if (!may_fragment || departure.route.mtu < header->header_size + kLeastFragment) {
      tell_transport(packet, *header, PathEvent::Kind::PacketTooBig, departure.route.mtu, departure.now);
      return give_up(std::move(packet), Drop::PacketTooBig, departure);
    }
    cut = fragment(packet, *header, interface, departure);
  }
  if (!cut.complete) give_up(std::move(packet), Drop::NoBuffers, departure);
}

Cut Output::segment(Packet& packet, const IpHeader& header, std::uint32_t segment_size, IpInterface& interface,
                    const Departure& departure) {
  const bool link_finishes = interface.capabilities().checksum;
  return cut_into_segments(parts_.pool, packet, header, segment_size, [&](Packet segment) {
    if (!settle_checksum(segment, link_finishes, false))
      return give_up(std::move(segment), Drop::NoBuffers, departure);
    interface.send(std::move(segment), departure.route.next_hop, departure.now);
  });
}

Cut Output::fragment(Packet& packet, const IpHeader& header, IpInterface& interface, const Departure& departure) {
  if (!settle_checksum(packet, false, false)) return {};
  return cut_into_fragments(
      parts_.pool, packet, header, departure.route.mtu, parts_.random.next_u32(),
      [&](Packet piece) { interface.send(std::move(piece), departure.route.next_hop, departure.now); });
}

}  // namespace stack::ip
