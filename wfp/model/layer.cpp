#include "wfp/model/layer.hpp"

#include <array>

#include "nt/ke.h"

namespace wfp::model {
namespace {

using enum LayerKind;
using enum AbsorbRule;

// Where the level of a classify is ours to choose: operations of an application run at PASSIVE_LEVEL, everything that
// a packet causes at DISPATCH_LEVEL, as it does on Windows for received packets.
constexpr std::array<LayerTraits, kLayerKindCount> kKinds{{
    {IpPacket, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {IpForward, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {Transport, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {Stream, DISPATCH_LEVEL, LayerObject::StreamPacket, NotValid, PendRule::None},
    {DatagramData, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {IcmpError, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {ResourceAssignment, PASSIVE_LEVEL, LayerObject::None, Valid, PendRule::Operation},
    {AuthListen, PASSIVE_LEVEL, LayerObject::None, Valid, PendRule::Operation},
    {AuthRecvAccept, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::Operation},
    {AuthConnect, PASSIVE_LEVEL, LayerObject::NetBufferList, Valid, PendRule::Operation},
    {FlowEstablished, DISPATCH_LEVEL, LayerObject::NetBufferList, NotAdvised, PendRule::None},
    {MacFrame, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {NameResolutionCache, PASSIVE_LEVEL, LayerObject::None, NotValid, PendRule::None},
    {ResourceRelease, PASSIVE_LEVEL, LayerObject::None, NotValid, PendRule::None},
    {EndpointClosure, PASSIVE_LEVEL, LayerObject::None, NotValid, PendRule::Classify},
    {ConnectRedirect, PASSIVE_LEVEL, LayerObject::ConnectRequest, NotValid, PendRule::Classify},
    {BindRedirect, PASSIVE_LEVEL, LayerObject::BindRequest, NotValid, PendRule::Classify},
    {StreamPacket, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {Vswitch, DISPATCH_LEVEL, LayerObject::NetBufferList, Valid, PendRule::None},
    {Reserved, DISPATCH_LEVEL, LayerObject::NetBufferList, NotValid, PendRule::None},
}};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i)
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  return true;
}
static_assert(is_in_order(), "kKinds is indexed by LayerKind");

}  // namespace

const LayerTraits& Layer::traits() const { return kKinds[static_cast<std::size_t>(kind)]; }

bool Layer::is_receive_packet_layer() const {
  if (is_discard) return false;
  if (kind == IpForward) return true;
  return direction == LayerDirection::Inbound && (kind == IpPacket || kind == Transport);
}

const Layer* find_layer(std::uint16_t id) { return id < kLayerCount ? &layers()[id] : nullptr; }

const Layer* find_layer(const GUID& key) {
  for (const Layer& layer : layers())
    if (*layer.key == key) return &layer;
  return nullptr;
}

std::string_view layer_name(std::uint16_t id) {
  const Layer* layer = find_layer(id);
  return layer != nullptr ? layer->name : "unknown";
}

FWP_DATA_TYPE data_type(FieldType type, IpFamily family) {
  switch (type) {
    case FieldType::Uint8:
      return FWP_UINT8;
    case FieldType::Uint16:
      return FWP_UINT16;
    case FieldType::Uint32:
      return FWP_UINT32;
    case FieldType::Uint64:
      return FWP_UINT64;
    case FieldType::Address:
      return family == IpFamily::V6 ? FWP_BYTE_ARRAY16_TYPE : FWP_UINT32;
    case FieldType::Array6:
      return FWP_BYTE_ARRAY6_TYPE;
    case FieldType::Blob:
      return FWP_BYTE_BLOB_TYPE;
    case FieldType::Sid:
      return FWP_SID;
    case FieldType::Token:
      return FWP_TOKEN_ACCESS_INFORMATION_TYPE;
    case FieldType::Undocumented:
      break;
  }
  return FWP_EMPTY;
}

std::uint16_t find_field(Fields fields, const GUID& condition) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].condition != nullptr && *fields[i].condition == condition) return static_cast<std::uint16_t>(i);
  return kNoField;
}

}  // namespace wfp::model
