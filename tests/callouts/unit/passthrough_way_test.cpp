// Packets on their way through the driver, with an endpoint and without one.
#include "passthrough_fixture.hpp"

namespace fake {
namespace {

using testing::ElementsAre;

TEST_F(Passthrough, OutboundGoesBackByItsEndpoint) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_EQ(platform().filters, 12u);
  EXPECT_TRUE(send(7).absorbed());
  EXPECT_TRUE(platform().injections.empty()) << "never within the classify";
  settle();
  ASSERT_EQ(platform().injections.size(), 1u);
  EXPECT_EQ(platform().injections[0].how, "transport");
  EXPECT_EQ(platform().injections[0].endpoint, 7u);
  EXPECT_EQ(platform().injections[0].remote, "0a4d0001");
  EXPECT_EQ(platform().references, 1u);
  complete();
  EXPECT_EQ(platform().references, 0u);
  EXPECT_EQ(platform().clones, 0u);
}

TEST_F(Passthrough, InboundGoesBackFromItsIpHeaderOn) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(receive().absorbed());
  settle();
  ASSERT_EQ(platform().injections.size(), 1u);
  EXPECT_EQ(platform().injections[0].how, "receive");
  EXPECT_EQ(platform().injections[0].interface_index, 2u);
  EXPECT_EQ(NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(platform().injections[0].clone)), kHeaders + 10);
  EXPECT_EQ(platform().constructed, 0u);
  complete();
}

TEST_F(Passthrough, OrderIsThatOfArrival) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  for (std::uint64_t endpoint = 1; endpoint <= 200; ++endpoint) EXPECT_TRUE(send(endpoint).absorbed());
  settle();
  const auto shown = endpoints();
  ASSERT_EQ(shown.size(), 200u);
  EXPECT_TRUE(std::is_sorted(shown.begin(), shown.end()));
  while (!platform().injections.empty()) complete();
}

TEST_F(Passthrough, WhatIsOursOrDecidedIsLeftAlone) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  for (const auto state : {FWPS_PACKET_INJECTED_BY_SELF, FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF}) {
    platform().state = state;
    EXPECT_TRUE(send(7).permitted());
    EXPECT_TRUE(receive().permitted());
  }
  platform().state = FWPS_PACKET_INJECTED_BY_OTHER;
  EXPECT_TRUE(send(7).absorbed());
  const auto decided = classify(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, 7, 0, 0, 0);
  EXPECT_EQ(decided.out.actionType, 0u) << "writing without the right would be a veto";
  settle();
  complete();
}

TEST_F(Passthrough, WhatMustNotBeAbsorbedInboundIsPermitted) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(receive(FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED).permitted());
  EXPECT_TRUE(receive(0, FWP_CONDITION_FLAG_IS_LOOPBACK).permitted());
  settle();
  EXPECT_TRUE(platform().injections.empty());
}

TEST_F(Passthrough, AStaleHeaderIsRebuiltFromTheRemoteSide) {
  fragmented_ = true;
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(receive().absorbed());
  settle();
  EXPECT_THAT(platform().events, ElementsAre("construct 20 0a4d0001 0a4d0002", "inject receive"));
  complete();
}

TEST_F(Passthrough, RobustSendsAPacketWithoutEndpointByTheNetwork) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(0).absorbed());
  settle();
  EXPECT_THAT(platform().events, ElementsAre("construct 0 0a4d0002 0a4d0001", "inject network"));
  complete();
}

TEST_F(Passthrough, NaiveTrustsTheFlagAndLosesIt) {
  set("mode", "naive");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(0).absorbed());
  settle();
  EXPECT_THAT(platform().events, ElementsAre("inject transport"));
  complete(STATUS_INVALID_HANDLE);
  settle();
  EXPECT_TRUE(platform().injections.empty());
  unload();
  EXPECT_THAT(printed_, testing::HasSubstr("outbound: absorbed 1 pended 0 injected 1 completed 0 failed 1 "));
}

TEST_F(Passthrough, PermitIsTheSecondAnswerForThem) {
  set("zero", "permit");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(0).permitted());
  EXPECT_TRUE(send(7).absorbed());
  settle();
  complete();
}

TEST_F(Passthrough, AHandleThatDiedInTheQueueTakesTheNetworkOnce) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(7).absorbed());
  settle();
  complete(STATUS_INVALID_HANDLE);
  settle();
  EXPECT_THAT(platform().events, ElementsAre("inject transport", "construct 0 0a4d0002 0a4d0001", "inject network"));
  complete(STATUS_UNSUCCESSFUL);
  settle();
  EXPECT_TRUE(platform().injections.empty());
  EXPECT_EQ(platform().references, 0u);
}

}  // namespace
}  // namespace fake
