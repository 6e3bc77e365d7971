#include "stack/link/ethernet_demux.hpp"

#include <algorithm>

#include "stack/wire/ethernet.hpp"

namespace stack::link {

Result<Demuxed> demux(Packet& frame, const MacAddress& own) {
  const auto ethernet =
      wire::EthernetView::parse(frame.head(std::min(frame.size(), wire::EthernetView::kHeaderSize)));
  if (!ethernet) return ethernet.drop();
  const MacAddress destination = ethernet->destination();
  Demuxed result{.to_group = destination.is_multicast()};
  if (!result.to_group && destination != own) return Drop::NotForUs;
  switch (ethernet->ether_type()) {
    case wire::kEtherTypeIpv4:
      result.kind = FrameKind::Ipv4;
      return result;
    case wire::kEtherTypeIpv6:
      result.kind = FrameKind::Ipv6;
      return result;
    case wire::kEtherTypeArp:
      result.kind = FrameKind::Arp;
      return result;
    default:
      return Drop::UnknownEtherType;
  }
}

}  // namespace stack::link
