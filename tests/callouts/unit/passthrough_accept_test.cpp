// Accepts that the driver pends at ALE_AUTH_RECV_ACCEPT.
#include "passthrough_fixture.hpp"

namespace fake {
namespace {

using testing::ElementsAre;

TEST_F(Passthrough, AnAcceptIsPendedCompletedAndInjected) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE).absorbed());
  ASSERT_EQ(platform().pends.size(), 1u);
  EXPECT_FALSE(platform().pends[0].completed);
  settle();
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "inject receive"));
  EXPECT_EQ(platform().pends[0].clone, platform().injections[0].clone);
  complete();
}

TEST_F(Passthrough, PendedAndAbsorbedPacketsKeepTheirOrder) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  receive();
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  settle();
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "inject receive", "inject receive",
                                             "complete operation", "inject receive"));
  while (!platform().injections.empty()) complete();
}

TEST_F(Passthrough, AReauthorizationIsDecidedAtOnce) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, 0, FWP_CONDITION_FLAG_IS_REAUTHORIZE).permitted());
  EXPECT_TRUE(classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, 0).permitted()) << "no completion handle";
  EXPECT_TRUE(platform().pends.empty());
}

TEST_F(Passthrough, APendThatCannotBeClonedIsCompletedAllTheSame) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_clones = 1;
  platform().failure = STATUS_INVALID_PARAMETER;
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  settle();
  ASSERT_EQ(platform().pends.size(), 1u);
  EXPECT_TRUE(platform().pends[0].completed);
  EXPECT_EQ(platform().pends[0].clone, nullptr);
  EXPECT_EQ(platform().references, 0u);
}

TEST_F(Passthrough, ACompletedPendIsNotCompletedAgainWhenItsInjectionIsRepeated) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 2;
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  run_for(std::chrono::milliseconds(10));
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "inject receive"));
  complete();
}

}  // namespace
}  // namespace fake
