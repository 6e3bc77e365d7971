// Who refuses which offload, as filters and registrations come and go.
#include "engine_fixture.hpp"

namespace wfp::engine {
namespace {

using model::IpFamily;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kCoalescing = FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO;

class OffloadConsentTest : public EngineTest {
 protected:
  std::uint64_t filter_at(std::uint16_t layer, std::uint32_t callout) {
    model::Filter what = filter(FWP_ACTION_CALLOUT_UNKNOWN, 0, callout);
    what.layer = layer;
    return add(what);
  }
  bool refused(Offload offload, IpFamily family) { return engine->offload_consent().is_refused(offload, family); }
  // In the order of bits: receive over IPv4 and IPv6, send over IPv4 and IPv6.
  std::string refused() {
    std::string text;
    for (const auto offload : {Offload::Receive, Offload::Send})
      for (const auto family : {IpFamily::V4, IpFamily::V6}) text += refused(offload, family) ? '1' : '0';
    return text;
  }
  std::vector<std::string> missing() {
    std::vector<std::string> out;
    for (const auto& refusal : engine->offload_consent().refusals()) out.push_back(refusal.missing_flag);
    return out;
  }
};

TEST_F(OffloadConsentTest, EachLayerRefusesForItsDirectionAndFamily) {
  const std::vector<std::pair<std::uint16_t, std::string>> layers{
      {FWPS_LAYER_INBOUND_IPPACKET_V4, "1000"},          {FWPS_LAYER_INBOUND_TRANSPORT_V6, "0100"},
      {FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, "1000"},      {FWPS_LAYER_OUTBOUND_TRANSPORT_V4, "0010"},
      {FWPS_LAYER_OUTBOUND_IPPACKET_V6, "0001"},         {FWPS_LAYER_OUTBOUND_IPPACKET_V4_DISCARD, "0000"},
      {FWPS_LAYER_INBOUND_TRANSPORT_V4_DISCARD, "0000"}, {FWPS_LAYER_ALE_AUTH_CONNECT_V4, "0000"},
      {FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4, "0000"}};
  std::uint32_t number = 0;
  for (const auto& [layer, expected] : layers) {
    const auto id = register_callout<0>(++number);
    ASSERT_EQ(add_callout(number, session, layer), STATUS_SUCCESS);
    const std::uint64_t filter = filter_at(layer, number);
    EXPECT_EQ(refused(), expected) << model::layer_name(layer);
    EXPECT_EQ(management().remove_filter(session, filter), STATUS_SUCCESS);
    EXPECT_EQ(refused(), "0000");
    EXPECT_EQ(engine->callouts().remove(id), STATUS_SUCCESS);
    engine->callouts_changed();
  }
}

TEST_F(OffloadConsentTest, CoalescingNeedsBothFlagsAndSendingItsOwn) {
  register_callout<0>(1, FWP_CALLOUT_FLAG_ALLOW_URO);
  register_callout<1>(2, FWP_CALLOUT_FLAG_ALLOW_RSC);
  register_callout<2>(3, kCoalescing);
  register_callout<3>(4, FWP_CALLOUT_FLAG_ALLOW_OFFLOAD);
  for (const std::uint32_t callout : {1u, 2u}) {
    ASSERT_EQ(add_callout(callout, session), STATUS_SUCCESS);
    filter_at(kLayer, callout);
  }
  for (const std::uint32_t callout : {3u, 4u}) {
    ASSERT_EQ(add_callout(callout, session, FWPS_LAYER_OUTBOUND_TRANSPORT_V6), STATUS_SUCCESS);
    filter_at(FWPS_LAYER_OUTBOUND_TRANSPORT_V6, callout);
  }
  EXPECT_THAT(missing(), ElementsAre("FWP_CALLOUT_FLAG_ALLOW_RSC", "FWP_CALLOUT_FLAG_ALLOW_URO",
                                     "FWP_CALLOUT_FLAG_ALLOW_OFFLOAD"));
  const auto refusals = engine->offload_consent().refusals();
  EXPECT_EQ(refusals[2].driver, "testdriver");
  EXPECT_EQ(refusals[2].layer, FWPS_LAYER_OUTBOUND_TRANSPORT_V6);
  EXPECT_EQ(refused(), "1001");
}

TEST_F(OffloadConsentTest, OnlyWhoIsRegisteredAndHasAFilterRefuses) {
  ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
  filter_at(kLayer, 1);
  EXPECT_EQ(refused(), "0000") << "nobody is behind it";
  auto id = register_callout<0>(1);
  EXPECT_EQ(refused(), "1000");
  EXPECT_EQ(engine->callouts().remove(id), STATUS_SUCCESS);
  engine->callouts_changed();
  EXPECT_EQ(refused(), "0000");
  register_callout<0>(1, kCoalescing);
  EXPECT_EQ(refused(), "0000");
  register_callout<1>(2);
  EXPECT_EQ(refused(), "0000") << "it filters nothing";
  EXPECT_THAT(missing(), IsEmpty());
}

TEST_F(OffloadConsentTest, EveryFilterOfTheRefuserHasToGo) {
  register_callout<0>(1);
  ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
  std::vector<std::uint64_t> filters;
  for (int i = 0; i < 100; ++i) filters.push_back(filter_at(kLayer, 1));
  EXPECT_THAT(missing(), testing::SizeIs(1));
  ASSERT_EQ(management().begin(session, false), STATUS_SUCCESS);
  for (std::size_t i = 1; i < filters.size(); ++i) management().remove_filter(session, filters[i]);
  management().remove_filter(session, filter_at(kLayer, 1));  // nobody ever saw this one
  ASSERT_EQ(management().commit(session), STATUS_SUCCESS);
  EXPECT_EQ(refused(), "1000");
  management().remove_filter(session, filters[0]);
  EXPECT_EQ(refused(), "0000");
}

TEST_F(OffloadConsentTest, WhatIsRolledBackRefusesNothing) {
  register_callout<0>(1);
  ASSERT_EQ(add_callout(1, session), STATUS_SUCCESS);
  ASSERT_EQ(management().begin(session, false), STATUS_SUCCESS);
  filter_at(kLayer, 1);
  EXPECT_EQ(refused(), "0000");
  ASSERT_EQ(management().abort(session), STATUS_SUCCESS);
  EXPECT_EQ(refused(), "0000");
}

}  // namespace
}  // namespace wfp::engine
