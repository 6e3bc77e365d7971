#include "src/shim/values.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

#include "contexts.hpp"
#include "wfp/model/layer.hpp"

namespace shim {
namespace {

using stack::Family;
using test::context;

Interfaces interfaces() {
  Interfaces table;
  table.add(1, kIfTypeLoopback);
  table.add(2, kIfTypeEthernet);
  return table;
}

const FWP_VALUE0& at(const Values& values, int field) { return values.get().incomingValue[field].value; }

constexpr LayerPair kAllPairs[] = {
    LayerPair::InboundIpPacket,   LayerPair::OutboundIpPacket,   LayerPair::InboundTransport,
    LayerPair::OutboundTransport, LayerPair::ResourceAssignment, LayerPair::AuthListen,
    LayerPair::AuthRecvAccept,    LayerPair::AuthConnect,        LayerPair::FlowEstablished};

// Fields that a value is documented for and that we leave empty, each for the reason that the README gives.
const std::set<std::string> kLeftEmpty{"ALE_USER_ID", "IPSEC_SECURITY_REALM_ID", "PEER_NAME", "ALE_EFFECTIVE_NAME",
                                       "ALE_SECURITY_ATTRIBUTE_FQBN_VALUE"};

// The tables of the shim against those of the engine, which come from the documented layer pages by another hand.
TEST(Values, EveryFieldOfEveryLayerHasItsDocumentedType) {
  const auto owner = test::http_owner();
  for (const LayerPair pair : kAllPairs) {
    for (const Family family : {Family::V4, Family::V6}) {
      auto c = context(stack::Hook::TransportIn, family);
      c.endpoint = test::live(owner);
      const Facts facts = facts_of(c);
      const Values values(pair, facts, interfaces());
      const wfp::model::Layer* layer = wfp::model::find_layer(values.get().layerId);
      ASSERT_NE(layer, nullptr);
      const auto& fields = *layer->fields;
      ASSERT_EQ(values.get().valueCount, fields.size()) << layer->name;
      for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto expected = wfp::model::data_type(fields[i].type, layer->family);
        const auto shown = values.get().incomingValue[i].value.type;
        if (kLeftEmpty.contains(std::string(fields[i].name)))
          EXPECT_EQ(shown, FWP_EMPTY) << layer->name << " " << fields[i].name;
        else
          EXPECT_EQ(shown, expected) << layer->name << " " << fields[i].name;
      }
    }
  }
}

TEST(Values, LayersAndTheirDiscardTwinsAreTheDocumentedNumbers) {
  EXPECT_EQ(layer_id(LayerPair::InboundTransport, Family::V4), 12);
  EXPECT_EQ(discard_layer_id(LayerPair::InboundTransport, Family::V4), 13);
  EXPECT_EQ(layer_id(LayerPair::OutboundTransport, Family::V6), 18);
  EXPECT_EQ(layer_id(LayerPair::AuthRecvAccept, Family::V4), 44);
  EXPECT_EQ(discard_layer_id(LayerPair::FlowEstablished, Family::V6), 55);
  for (const LayerPair pair : kAllPairs)
    for (const Family family : {Family::V4, Family::V6})
      EXPECT_TRUE(wfp::model::find_layer(discard_layer_id(pair, family))->is_discard);
}

TEST(Values, TransportV4ShowsAddressesAndPortsInHostOrder) {
  const Facts facts = facts_of(context(stack::Hook::TransportIn));
  const Values values(LayerPair::InboundTransport, facts, interfaces());
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_PROTOCOL).uint8, 6);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS).uint32, 0x0a4d0002u);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_ADDRESS).uint32, 0x0a4d0001u);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_PORT).uint16, 80);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_PORT).uint16, 40000);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS_TYPE).uint8, 1);  // NlatUnicast
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_INTERFACE_INDEX).uint32, 2u);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_INTERFACE_TYPE).uint32, kIfTypeEthernet);
  EXPECT_EQ(*at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_INTERFACE).uint64, 0x0006'0000'0200'0000ull);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_COMPARTMENT_ID).uint32, 1u);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_FLAGS).uint32, 0u);
}

