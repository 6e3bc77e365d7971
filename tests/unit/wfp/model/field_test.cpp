// Every field of every layer against the documented tables: position, name, type on classify and condition key.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "documented_fields.hpp"
#include "fwpm/conditions.h"
#include "fwpsk.h"
#include "wfp/model/layer.hpp"

namespace wfp::model {
namespace {

enum class Documented { Uint8, Uint16, Uint32, Uint64, Address, Mac, Blob, Sid, Token, Unknown };

struct DocumentedField {
  std::string_view name;
  int index;  // the header's FWPS_FIELD_* constant
  Documented type;
};
struct DocumentedLayer {
  std::uint16_t id;
  std::vector<DocumentedField> fields;
};

// clang-format off
#define FIELD(layer, name, type) {#name, FWPS_FIELD_##layer##_##name, Documented::type},
#define LAYER(name, fields) {FWPS_LAYER_##name, {fields(FIELD, name)}}
const DocumentedLayer kDocumented[] = {
    LAYER(INBOUND_IPPACKET_V4, INBOUND_IPPACKET_FIELDS),
    LAYER(INBOUND_IPPACKET_V6, INBOUND_IPPACKET_FIELDS),
    LAYER(OUTBOUND_IPPACKET_V4, OUTBOUND_IPPACKET_FIELDS),
    LAYER(OUTBOUND_IPPACKET_V6, OUTBOUND_IPPACKET_FIELDS),
    LAYER(IPFORWARD_V4, IPFORWARD_FIELDS),
    LAYER(IPFORWARD_V6, IPFORWARD_FIELDS),
    LAYER(INBOUND_TRANSPORT_V4, INBOUND_TRANSPORT_FIELDS),
    LAYER(INBOUND_TRANSPORT_V6, INBOUND_TRANSPORT_FIELDS),
    LAYER(OUTBOUND_TRANSPORT_V4, OUTBOUND_TRANSPORT_FIELDS),
    LAYER(OUTBOUND_TRANSPORT_V6, OUTBOUND_TRANSPORT_FIELDS),
    LAYER(STREAM_V4, STREAM_FIELDS),
    LAYER(STREAM_V6, STREAM_FIELDS),
    LAYER(DATAGRAM_DATA_V4, DATAGRAM_DATA_FIELDS),
    LAYER(DATAGRAM_DATA_V6, DATAGRAM_DATA_FIELDS),
    LAYER(INBOUND_ICMP_ERROR_V4, INBOUND_ICMP_ERROR_FIELDS),
    LAYER(INBOUND_ICMP_ERROR_V6, INBOUND_ICMP_ERROR_FIELDS),
    LAYER(OUTBOUND_ICMP_ERROR_V4, OUTBOUND_ICMP_ERROR_FIELDS),
    LAYER(OUTBOUND_ICMP_ERROR_V6, OUTBOUND_ICMP_ERROR_FIELDS),
    LAYER(ALE_RESOURCE_ASSIGNMENT_V4, ALE_RESOURCE_ASSIGNMENT_FIELDS),
    LAYER(ALE_RESOURCE_ASSIGNMENT_V6, ALE_RESOURCE_ASSIGNMENT_FIELDS),
    LAYER(ALE_AUTH_LISTEN_V4, ALE_AUTH_LISTEN_FIELDS),
    LAYER(ALE_AUTH_LISTEN_V6, ALE_AUTH_LISTEN_FIELDS),
    LAYER(ALE_AUTH_RECV_ACCEPT_V4, ALE_AUTH_RECV_ACCEPT_FIELDS),
    LAYER(ALE_AUTH_RECV_ACCEPT_V6, ALE_AUTH_RECV_ACCEPT_FIELDS),
    LAYER(ALE_AUTH_CONNECT_V4, ALE_AUTH_CONNECT_FIELDS),
    LAYER(ALE_AUTH_CONNECT_V6, ALE_AUTH_CONNECT_FIELDS),
    LAYER(ALE_FLOW_ESTABLISHED_V4, ALE_FLOW_ESTABLISHED_FIELDS),
    LAYER(ALE_FLOW_ESTABLISHED_V6, ALE_FLOW_ESTABLISHED_FIELDS),
    LAYER(INBOUND_MAC_FRAME_ETHERNET, MAC_FRAME_ETHERNET_FIELDS),
    LAYER(OUTBOUND_MAC_FRAME_ETHERNET, MAC_FRAME_ETHERNET_FIELDS),
    LAYER(INBOUND_MAC_FRAME_NATIVE, MAC_FRAME_NATIVE_FIELDS),
    LAYER(OUTBOUND_MAC_FRAME_NATIVE, MAC_FRAME_NATIVE_FIELDS),
    LAYER(NAME_RESOLUTION_CACHE_V4, NAME_RESOLUTION_CACHE_FIELDS),
    LAYER(NAME_RESOLUTION_CACHE_V6, NAME_RESOLUTION_CACHE_FIELDS),
    LAYER(ALE_RESOURCE_RELEASE_V4, ALE_RESOURCE_RELEASE_FIELDS),
    LAYER(ALE_RESOURCE_RELEASE_V6, ALE_RESOURCE_RELEASE_FIELDS),
    LAYER(ALE_ENDPOINT_CLOSURE_V4, ALE_ENDPOINT_CLOSURE_FIELDS),
    LAYER(ALE_ENDPOINT_CLOSURE_V6, ALE_ENDPOINT_CLOSURE_FIELDS),
    LAYER(ALE_CONNECT_REDIRECT_V4, ALE_CONNECT_REDIRECT_FIELDS),
    LAYER(ALE_CONNECT_REDIRECT_V6, ALE_CONNECT_REDIRECT_FIELDS),
    LAYER(ALE_BIND_REDIRECT_V4, ALE_BIND_REDIRECT_FIELDS),
    LAYER(ALE_BIND_REDIRECT_V6, ALE_BIND_REDIRECT_FIELDS),
    LAYER(STREAM_PACKET_V4, STREAM_PACKET_FIELDS),
    LAYER(STREAM_PACKET_V6, STREAM_PACKET_FIELDS),
    LAYER(INGRESS_VSWITCH_ETHERNET, INGRESS_VSWITCH_ETHERNET_FIELDS),
    LAYER(EGRESS_VSWITCH_ETHERNET, EGRESS_VSWITCH_ETHERNET_FIELDS),
    LAYER(INGRESS_VSWITCH_TRANSPORT_V4, INGRESS_VSWITCH_TRANSPORT_FIELDS),
    LAYER(INGRESS_VSWITCH_TRANSPORT_V6, INGRESS_VSWITCH_TRANSPORT_FIELDS),
    LAYER(EGRESS_VSWITCH_TRANSPORT_V4, EGRESS_VSWITCH_TRANSPORT_FIELDS),
    LAYER(EGRESS_VSWITCH_TRANSPORT_V6, EGRESS_VSWITCH_TRANSPORT_FIELDS),
};
// clang-format on

FWP_DATA_TYPE documented_type(Documented type, IpFamily family) {
  switch (type) {
    case Documented::Uint8:
      return FWP_UINT8;
    case Documented::Uint16:
      return FWP_UINT16;
    case Documented::Uint32:
      return FWP_UINT32;
    case Documented::Uint64:
      return FWP_UINT64;
    case Documented::Address:
      return family == IpFamily::V6 ? FWP_BYTE_ARRAY16_TYPE : FWP_UINT32;
    case Documented::Mac:
      return FWP_BYTE_ARRAY6_TYPE;
    case Documented::Blob:
      return FWP_BYTE_BLOB_TYPE;
    case Documented::Sid:
      return FWP_SID;
    case Documented::Token:
      return FWP_TOKEN_ACCESS_INFORMATION_TYPE;
    case Documented::Unknown:
      break;
  }
  return FWP_EMPTY;
}

std::string text_of(const GUID& guid) {
  char text[37];
  const auto* b = guid.Data4;
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", guid.Data1, guid.Data2,
                guid.Data3, b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]);
  return text;
}

