#include "wfp/model/layer.hpp"

#include <gtest/gtest.h>

#include "fwpm/layers.h"
#include "fwpsk.h"
#include "nt/ke.h"

namespace wfp::model {
namespace {

TEST(Layer, TableIsIndexedByNumberAndKeysAreUnique) {
  for (std::uint16_t id = 0; id < kLayerCount; ++id) {
    ASSERT_NE(find_layer(id), nullptr);
    EXPECT_EQ(find_layer(id)->id, id);
    EXPECT_EQ(find_layer(*find_layer(id)->key), find_layer(id)) << find_layer(id)->name;
  }
  EXPECT_EQ(find_layer(kLayerCount), nullptr);
  EXPECT_EQ(layer_name(FWPS_LAYER_OUTBOUND_TRANSPORT_V6), "FWPS_LAYER_OUTBOUND_TRANSPORT_V6");
  EXPECT_EQ(layer_name(999), "unknown");
  EXPECT_EQ(find_layer(FWPM_LAYER_ALE_AUTH_CONNECT_V4)->id, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
}

TEST(Layer, NamesAgreeWithFamilyAndDiscard) {
  for (const Layer& layer : layers()) {
    const auto has = [&](std::string_view part) { return layer.name.find(part) != std::string_view::npos; };
    EXPECT_EQ(layer.is_discard, has("_DISCARD")) << layer.name;
    EXPECT_EQ(layer.family == IpFamily::V4, has("_V4")) << layer.name;
    EXPECT_EQ(layer.family == IpFamily::V6, has("_V6")) << layer.name;
  }
}

TEST(Layer, AbsorbAndPendFollowTheDocumentedLayers) {
  const auto rule = [](int id) { return find_layer(static_cast<std::uint16_t>(id)); };
  EXPECT_EQ(rule(FWPS_LAYER_INBOUND_TRANSPORT_V4)->absorb(), AbsorbRule::Valid);
  EXPECT_EQ(rule(FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD)->absorb(), AbsorbRule::NotValid);
  EXPECT_EQ(rule(FWPS_LAYER_ALE_FLOW_ESTABLISHED_V6)->absorb(), AbsorbRule::NotAdvised);
  for (const int id : {FWPS_LAYER_ALE_RESOURCE_ASSIGNMENT_V4, FWPS_LAYER_ALE_AUTH_LISTEN_V6,
                       FWPS_LAYER_ALE_AUTH_CONNECT_V4, FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6})
    EXPECT_EQ(rule(id)->pend(), PendRule::Operation) << rule(id)->name;
  EXPECT_EQ(rule(FWPS_LAYER_ALE_ENDPOINT_CLOSURE_V4)->pend(), PendRule::Classify);
  EXPECT_EQ(rule(FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4)->pend(), PendRule::None);
  EXPECT_EQ(rule(FWPS_LAYER_ALE_AUTH_CONNECT_V4_DISCARD)->pend(), PendRule::None);
}

TEST(Layer, OperationsRunAtPassivePacketsAtDispatch) {
  EXPECT_EQ(find_layer(FWPS_LAYER_ALE_AUTH_CONNECT_V4)->traits().classify_irql, PASSIVE_LEVEL);
  EXPECT_EQ(find_layer(FWPS_LAYER_ALE_AUTH_LISTEN_V4)->traits().classify_irql, PASSIVE_LEVEL);
  EXPECT_EQ(find_layer(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4)->traits().classify_irql, DISPATCH_LEVEL);
  EXPECT_EQ(find_layer(FWPS_LAYER_OUTBOUND_IPPACKET_V6)->traits().classify_irql, DISPATCH_LEVEL);
}

}  // namespace
}  // namespace wfp::model
