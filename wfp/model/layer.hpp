// The filtering layers that Windows has: identity, what a classify there shows, at which IRQL it runs, and what a
// callout may do with it. Constant facts from the documented layer pages; any thread, any IRQL.
//
// Run-time numbers 0..81 are the same in every Windows version and are all here; layers that exist for user mode only
// are not. Where the documentation is silent (the IRQL of a layer), the choice is ours and stands in one table,
// kKinds.
#pragma once

#include <cstddef>

#include "nt/types.h"
#include "wfp/model/field.hpp"

namespace wfp::model {

inline constexpr std::size_t kLayerCount = 82;

enum class LayerKind : std::uint8_t {
  IpPacket,
  IpForward,
  Transport,
  Stream,
  DatagramData,
  IcmpError,
  ResourceAssignment,
  AuthListen,
  AuthRecvAccept,
  AuthConnect,
  FlowEstablished,
  MacFrame,
  NameResolutionCache,
  ResourceRelease,
  EndpointClosure,
  ConnectRedirect,
  BindRedirect,
  StreamPacket,
  Vswitch,
  Reserved,
};
inline constexpr std::size_t kLayerKindCount = 20;

enum class LayerDirection : std::uint8_t { NoPacket, Inbound, Outbound, Both, Forward };
enum class LayerObject : std::uint8_t { None, NetBufferList, StreamPacket, ConnectRequest, BindRequest };
enum class AbsorbRule : std::uint8_t { Valid, NotAdvised, NotValid };  // FWPS_CLASSIFY_OUT_FLAG_ABSORB
enum class PendRule : std::uint8_t { None, Operation, Classify };      // FwpsPendOperation0, FwpsPendClassify0

// What is true of every layer of a kind, its discard twins excepted: those take neither absorb nor pend.
struct LayerTraits {
  LayerKind kind;
  KIRQL classify_irql;
  LayerObject object;
  AbsorbRule absorb;
  PendRule pend;
};

struct Layer {
  std::uint16_t id;       // FWPS_LAYER_*
  std::string_view name;  // FWPS_LAYER_OUTBOUND_TRANSPORT_V4: the one spelling, wherever a layer is named
  const GUID* key;        // FWPM_LAYER_*
  LayerKind kind;
  IpFamily family;
  LayerDirection direction;
  bool is_discard;
  const Fields* fields;

  const LayerTraits& traits() const;
  AbsorbRule absorb() const { return is_discard ? AbsorbRule::NotValid : traits().absorb; }
  PendRule pend() const { return is_discard ? PendRule::None : traits().pend; }
  // Callouts see a packet here whose offload state they must have agreed to: the receive hooks.
  bool is_receive_packet_layer() const;
};

const Layer* find_layer(std::uint16_t id);  // null: no such layer
const Layer* find_layer(const GUID& key);
std::span<const Layer, kLayerCount> layers();
// "FWPS_LAYER_OUTBOUND_TRANSPORT_V4"; "unknown" for a number that is no layer.
std::string_view layer_name(std::uint16_t id);

}  // namespace wfp::model
