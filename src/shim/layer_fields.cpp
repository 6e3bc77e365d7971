#include "src/shim/layer_fields.hpp"

#include <array>

#include "fwpsk.h"

namespace shim {
namespace {

using enum Show;

constexpr Show kSubInterface = Zero32;  // an interface has no parts here
constexpr Show kTunnel = Zero32;        // TUNNEL_TYPE_NONE
constexpr Show kProfile = Zero32;       // one network profile, never crossed
constexpr Show kUserId = Nothing;       // README: departures

constexpr std::array kInboundIpPacket{LocalAddress,  RemoteAddress, LocalAddressType, LocalInterface, InterfaceIndex,
                                      kSubInterface, Flags,         InterfaceType,    kTunnel,        Compartment};
constexpr std::array kOutboundIpPacket{LocalAddress,   LocalAddressType, RemoteAddress, LocalInterface,
                                       InterfaceIndex, kSubInterface,    Flags,         InterfaceType,
                                       kTunnel,        Compartment};
constexpr std::array kInboundTransport{Protocol,      LocalAddress,   RemoteAddress,  LocalAddressType, LocalPort,
                                       RemotePort,    LocalInterface, InterfaceIndex, kSubInterface,    Flags,
                                       InterfaceType, kTunnel,        kProfile,       Nothing,          Compartment};
constexpr std::array kOutboundTransport{
    Protocol,       LocalAddress,  LocalAddressType,       RemoteAddress, LocalPort,     RemotePort, LocalInterface,
    InterfaceIndex, kSubInterface, DestinationAddressType, Flags,         InterfaceType, kTunnel,    kProfile,
    Nothing,        Compartment};
constexpr std::array kResourceAssignment{AppId,  kUserId,        LocalAddress, LocalAddressType, LocalPort, Protocol,
                                         Zero32, LocalInterface, Flags,        InterfaceType,    kTunnel,   kProfile,
                                         Zero32, PackageId,      Nothing,      Compartment,      Nothing,   Nothing};
constexpr std::array kAuthListen{AppId,          kUserId,   LocalAddress,  LocalAddressType, LocalPort,
                                 LocalInterface, Flags,     InterfaceType, kTunnel,          kProfile,
                                 Zero32,         PackageId, Nothing,       Compartment};
constexpr std::array kAuthRecvAccept{
    AppId,          kUserId,           LocalAddress,     LocalAddressType, LocalPort, Protocol,       RemoteAddress,
    RemotePort,     Nothing,           Nothing,          LocalInterface,   Flags,     Zero32,         Zero32,
    InterfaceType,  kTunnel,           InterfaceIndex,   kSubInterface,    Interface, InterfaceType,  kTunnel,
    InterfaceIndex, kSubInterface,     Interface,        InterfaceType,    kTunnel,   InterfaceIndex, kProfile,
    kProfile,       ReauthorizeReason, OriginalIcmpType, Zero64,           PackageId, Nothing,        Compartment,
    Nothing,        Nothing,           Nothing,          Nothing};
constexpr std::array kAuthConnect{AppId,
                                  kUserId,
                                  LocalAddress,
                                  LocalAddressType,
                                  LocalPort,
                                  Protocol,
                                  RemoteAddress,
                                  RemotePort,
                                  Nothing,
                                  Nothing,
                                  DestinationAddressType,
                                  LocalInterface,
                                  Flags,
                                  InterfaceType,
                                  kTunnel,
                                  InterfaceIndex,
                                  kSubInterface,
                                  Interface,
                                  InterfaceType,
                                  kTunnel,
                                  InterfaceIndex,
                                  kSubInterface,
                                  Interface,
                                  InterfaceType,
                                  kTunnel,
                                  InterfaceIndex,
                                  kProfile,
                                  kProfile,
                                  ReauthorizeReason,
                                  Nothing,
                                  OriginalIcmpType,
                                  Zero64,
                                  AppId,
                                  PackageId,
                                  Nothing,
                                  Nothing,
                                  Compartment,
                                  Nothing,
                                  Nothing,
                                  Nothing,
                                  Nothing};
constexpr std::array kFlowEstablished{AppId,
                                      kUserId,
                                      LocalAddress,
                                      LocalAddressType,
                                      LocalPort,
                                      Protocol,
                                      RemoteAddress,
                                      RemotePort,
                                      Nothing,
                                      Nothing,
                                      DestinationAddressType,
                                      LocalInterface,
                                      Direction,
                                      InterfaceType,
                                      kTunnel,
                                      Flags,
                                      AppId,
                                      PackageId,
                                      Nothing,
                                      Compartment,
                                      Nothing,
                                      Nothing,
                                      Nothing,
                                      Nothing};

struct Row {
  std::uint16_t v4, v4_discard, v6, v6_discard;
  std::span<const Show> fields;
};

#define WFPTAP_LAYERS(name) \
  FWPS_LAYER_##name##_V4, FWPS_LAYER_##name##_V4_DISCARD, FWPS_LAYER_##name##_V6, FWPS_LAYER_##name##_V6_DISCARD
// The order of LayerPair.
constexpr std::array<Row, kLayerPairCount> kRows{{
    {WFPTAP_LAYERS(INBOUND_IPPACKET), kInboundIpPacket},
    {WFPTAP_LAYERS(OUTBOUND_IPPACKET), kOutboundIpPacket},
    {WFPTAP_LAYERS(INBOUND_TRANSPORT), kInboundTransport},
    {WFPTAP_LAYERS(OUTBOUND_TRANSPORT), kOutboundTransport},
    {WFPTAP_LAYERS(ALE_RESOURCE_ASSIGNMENT), kResourceAssignment},
    {WFPTAP_LAYERS(ALE_AUTH_LISTEN), kAuthListen},
    {WFPTAP_LAYERS(ALE_AUTH_RECV_ACCEPT), kAuthRecvAccept},
    {WFPTAP_LAYERS(ALE_AUTH_CONNECT), kAuthConnect},
    {WFPTAP_LAYERS(ALE_FLOW_ESTABLISHED), kFlowEstablished},
}};
#undef WFPTAP_LAYERS

// A table that misses a field shifts all that follow; the headers say how many there are.
static_assert(kInboundIpPacket.size() == FWPS_FIELD_INBOUND_IPPACKET_V4_MAX &&
              kOutboundIpPacket.size() == FWPS_FIELD_OUTBOUND_IPPACKET_V6_MAX &&
              kInboundTransport.size() == FWPS_FIELD_INBOUND_TRANSPORT_V6_MAX &&
              kOutboundTransport.size() == FWPS_FIELD_OUTBOUND_TRANSPORT_V6_MAX);
static_assert(kResourceAssignment.size() == FWPS_FIELD_ALE_RESOURCE_ASSIGNMENT_V6_MAX &&
              kAuthListen.size() == FWPS_FIELD_ALE_AUTH_LISTEN_V6_MAX &&
              kAuthRecvAccept.size() == FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V6_MAX &&
              kAuthConnect.size() == FWPS_FIELD_ALE_AUTH_CONNECT_V6_MAX &&
              kFlowEstablished.size() == FWPS_FIELD_ALE_FLOW_ESTABLISHED_V6_MAX);
static_assert(kAuthConnect.size() <= kMaxFields);

const Row& row_of(LayerPair pair) { return kRows[static_cast<std::size_t>(pair)]; }

}  // namespace

std::uint16_t layer_id(LayerPair pair, stack::Family family) {
  return family == stack::Family::V4 ? row_of(pair).v4 : row_of(pair).v6;
}

std::uint16_t discard_layer_id(LayerPair pair, stack::Family family) {
  return family == stack::Family::V4 ? row_of(pair).v4_discard : row_of(pair).v6_discard;
}

std::span<const Show> fields_of(LayerPair pair) { return row_of(pair).fields; }

}  // namespace shim
