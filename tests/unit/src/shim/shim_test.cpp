// Arming, packets and discards. What is authorized is in ale_shim_test.
#include "shim_fixture.hpp"

namespace shim {
namespace {

// --- arming ---

TEST_F(ShimTest, AFilterArmsItsHookAlone) {
  start();
  EXPECT_FALSE(hooks_.armed(Hook::TransportOut, Family::V4));
  filter_at(FWPS_LAYER_OUTBOUND_TRANSPORT_V4);
  EXPECT_TRUE(hooks_.armed(Hook::TransportOut, Family::V4));
  EXPECT_FALSE(hooks_.armed(Hook::TransportOut, Family::V6));
  EXPECT_FALSE(hooks_.armed(Hook::TransportIn, Family::V4));
  remove_filters();
  EXPECT_FALSE(hooks_.armed(Hook::TransportOut, Family::V4));
}

TEST_F(ShimTest, TheEngineKnowsWhichLayersAreAsked) {
  EXPECT_TRUE(engine_->is_asked(FWPS_LAYER_STREAM_V4)) << "nobody has said otherwise yet";
  start();
  for (const auto layer : {FWPS_LAYER_INBOUND_TRANSPORT_V4, FWPS_LAYER_ALE_AUTH_CONNECT_V6,
                           FWPS_LAYER_OUTBOUND_IPPACKET_V6_DISCARD, FWPS_LAYER_ALE_AUTH_LISTEN_V4})
    EXPECT_TRUE(engine_->is_asked(layer)) << layer;
  for (const auto layer : {FWPS_LAYER_STREAM_V4, FWPS_LAYER_DATAGRAM_DATA_V6, FWPS_LAYER_IPFORWARD_V4,
                           FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4_DISCARD})
    EXPECT_FALSE(engine_->is_asked(layer)) << layer;
}

TEST_F(ShimTest, TracingArmsEverythingAndShowsIt) {
  start();
  Recorder recorder;
  shim_->set_trace(&recorder);
  auto c = context(Hook::TransportOut);
  c.origin = stack::Origin::TcpReset;
  EXPECT_TRUE(hooks_.armed(Hook::IpIn, Family::V6));
  EXPECT_TRUE(inspect(c).has_value());
  EXPECT_THAT(recorder.lines, ElementsAre("FWPS_LAYER_OUTBOUND_TRANSPORT_V4 tcp.reset permit none"));
  shim_->set_trace(nullptr);
  EXPECT_FALSE(hooks_.armed(Hook::IpIn, Family::V6));
}

TEST_F(ShimTest, ACalloutThatRefusesCoalescingTurnsItOff) {
  start();
  std::vector<CoalescingAllowed> told;
  shim_->set_coalescing_handler([&](CoalescingAllowed allowed) { told.push_back(allowed); });
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4, 0);
  EXPECT_TRUE(hooks_.refuses_offload(Direction::Inbound, Family::V4));
  EXPECT_FALSE(hooks_.refuses_offload(Direction::Inbound, Family::V6));
  EXPECT_FALSE(hooks_.refuses_offload(Direction::Outbound, Family::V4));
  remove_filters();
  unregister();
  EXPECT_FALSE(hooks_.refuses_offload(Direction::Inbound, Family::V4));
  EXPECT_THAT(told, ElementsAre(CoalescingAllowed{}, CoalescingAllowed{.v4 = false}, CoalescingAllowed{}));
}

TEST_F(ShimTest, ACalloutThatRefusesOffloadMakesTheStackFinishWhatItSends) {
  start();
  const std::uint32_t routes = hooks_.offload_generation();
  filter_at(FWPS_LAYER_OUTBOUND_IPPACKET_V6, 0);
  EXPECT_TRUE(hooks_.refuses_offload(Direction::Outbound, Family::V6));
  EXPECT_FALSE(hooks_.refuses_offload(Direction::Outbound, Family::V4));
  EXPECT_FALSE(hooks_.refuses_offload(Direction::Inbound, Family::V6));
  EXPECT_NE(hooks_.offload_generation(), routes) << "kept routes are asked for again";
  remove_filters();
  EXPECT_FALSE(hooks_.refuses_offload(Direction::Outbound, Family::V6));
}

// --- packets ---

TEST_F(ShimTest, APermittedPacketComesBack) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  auto kept = inspect(context(Hook::TransportIn));
  ASSERT_TRUE(kept.has_value());
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].packet, kept->nbl());
  EXPECT_EQ(shown[0].data_length, 30u);
  EXPECT_EQ(shown[0].metadata.currentMetadataValues, 0xc84u);
}

