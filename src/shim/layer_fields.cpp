#include "src/shim/layer_fields.hpp"

#include <array>
#include <initializer_list>

#include "fwpsk.h"
#include "stack/base/assert.hpp"

namespace shim {
namespace {

using enum Show;

constexpr Show kSubInterface = Zero32;  // an interface has no parts here
constexpr Show kTunnel = Zero32;        // TUNNEL_TYPE_NONE
constexpr Show kProfile = Zero32;       // one network profile, never crossed

struct Field {
  std::size_t v4, v6;  // its index at the layer of each family
  Show shows;
};

// What each of a layer's fields shows, by index. A field that is not in the list shows nothing.
template <std::size_t count>
consteval std::array<Show, count> spread(std::initializer_list<Field> fields) {
  std::array<Show, count> shows{};
  for (const Field& field : fields) {
    if (field.v4 != field.v6) throw "the families number this field differently: they need a list each";
    if (shows[field.v4] != Nothing) throw "this field is in the list twice";
    shows[field.v4] = field.shows;
  }
  return shows;
}

#define WFPTAP_FIELD(layer, field, shows) \
  { FWPS_FIELD_##layer##_V4_##field, FWPS_FIELD_##layer##_V6_##field, shows }

constexpr auto kInboundIpPacket = spread<FWPS_FIELD_INBOUND_IPPACKET_V4_MAX>({
    WFPTAP_FIELD(INBOUND_IPPACKET, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(INBOUND_IPPACKET, IP_REMOTE_ADDRESS, RemoteAddress),
    WFPTAP_FIELD(INBOUND_IPPACKET, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(INBOUND_IPPACKET, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(INBOUND_IPPACKET, INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(INBOUND_IPPACKET, SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(INBOUND_IPPACKET, FLAGS, Flags),
    WFPTAP_FIELD(INBOUND_IPPACKET, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(INBOUND_IPPACKET, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(INBOUND_IPPACKET, COMPARTMENT_ID, Compartment),
});
constexpr auto kOutboundIpPacket = spread<FWPS_FIELD_OUTBOUND_IPPACKET_V4_MAX>({
    WFPTAP_FIELD(OUTBOUND_IPPACKET, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, IP_REMOTE_ADDRESS, RemoteAddress),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, FLAGS, Flags),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(OUTBOUND_IPPACKET, COMPARTMENT_ID, Compartment),
});
constexpr auto kInboundTransport = spread<FWPS_FIELD_INBOUND_TRANSPORT_V4_MAX>({
    WFPTAP_FIELD(INBOUND_TRANSPORT, IP_PROTOCOL, Protocol),
    WFPTAP_FIELD(INBOUND_TRANSPORT, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(INBOUND_TRANSPORT, IP_REMOTE_ADDRESS, RemoteAddress),
    WFPTAP_FIELD(INBOUND_TRANSPORT, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(INBOUND_TRANSPORT, IP_LOCAL_PORT, LocalPort),
    WFPTAP_FIELD(INBOUND_TRANSPORT, IP_REMOTE_PORT, RemotePort),
    WFPTAP_FIELD(INBOUND_TRANSPORT, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(INBOUND_TRANSPORT, INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(INBOUND_TRANSPORT, SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(INBOUND_TRANSPORT, FLAGS, Flags),
    WFPTAP_FIELD(INBOUND_TRANSPORT, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(INBOUND_TRANSPORT, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(INBOUND_TRANSPORT, PROFILE_ID, kProfile),
    WFPTAP_FIELD(INBOUND_TRANSPORT, COMPARTMENT_ID, Compartment),
});
constexpr auto kOutboundTransport = spread<FWPS_FIELD_OUTBOUND_TRANSPORT_V4_MAX>({
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_PROTOCOL, Protocol),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_REMOTE_ADDRESS, RemoteAddress),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_LOCAL_PORT, LocalPort),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_REMOTE_PORT, RemotePort),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, IP_DESTINATION_ADDRESS_TYPE, DestinationAddressType),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, FLAGS, Flags),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, PROFILE_ID, kProfile),
    WFPTAP_FIELD(OUTBOUND_TRANSPORT, COMPARTMENT_ID, Compartment),
});
constexpr auto kResourceAssignment = spread<FWPS_FIELD_ALE_RESOURCE_ASSIGNMENT_V4_MAX>({
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, ALE_APP_ID, AppId),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, IP_LOCAL_PORT, LocalPort),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, IP_PROTOCOL, Protocol),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, ALE_PROMISCUOUS_MODE, Zero32),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, FLAGS, Flags),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, LOCAL_INTERFACE_PROFILE_ID, kProfile),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, SIO_FIREWALL_SOCKET_PROPERTY, Zero32),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, ALE_PACKAGE_ID, PackageId),
    WFPTAP_FIELD(ALE_RESOURCE_ASSIGNMENT, COMPARTMENT_ID, Compartment),
});
constexpr auto kAuthListen = spread<FWPS_FIELD_ALE_AUTH_LISTEN_V4_MAX>({
    WFPTAP_FIELD(ALE_AUTH_LISTEN, ALE_APP_ID, AppId),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, IP_LOCAL_PORT, LocalPort),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, FLAGS, Flags),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, LOCAL_INTERFACE_PROFILE_ID, kProfile),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, SIO_FIREWALL_SOCKET_PROPERTY, Zero32),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, ALE_PACKAGE_ID, PackageId),
    WFPTAP_FIELD(ALE_AUTH_LISTEN, COMPARTMENT_ID, Compartment),
});
constexpr auto kAuthRecvAccept = spread<FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_MAX>({
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, ALE_APP_ID, AppId),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_LOCAL_PORT, LocalPort),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_PROTOCOL, Protocol),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_REMOTE_ADDRESS, RemoteAddress),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_REMOTE_PORT, RemotePort),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, FLAGS, Flags),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, SIO_FIREWALL_SYSTEM_PORT, Zero32),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, NAP_CONTEXT, Zero32),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_ARRIVAL_INTERFACE, Interface),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, ARRIVAL_INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, ARRIVAL_TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, ARRIVAL_INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, NEXTHOP_SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, IP_NEXTHOP_INTERFACE, Interface),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, NEXTHOP_INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, NEXTHOP_TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, NEXTHOP_INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, ORIGINAL_PROFILE_ID, kProfile),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, CURRENT_PROFILE_ID, kProfile),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, REAUTHORIZE_REASON, ReauthorizeReason),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, ORIGINAL_ICMP_TYPE, OriginalIcmpType),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, INTERFACE_QUARANTINE_EPOCH, Zero64),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, ALE_PACKAGE_ID, PackageId),
    WFPTAP_FIELD(ALE_AUTH_RECV_ACCEPT, COMPARTMENT_ID, Compartment),
});
constexpr auto kAuthConnect = spread<FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX>({
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ALE_APP_ID, AppId),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_LOCAL_PORT, LocalPort),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_PROTOCOL, Protocol),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_REMOTE_ADDRESS, RemoteAddress),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_REMOTE_PORT, RemotePort),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_DESTINATION_ADDRESS_TYPE, DestinationAddressType),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, FLAGS, Flags),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_ARRIVAL_INTERFACE, Interface),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ARRIVAL_INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ARRIVAL_TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ARRIVAL_INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, NEXTHOP_SUB_INTERFACE_INDEX, kSubInterface),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, IP_NEXTHOP_INTERFACE, Interface),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, NEXTHOP_INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, NEXTHOP_TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, NEXTHOP_INTERFACE_INDEX, InterfaceIndex),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ORIGINAL_PROFILE_ID, kProfile),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, CURRENT_PROFILE_ID, kProfile),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, REAUTHORIZE_REASON, ReauthorizeReason),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ORIGINAL_ICMP_TYPE, OriginalIcmpType),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, INTERFACE_QUARANTINE_EPOCH, Zero64),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ALE_ORIGINAL_APP_ID, AppId),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, ALE_PACKAGE_ID, PackageId),
    WFPTAP_FIELD(ALE_AUTH_CONNECT, COMPARTMENT_ID, Compartment),
});
constexpr auto kFlowEstablished = spread<FWPS_FIELD_ALE_FLOW_ESTABLISHED_V4_MAX>({
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, ALE_APP_ID, AppId),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_LOCAL_ADDRESS, LocalAddress),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_LOCAL_ADDRESS_TYPE, LocalAddressType),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_LOCAL_PORT, LocalPort),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_PROTOCOL, Protocol),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_REMOTE_ADDRESS, RemoteAddress),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_REMOTE_PORT, RemotePort),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_DESTINATION_ADDRESS_TYPE, DestinationAddressType),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, IP_LOCAL_INTERFACE, LocalInterface),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, DIRECTION, Direction),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, INTERFACE_TYPE, InterfaceType),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, TUNNEL_TYPE, kTunnel),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, FLAGS, Flags),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, ALE_ORIGINAL_APP_ID, AppId),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, ALE_PACKAGE_ID, PackageId),
    WFPTAP_FIELD(ALE_FLOW_ESTABLISHED, COMPARTMENT_ID, Compartment),
});

