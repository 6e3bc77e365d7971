// Loading with settings, unloading with packets held.
#include "passthrough_fixture.hpp"

namespace fake {
namespace {

using testing::ElementsAre;

TEST_F(Passthrough, CoalescingIsAllowedUnlessRefused) {
  const UINT32 both = FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO;
  ASSERT_EQ(load(), STATUS_SUCCESS);
  for (const auto& callout : platform().callouts) EXPECT_EQ(callout.callout.flags & both, both);
  unload();
  set("coalescing", "refuse");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  std::size_t refusing = 0;
  for (const auto& callout : platform().callouts) refusing += (callout.callout.flags & both) == 0;
  EXPECT_EQ(refusing, 4u);  // inbound transport and accept
}

TEST_F(Passthrough, OffloadIsAllowedUnlessRefused) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  for (const auto& callout : platform().callouts)
    EXPECT_NE(callout.callout.flags & FWP_CALLOUT_FLAG_ALLOW_OFFLOAD, 0u);
  unload();
  set("offload", "refuse");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_FALSE(platform().callouts.empty());
  for (const auto& callout : platform().callouts)
    EXPECT_EQ(callout.callout.flags & FWP_CALLOUT_FLAG_ALLOW_OFFLOAD, 0u);
}

TEST_F(Passthrough, CompletionsWithinTheCallAreFine) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().complete_inline = true;
  for (int i = 0; i < 100; ++i) send(static_cast<std::uint64_t>(i));
  settle();
  EXPECT_EQ(platform().references, 0u);
}

TEST_F(Passthrough, UnloadDrainsWhatIsHeld) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().complete_inline = true;
  platform().busy_unregisters = 3;
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(send(7).absorbed());
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  unload();
  EXPECT_EQ(platform().events.size(), 302u);
  EXPECT_THAT(printed_, testing::HasSubstr("absorbed 300 pended 0 injected 300 completed 300 failed 0"));
}

TEST_F(Passthrough, UnloadWaitsOutAShortage) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().complete_inline = true;
  platform().fail_injections = 5;
  send(7);
  unload();
  EXPECT_THAT(platform().events, ElementsAre("inject transport"));
}

TEST_F(Passthrough, AFailedStartLeavesNothing) {
  platform().fail_filter = STATUS_FWP_NOT_FOUND;
  EXPECT_EQ(load(), STATUS_FWP_NOT_FOUND);
  driver_.reset();
}

TEST_F(Passthrough, LoadsAndUnloadsAgainAndAgain) {
  platform().complete_inline = true;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(load(), STATUS_SUCCESS);
    send(static_cast<std::uint64_t>(i));
    unload();
  }
}

TEST_F(Passthrough, SettingsThatMakeNoSenseAreNamedAndIgnored) {
  set("mode", "fast");
  set("depth", "0");
  set("zero", std::string(300, 'x').c_str());
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_THAT(printed_, testing::HasSubstr("parameter mode must be robust or naive"));
  EXPECT_THAT(printed_, testing::HasSubstr("depth must be a number from 1 to 65536; 4096 is used"));
  EXPECT_THAT(printed_, testing::HasSubstr("parameter zero must be permit or inject")) << "longer than its buffer";
  EXPECT_THAT(printed_, testing::HasSubstr("mode robust, zero inject"));
}

}  // namespace
}  // namespace fake
