// Where packets go: the part of Output that chooses interface, next hop and source.
#include <algorithm>

#include "stack/ip/output.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/tcp.hpp"

namespace stack::ip {
namespace {

// Room that a large send leaves for the headers of IP and TCP.
constexpr std::uint32_t kLargeSendHeaders = wire::Ipv6View::kHeaderSize + wire::TcpView::kMaxHeaderSize;

}  // namespace

std::uint32_t Output::route_generation() const {
  return parts_.routes.generation() + parts_.addresses.generation() + parts_.path_mtus.generation() +
         parts_.hooks.offload_generation();
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
  if (chosen->is_loopback() && !route.loopback) return Drop::NoSourceAddress;  // RFC 1122 3.2.1.3 (g), RFC 4291 2.5.3
  route.source = *chosen;
  route.remote_kind = parts_.addresses.kind_of(remote, route.interface_index);
  const auto path = parts_.path_mtus.path(remote, interface.mtu());
  route.mtu = path.mtu;
  route.may_fragment = path.may_fragment;
  // Nothing is cut on the way to oneself: TCP's segments are as large as packets can be. Without a card that segments
  // there are no large sends, as in NDIS: hooks see what goes out.
  const LinkCapabilities offload = offload_of(interface, remote.family());
  route.checksum_offload = offload.checksum;
  if (!route.loopback && offload.has_tso(remote.family())) {
    const std::uint32_t largest = std::min(offload.gso_max_bytes, kMaxPacket);
    route.large_send_max = largest > kLargeSendHeaders ? largest - kLargeSendHeaders : 0;
  }
  return route;
}

void Output::confirm_reachable(const Route& route, Instant now) {
  if (IpInterface* interface = parts_.interfaces.find(route.interface_index))
    interface->confirm_reachable(route.next_hop, now);
}

}  // namespace stack::ip
