// No room, no memory, an injection that fails: what the driver does with the packets that it holds.
#include "passthrough_fixture.hpp"

namespace fake {
namespace {

using testing::ElementsAre;

TEST_F(Passthrough, AFullQueuePermits) {
  set("depth", "2");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(1).absorbed());
  EXPECT_TRUE(send(2).absorbed());
  EXPECT_TRUE(send(3).permitted());
  EXPECT_TRUE(receive().absorbed()) << "each direction has its own bound";
  settle();
  EXPECT_TRUE(send(4).permitted()) << "what the engine has is still held";
  while (!platform().injections.empty()) complete();
  EXPECT_TRUE(send(5).absorbed());
  settle();
  complete();
}

TEST_F(Passthrough, ACloneThatFailsHoldsTheQueue) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_clones = 3;
  send(1);
  send(2);
  settle();
  EXPECT_TRUE(platform().injections.empty());
  run_for(std::chrono::milliseconds(10));
  EXPECT_THAT(endpoints(), ElementsAre(1, 2));
  complete();
  complete();
}

TEST_F(Passthrough, AnInjectionThatFailsKeepsItsPacketOurs) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 2;
  send(1);
  send(2);
  settle();
  EXPECT_EQ(platform().clones, 0u) << "no completion will run: the clone was freed";
  run_for(std::chrono::milliseconds(10));
  EXPECT_THAT(endpoints(), ElementsAre(1, 2));
  complete();
  complete();
}

TEST_F(Passthrough, ARefusalIsFinal) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 1;
  platform().failure = STATUS_FWP_INJECT_HANDLE_CLOSING;
  send(1);
  send(2);
  settle();
  EXPECT_THAT(endpoints(), ElementsAre(2));
  EXPECT_EQ(platform().references, 1u);
  complete();
}

TEST_F(Passthrough, AShortageThatDoesNotEndIsGivenUp) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 1 << 20;
  send(1);
  run_for(std::chrono::seconds(5));
  EXPECT_EQ(platform().references, 0u);
}

}  // namespace
}  // namespace fake
