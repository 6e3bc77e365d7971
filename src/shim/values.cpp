#include "src/shim/values.hpp"

#include <span>

#include "src/shim/sid.hpp"
#include "stack/base/assert.hpp"

namespace shim {
namespace {

// What a field shows. The tables below are the layers' fields in index order.
enum class Show : std::uint8_t {
  Nothing,  // FWP_EMPTY: not documented, or nothing to say
  Zero32,
  Zero64,
  Protocol,
  LocalAddress,
  RemoteAddress,
  LocalAddressType,
  DestinationAddressType,
  LocalPort,
  RemotePort,
  LocalInterface,  // LUID of the interface that has the local address
  Interface,       // LUID of the interface that the packet came by or leaves by
  InterfaceIndex,
  InterfaceType,
  Flags,
  Direction,
  Compartment,
  AppId,
  PackageId,
  ReauthorizeReason,
  OriginalIcmpType,
};
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
static_assert(kAuthConnect.size() <= Values::kMaxFields);

const Row& row_of(LayerPair pair) { return kRows[static_cast<std::size_t>(pair)]; }

FWP_VALUE0 make8(std::uint8_t number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT8;
  value.uint8 = number;
  return value;
}
FWP_VALUE0 make16(std::uint16_t number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT16;
  value.uint16 = number;
  return value;
}
FWP_VALUE0 make32(std::uint32_t number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT32;
  value.uint32 = number;
  return value;
}
FWP_VALUE0 make64(UINT64* number) {
  FWP_VALUE0 value{};
  value.type = FWP_UINT64;
  value.uint64 = number;
  return value;
}

}  // namespace

class FieldWriter {
 public:
  FieldWriter(Values& values, const Facts& facts, const Interfaces& interfaces)
      : values_(values), facts_(facts), interface_(interfaces.find(facts.interface_index)) {
    values_.local_interface_ = interfaces.find(facts.local_interface_index).luid;
    values_.interface_ = interface_.luid;
  }

  FWP_VALUE0 write(Show show) {
    switch (show) {
      case Nothing:
        return {};
      case Zero32:
        return make32(0);
      case Zero64:
        return make64(&values_.zero_);
      case Protocol:
        return make8(facts_.protocol);
      case LocalAddress:
        return address(facts_.local, values_.local_address_);
      case RemoteAddress:
        return address(facts_.remote, values_.remote_address_);
      case LocalAddressType:
        return kind(facts_.local_kind);
      case DestinationAddressType:
        return kind(is_outbound() ? facts_.remote_kind : facts_.local_kind);
      case LocalPort:
        return make16(facts_.local_port);
      case RemotePort:
        return make16(facts_.remote_port);
      case LocalInterface:
        return make64(&values_.local_interface_);
      case Interface:
        return make64(&values_.interface_);
      case InterfaceIndex:
        return make32(facts_.interface_index);
      case InterfaceType:
        return make32(interface_.type);
      case Flags:
        return make32(facts_.condition_flags);
      case Direction:
        return make32(is_outbound() ? FWP_DIRECTION_OUTBOUND : FWP_DIRECTION_INBOUND);
      case Compartment:
        return make32(kCompartmentId);
      case AppId:
        return app_id();
      case PackageId:
        return package_id();
      case ReauthorizeReason:
        return make32(facts_.reauthorize_reason);
      case OriginalIcmpType:
        return make16(is_icmp() ? facts_.local_port : std::uint16_t{0});
    }
    CHECK(false);
    return {};
  }

 private:
  bool is_outbound() const { return facts_.direction == stack::Direction::Outbound; }
  bool is_icmp() const { return facts_.protocol == IPPROTO_ICMP || facts_.protocol == IPPROTO_ICMPV6; }

  // The numbers of NL_ADDRESS_TYPE are those of stack::AddressKind.
  static FWP_VALUE0 kind(stack::AddressKind of) { return make8(static_cast<std::uint8_t>(of)); }

  FWP_VALUE0 address(const stack::IpAddress& address, FWP_BYTE_ARRAY16& storage) const {
    if (facts_.family == stack::Family::V4) return make32(address.v4_host_order());
    const stack::Bytes bytes = address.bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) storage.byteArray16[i] = std::to_integer<UINT8>(bytes[i]);
    FWP_VALUE0 value{};
    value.type = FWP_BYTE_ARRAY16_TYPE;
    value.byteArray16 = &storage;
    return value;
  }

  // The path in UTF-16 with its terminator, as the documented application identifier is.
  FWP_VALUE0 app_id() {
    if (facts_.owner == nullptr) return {};
    const std::u16string& path = facts_.owner->process_path;
    values_.app_id_.size = static_cast<UINT32>((path.size() + 1) * sizeof(char16_t));
    values_.app_id_.data = reinterpret_cast<UINT8*>(const_cast<char16_t*>(path.c_str()));
    FWP_VALUE0 value{};
    value.type = FWP_BYTE_BLOB_TYPE;
    value.byteBlob = &values_.app_id_;
    return value;
  }

  FWP_VALUE0 package_id() {
    write_sid(facts_.owner == nullptr ? std::string_view{} : facts_.owner->package_sid, values_.package_sid_);
    FWP_VALUE0 value{};
    value.type = FWP_SID;
    value.sid = reinterpret_cast<SID*>(values_.package_sid_.data());
    return value;
  }

  Values& values_;
  const Facts& facts_;
  const InterfaceFacts& interface_;
};

std::uint16_t layer_id(LayerPair pair, stack::Family family) {
  return family == stack::Family::V4 ? row_of(pair).v4 : row_of(pair).v6;
}

std::uint16_t discard_layer_id(LayerPair pair, stack::Family family) {
  return family == stack::Family::V4 ? row_of(pair).v4_discard : row_of(pair).v6_discard;
}

Values::Values(LayerPair pair, const Facts& facts, const Interfaces& interfaces) {
  const auto fields = row_of(pair).fields;
  FieldWriter writer(*this, facts, interfaces);
  for (std::size_t i = 0; i < fields.size(); ++i) array_[i].value = writer.write(fields[i]);
  values_.layerId = layer_id(pair, facts.family);
  values_.valueCount = static_cast<UINT32>(fields.size());
  values_.incomingValue = array_.data();
}

}  // namespace shim