TEST_F(ShimTest, ABlockedPacketIsCountedAndShownAtTheDiscardTwin) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD);
  answers[FWPS_LAYER_INBOUND_TRANSPORT_V4] = {FWP_ACTION_BLOCK, false, false};
  EXPECT_FALSE(inspect(context(Hook::TransportIn)).has_value());
  EXPECT_THAT(layers(), ElementsAre(FWPS_LAYER_INBOUND_TRANSPORT_V4, FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD));
  EXPECT_EQ(shown[1].metadata.currentMetadataValues, 0xc85u);
  EXPECT_EQ(shown[1].metadata.discardMetadata.discardModule, FWPS_DISCARD_MODULE_GENERAL);
  EXPECT_NE(shown[1].metadata.discardMetadata.filterId, 0u);
  EXPECT_EQ(stats_.dropped(stack::Drop::Blocked), 1u);
}

TEST_F(ShimTest, AnAbsorbedPacketLeavesWithoutADiscard) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4);
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD);
  answers[FWPS_LAYER_INBOUND_TRANSPORT_V4] = {FWP_ACTION_BLOCK, true, false};
  EXPECT_FALSE(inspect(context(Hook::TransportIn)).has_value());
  EXPECT_THAT(layers(), ElementsAre(FWPS_LAYER_INBOUND_TRANSPORT_V4));
  EXPECT_EQ(stats_.dropped(stack::Drop::Absorbed), 1u);
  EXPECT_EQ(stats_.dropped(stack::Drop::Blocked), 0u);
}

TEST_F(ShimTest, CorrectedMetadataGivesTheControlEndpoint) {
  start({.corrected_endpoint_metadata = true});
  filter_at(FWPS_LAYER_OUTBOUND_TRANSPORT_V6);
  EXPECT_TRUE(inspect(context(Hook::TransportOut, Family::V6)).has_value());
  EXPECT_EQ(shown[0].metadata.transportEndpointHandle, stack::EndpointId::make(0, 1, 1).value);
}

// --- discards ---

TEST_F(ShimTest, ABlockAtTheDiscardLayerSilencesTheAnswer) {
  start();
  filter_at(FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD);
  const auto c = context(Hook::TransportIn);
  EXPECT_TRUE(hooks_.discard(packet(), stack::Drop::NoEndpoint, c));
  EXPECT_EQ(shown[0].metadata.discardMetadata.discardModule, FWPS_DISCARD_MODULE_TRANSPORT);
  EXPECT_EQ(shown[0].metadata.discardMetadata.discardReason, static_cast<UINT32>(InetDiscardEndpointNotFound));
  answers[FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD] = {FWP_ACTION_BLOCK, false, false};
  EXPECT_FALSE(hooks_.discard(packet(), stack::Drop::NoEndpoint, c));
}

// A packet that never got to a hook is shown by what was parsed of it.
TEST_F(ShimTest, AnEarlyDiscardTellsOfLoopback) {
  start();
  filter_at(FWPS_LAYER_INBOUND_IPPACKET_V4_DISCARD);
  stack::Packet early = packet();
  early.meta().direction = stack::Direction::Inbound;
  early.meta().family = Family::V4;
  early.meta().ip_header_size = 20;
  early.meta().loopback = true;
  shim_->discarded_early(early, stack::Drop::BadChecksum);
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].flags, static_cast<UINT32>(FWP_CONDITION_FLAG_IS_LOOPBACK));
  early.meta().ip_header_size = 0;  // not even IP: nothing to show
  shim_->discarded_early(early, stack::Drop::TruncatedHeader);
  EXPECT_EQ(shown.size(), 1u);
}

// That TCP has no use for a segment is not the failure of whoever injected it.
TEST_F(ShimTest, ASegmentThatReachedItsTransportWasDelivered) {
  start();
  stack::Packet dropped = packet();
  const stack::Packet witness = dropped.share();
  witness.nbl()->Status = STATUS_UNSUCCESSFUL;
  hooks_.discard(std::move(dropped), stack::Drop::TcpUnacceptable, context(Hook::TransportIn));
  EXPECT_EQ(witness.nbl()->Status, STATUS_SUCCESS);
}

TEST_F(ShimTest, ADroppedPacketLearnsItsFate) {
  start();
  stack::Packet dropped = packet();
  const stack::Packet witness = dropped.share();
  hooks_.discard(std::move(dropped), stack::Drop::EndpointGone, context(Hook::TransportOut));
  EXPECT_EQ(witness.nbl()->Status, STATUS_CONNECTION_INVALID);
}

}  // namespace
}  // namespace shim