#undef WFPTAP_FIELD

struct Row {
  std::uint16_t v4, v4_discard, v6, v6_discard;
  std::span<const Show> fields;
};

#define WFPTAP_ROW(layer, fields)                                                      \
  {                                                                                    \
    FWPS_LAYER_##layer##_V4, FWPS_LAYER_##layer##_V4_DISCARD, FWPS_LAYER_##layer##_V6, \
        FWPS_LAYER_##layer##_V6_DISCARD, fields                                        \
  }

constexpr Row row_of(LayerPair pair) {
  static_assert(kAuthConnect.size() <= kMaxFields, "the layer with the most fields");
  switch (pair) {
    case LayerPair::InboundIpPacket:
      return WFPTAP_ROW(INBOUND_IPPACKET, kInboundIpPacket);
    case LayerPair::OutboundIpPacket:
      return WFPTAP_ROW(OUTBOUND_IPPACKET, kOutboundIpPacket);
    case LayerPair::InboundTransport:
      return WFPTAP_ROW(INBOUND_TRANSPORT, kInboundTransport);
    case LayerPair::OutboundTransport:
      return WFPTAP_ROW(OUTBOUND_TRANSPORT, kOutboundTransport);
    case LayerPair::ResourceAssignment:
      return WFPTAP_ROW(ALE_RESOURCE_ASSIGNMENT, kResourceAssignment);
    case LayerPair::AuthListen:
      return WFPTAP_ROW(ALE_AUTH_LISTEN, kAuthListen);
    case LayerPair::AuthRecvAccept:
      return WFPTAP_ROW(ALE_AUTH_RECV_ACCEPT, kAuthRecvAccept);
    case LayerPair::AuthConnect:
      return WFPTAP_ROW(ALE_AUTH_CONNECT, kAuthConnect);
    case LayerPair::FlowEstablished:
      return WFPTAP_ROW(ALE_FLOW_ESTABLISHED, kFlowEstablished);
  }
  CHECK(false);
  return {};
}
#undef WFPTAP_ROW

}  // namespace

std::uint16_t layer_id(LayerPair pair, stack::Family family) {
  return family == stack::Family::V4 ? row_of(pair).v4 : row_of(pair).v6;
}

std::uint16_t discard_layer_id(LayerPair pair, stack::Family family) {
  return family == stack::Family::V4 ? row_of(pair).v4_discard : row_of(pair).v6_discard;
}

std::vector<std::uint16_t> asked_layers() {
  std::vector<std::uint16_t> ids;
  for (auto at = std::size_t{0}; at <= static_cast<std::size_t>(LayerPair::FlowEstablished); ++at)
    for (const auto family : {stack::Family::V4, stack::Family::V6}) {
      const auto pair = static_cast<LayerPair>(at);
      ids.push_back(layer_id(pair, family));
      // What ALE_FLOW_ESTABLISHED blocks is shown where the packet is discarded, at the transport's twin.
      if (pair != LayerPair::FlowEstablished) ids.push_back(discard_layer_id(pair, family));
    }
  return ids;
}

std::span<const Show> fields_of(LayerPair pair) { return row_of(pair).fields; }

}  // namespace shim
