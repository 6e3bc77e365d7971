// Fields of a layer: what a classify carries at which index, and which condition key names it.
//
// The lists are facts of the documented layer pages (builtin_fields.cpp). IPv4 and IPv6 layers share one: a field of
// type Address is FWP_UINT32 in host order at a V4 layer, FWP_BYTE_ARRAY16_TYPE at a V6 layer. All of it is constant;
// any thread, any IRQL.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fwpm/values.h"

namespace wfp::model {

enum class IpFamily : std::uint8_t { NoFamily, V4, V6 };

// The value's type on classify. Undocumented: nobody says which type the slot has; it is FWP_EMPTY here.
enum class FieldType : std::uint8_t {
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Address,
  Array6,
  Blob,
  Sid,
  Token,
  Undocumented
};

struct Field {
  std::string_view name;  // FWPS_FIELD_<layer>_<name>
  FieldType type;
  const GUID* condition;  // FWPM_CONDITION_*; null: not for conditions
};

using Fields = std::span<const Field>;
inline constexpr std::uint16_t kNoField = 0xffff;

FWP_DATA_TYPE data_type(FieldType type, IpFamily family);
// Index of the field that a condition key names at a layer with these fields; kNoField when it has none.
std::uint16_t find_field(Fields fields, const GUID& condition);

// One table for each kind of layer; the discard twins have the fields of the layer that they belong to.
extern const Fields kFieldsInboundIpPacket, kFieldsOutboundIpPacket, kFieldsIpForward;
extern const Fields kFieldsInboundTransport, kFieldsOutboundTransport;
extern const Fields kFieldsStream, kFieldsDatagramData, kFieldsStreamPacket;
extern const Fields kFieldsInboundIcmpError, kFieldsOutboundIcmpError;
extern const Fields kFieldsResourceAssignment, kFieldsResourceRelease, kFieldsEndpointClosure, kFieldsAuthListen;
extern const Fields kFieldsBindRedirect, kFieldsConnectRedirect;
extern const Fields kFieldsAuthRecvAccept, kFieldsAuthConnect, kFieldsFlowEstablished;
extern const Fields kFieldsNameResolutionCache;
extern const Fields kFieldsMacEthernet, kFieldsMacNative;
extern const Fields kFieldsIngressVswitchEthernet, kFieldsEgressVswitchEthernet, kFieldsIngressVswitchTransport,
    kFieldsEgressVswitchTransport;

}  // namespace wfp::model