TEST(Values, TransportV6ShowsAddressesAsBytes) {
  const Facts facts = facts_of(context(stack::Hook::TransportOut, Family::V6));
  const Values values(LayerPair::OutboundTransport, facts, interfaces());
  const FWP_VALUE0& local = at(values, FWPS_FIELD_OUTBOUND_TRANSPORT_V6_IP_LOCAL_ADDRESS);
  ASSERT_EQ(local.type, FWP_BYTE_ARRAY16_TYPE);
  EXPECT_EQ(local.byteArray16->byteArray16[0], 0xfd);
  EXPECT_EQ(local.byteArray16->byteArray16[1], 0x77);
  EXPECT_EQ(local.byteArray16->byteArray16[15], 2);
  EXPECT_EQ(at(values, FWPS_FIELD_OUTBOUND_TRANSPORT_V6_IP_REMOTE_ADDRESS).byteArray16->byteArray16[15], 1);
}

TEST(Values, IcmpPutsTypeAndCodeIntoThePortSlots) {
  auto c = context(stack::Hook::TransportIn);
  c.protocol = test::kIcmp;
  c.icmp_type = 8;
  c.icmp_code = 3;
  const Facts facts = facts_of(c);
  const Values values(LayerPair::InboundTransport, facts, interfaces());
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_PORT).uint16, 8);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_PORT).uint16, 3);
}

TEST(Values, DestinationAddressTypeIsThatOfThePacketsDestination) {
  auto c = context(stack::Hook::TransportOut);
  c.remote_kind = stack::AddressKind::Multicast;
  const Facts facts = facts_of(c);
  const Values values(LayerPair::OutboundTransport, facts, interfaces());
  EXPECT_EQ(at(values, FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_DESTINATION_ADDRESS_TYPE).uint8, 3);
  EXPECT_EQ(at(values, FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS_TYPE).uint8, 1);
}

TEST(Values, FlagsOfIpPackets) {
  auto c = context(stack::Hook::IpIn);
  c.loopback = true;
  c.is_fragment = true;
  c.is_reassembled = true;
  const Facts facts = facts_of(c);
  const Values values(LayerPair::InboundIpPacket, facts, interfaces());
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_IPPACKET_V4_FLAGS).uint32,
            FWP_CONDITION_FLAG_IS_LOOPBACK | FWP_CONDITION_FLAG_IS_FRAGMENT | FWP_CONDITION_FLAG_IS_REASSEMBLED);
}

TEST(Values, OwnerIsShownAsApplicationAndPackage) {
  const auto owner = test::http_owner();
  const auto operation = test::operation(owner, stack::Direction::Inbound);
  const Facts facts = facts_of(operation);
  const Values values(LayerPair::AuthRecvAccept, facts, interfaces());
  const FWP_VALUE0& app = at(values, FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_ALE_APP_ID);
  ASSERT_EQ(app.type, FWP_BYTE_BLOB_TYPE);
  ASSERT_EQ(app.byteBlob->size, (owner.process_path.size() + 1) * 2);
  EXPECT_EQ(std::memcmp(app.byteBlob->data, owner.process_path.c_str(), app.byteBlob->size), 0);
  const FWP_VALUE0& package = at(values, FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_ALE_PACKAGE_ID);
  const unsigned char sid[] = {1, 2, 0, 0, 0, 0, 0, 15, 2, 0, 0, 0, 7, 0, 0, 0};
  EXPECT_EQ(std::memcmp(package.sid, sid, sizeof(sid)), 0);
}

TEST(Values, FlowEstablishedShowsTheDirectionOfTheFlow) {
  const auto owner = test::http_owner();
  for (const auto direction : {stack::Direction::Inbound, stack::Direction::Outbound}) {
    const Facts facts = facts_of(test::operation(owner, direction));
    const Values values(LayerPair::FlowEstablished, facts, interfaces());
    EXPECT_EQ(at(values, FWPS_FIELD_ALE_FLOW_ESTABLISHED_V4_DIRECTION).uint32,
              direction == stack::Direction::Outbound ? FWP_DIRECTION_OUTBOUND : FWP_DIRECTION_INBOUND);
  }
}

TEST(Values, AnInterfaceThatNobodyAddedShowsZeros) {
  auto c = context(stack::Hook::TransportIn);
  c.interface_index = 99;
  c.local_interface_index = 99;
  const Facts facts = facts_of(c);
  const Values values(LayerPair::InboundTransport, facts, interfaces());
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_INTERFACE_INDEX).uint32, 99u);
  EXPECT_EQ(at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_INTERFACE_TYPE).uint32, 0u);
  EXPECT_EQ(*at(values, FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_INTERFACE).uint64, 0u);
}

}  // namespace
}  // namespace shim
