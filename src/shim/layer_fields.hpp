// The layers that the shim asks, and what each of their fields shows, by the documented field index. A new layer is a
// LayerPair here, and a list of fields and a row in the source file. Constant; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stack/base/address.hpp"

namespace shim {

// Layers in pairs: V4 and V6 have the same fields in the same order, and their discard twins too.
enum class LayerPair : std::uint8_t {
  InboundIpPacket,
  OutboundIpPacket,
  InboundTransport,
  OutboundTransport,
  ResourceAssignment,
  AuthListen,
  AuthRecvAccept,
  AuthConnect,
  FlowEstablished,
};
inline constexpr std::size_t kMaxFields = 48;  // of a layer

std::uint16_t layer_id(LayerPair pair, stack::Family family);
std::uint16_t discard_layer_id(LayerPair pair, stack::Family family);
// The numbers of all layers that this shim ever asks, discard twins too.
std::vector<std::uint16_t> asked_layers();

// What a field shows.
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

std::span<const Show> fields_of(LayerPair pair);

}  // namespace shim
