// What hooks must not see unfinished: the part of Output above the transport-out hook. A link that does not finish
// checksums or cut large sends gets neither, and nobody at the hooks sees any; a link that does both is not used for
// traffic whose observers have not agreed to see what it leaves open (Hooks::refuse_offload).
//
// TCP asks the route before it makes a large send. What is cut here comes from elsewhere: it was injected, by somebody
// who kept it from before offload was refused, or who made it.
#include "stack/ip/output.hpp"
#include "stack/ip/transport_facts.hpp"

namespace stack::ip {

LinkCapabilities Output::offload_of(const IpInterface& interface, Family family) const {
  return parts_.hooks.refuses_offload(Direction::Outbound, family) ? LinkCapabilities{} : interface.capabilities();
}

// Data at the IP header. Each segment passes the hooks as a packet of its own.
void Output::send_segments(Packet packet, const Departure& departure) {
  std::optional<ParameterProblem> problem;
  const auto header = parse_ip_header(packet, problem);
  if (!header) return give_up(std::move(packet), header.drop(), departure);
  const std::uint32_t segment_size = segment_size_of(packet, departure.route.mtu);
  if (segment_size == 0) {
    packet.set_large_send({});
    return show_behind_header(std::move(packet), header->header_size, departure, false);
  }
  const Cut cut = cut_into_segments(parts_.pool, packet, *header, segment_size, [&](Packet segment) {
    SendFacts facts = departure.facts;
    segment.pull(header->header_size);
    read_transport_facts(segment, facts);
    segment.restore(header->header_size);
    show_behind_header(std::move(segment), header->header_size, {facts, departure.route, departure.now}, false);
  });
  if (!cut.complete) give_up(std::move(packet), Drop::NoBuffers, departure);
}

}  // namespace stack::ip
