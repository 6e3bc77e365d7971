#include "stack/hooks/hooks.hpp"

#include <gtest/gtest.h>

#include "stack/packet/packet_pool.hpp"

namespace stack {
namespace {

class Recorder : public Inspector, public DiscardObserver {
 public:
  std::optional<Packet> inspect(Packet packet, const PacketContext& context) override {
    ++inspected;
    last_hook = context.hook;
    if (moves_offset) packet.pull(1);
    if (takes) return std::nullopt;
    return packet;
  }
  bool discarded(const Packet&, Drop reason, const PacketContext&) override {
    last_drop = reason;
    return answers;
  }
  void discarded_early(const Packet&, Drop reason) override { last_drop = reason; }

  int inspected = 0;
  bool takes = false, answers = true, moves_offset = false;
  Hook last_hook = Hook::IpOut;
  Drop last_drop = Drop::Shutdown;
};

class HooksTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pool_.in_use(), 0U); }
  PacketPool pool_{8};
  Stats stats_;
  Hooks hooks_{stats_};
  Recorder recorder_;
};

TEST_F(HooksTest, EveryHookAndFamilyIsArmedOnItsOwn) {
  for (std::size_t i = 0; i < kHookCount; ++i)
    for (const Family family : {Family::V4, Family::V6}) {
      hooks_.arm(static_cast<Hook>(i), family, true);
      for (std::size_t j = 0; j < kHookCount; ++j)
        for (const Family other : {Family::V4, Family::V6})
          EXPECT_EQ(hooks_.armed(static_cast<Hook>(j), other), i == j && family == other);
      hooks_.arm(static_cast<Hook>(i), family, false);
    }
}

TEST_F(HooksTest, WithoutAnInspectorEverythingPasses) {
  EXPECT_TRUE(hooks_.inspect(pool_.allocate(10), {}).has_value());
}

TEST_F(HooksTest, TheInspectorMayKeepThePacket) {
  hooks_.set_inspector(&recorder_);
  PacketContext context;
  context.hook = Hook::TransportIn;
  EXPECT_TRUE(hooks_.inspect(pool_.allocate(10), context).has_value());
  EXPECT_EQ(recorder_.last_hook, Hook::TransportIn);
  recorder_.takes = true;
  EXPECT_FALSE(hooks_.inspect(pool_.allocate(10), {}).has_value());
  EXPECT_EQ(recorder_.inspected, 2);
}

TEST_F(HooksTest, AMovedDataStartIsCaught) {
  hooks_.set_inspector(&recorder_);
  recorder_.moves_offset = true;
  EXPECT_DEATH(hooks_.inspect(pool_.allocate(10), {}), "check failed");
}

TEST_F(HooksTest, DiscardCountsAndAsksWhetherToAnswer) {
  EXPECT_TRUE(hooks_.discard(pool_.allocate(10), Drop::NoEndpoint, {}));
  hooks_.set_discard_observer(&recorder_);
  recorder_.answers = false;
  EXPECT_FALSE(hooks_.discard(pool_.allocate(10), Drop::NoEndpoint, {}));
  hooks_.discard(pool_.allocate(10), Drop::BadVersion);
  EXPECT_EQ(recorder_.last_drop, Drop::BadVersion);
  EXPECT_EQ(stats_.dropped(Drop::NoEndpoint), 2U);
  EXPECT_EQ(stats_.dropped(), 3U);
}

}  // namespace
}  // namespace stack