void expect_documented(const Layer& layer, const std::vector<DocumentedField>& documented) {
  static const std::map<std::string_view, std::string> keys = [] {
    std::map<std::string_view, std::string> out;
    for (const auto& [field, guid] : kDocumentedKeys) out[field] = guid;
    return out;
  }();
  ASSERT_EQ(layer.fields->size(), documented.size()) << layer.name;
  for (std::size_t i = 0; i < documented.size(); ++i) {
    const Field& field = (*layer.fields)[i];
    EXPECT_EQ(field.name, documented[i].name) << layer.name << " " << i;
    EXPECT_EQ(static_cast<int>(i), documented[i].index) << layer.name << " " << field.name;
    EXPECT_EQ(data_type(field.type, layer.family), documented_type(documented[i].type, layer.family))
        << layer.name << " " << field.name;
    EXPECT_EQ(text_of(*field.condition), keys.at(documented[i].name)) << layer.name << " " << field.name;
  }
}

TEST(Fields, AreTheDocumentedOnesAtEveryLayer) {
  std::size_t layers_with_fields = 0;
  for (const Layer& layer : layers())
    if (!layer.fields->empty() && !layer.is_discard) ++layers_with_fields;
  EXPECT_EQ(std::size(kDocumented), layers_with_fields);
  for (const auto& [id, fields] : kDocumented) expect_documented(*find_layer(id), fields);
}

TEST(Fields, DiscardLayersHaveTheFieldsOfTheirLayer) {
  for (const Layer& layer : layers()) {
    if (!layer.is_discard) continue;
    const Layer* twin = find_layer(static_cast<std::uint16_t>(layer.id - 1));  // the number before, as documented
    EXPECT_EQ(std::string(twin->name) + "_DISCARD", layer.name);
    EXPECT_EQ(twin->fields, layer.fields);
  }
}

TEST(Fields, AreFoundByConditionAndTypedByFamily) {
  const Layer& v4 = *find_layer(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  EXPECT_EQ(find_field(*v4.fields, FWPM_CONDITION_IP_REMOTE_PORT), FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_PORT);
  EXPECT_EQ(find_field(*v4.fields, FWPM_CONDITION_ALE_APP_ID), kNoField);
  EXPECT_EQ(data_type(FieldType::Address, IpFamily::V4), FWP_UINT32);
  EXPECT_EQ(data_type(FieldType::Address, IpFamily::V6), FWP_BYTE_ARRAY16_TYPE);
}

}  // namespace
}  // namespace wfp::model
