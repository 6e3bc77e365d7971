// Drivers that break one rule each, under traffic: the rule is named, with the driver, and nothing else breaks.
#include <set>

#include "tests/e2e/world.hpp"
#include "wfp/flow/flows.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;
using ::testing::ElementsAre;

constexpr std::size_t kBytes = 5'000;

std::set<std::string> rules() {
  std::set<std::string> found;
  for (const auto& violation : wfp::ledger::violations()) {
    found.insert(violation.rule);
    EXPECT_EQ(wfp::ledger::driver_name(violation.driver).substr(0, 4), "bad_") << violation.message;
  }
  return found;
}

class Rules : public ::testing::TestWithParam<bool> {
 protected:
  // Whether a connection from the peer carries all bytes, both ways.
  bool talk(World& world, std::uint16_t port = 80) {
    Talker client{kBytes}, server{kBytes};
    world.listen(world.system->stack(), GetParam(), port, [&](stack::TcpStream s) { server.start(std::move(s)); });
    world.connect(*world.peer, 1, GetParam(), port, client);
    const bool arrived = world.network.run_until([&] { return client.finished && server.finished; }, 20s);
    world.network.run_for(5s);
    return arrived && client.received == kBytes && server.received == kBytes;
  }
};

TEST_P(Rules, NoAnswer) {
  World world;
  test::WorldDriver driver{world, "bad_answer"};
  ASSERT_EQ(driver.load(), "");
  EXPECT_TRUE(talk(world));
  EXPECT_THAT(rules(), ElementsAre("ARB-ACTION-NOT-SET"));
  driver.unload();
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
}

// The permit of another driver overrules it: what was absorbed goes on.
TEST_P(Rules, SoftAbsorb) {
  World world;
  test::WorldDriver absorbing{world, "bad_answer"}, permitting{world, "permit"};
  ASSERT_EQ(absorbing.load({{"what", "soft"}}), "");
  ASSERT_EQ(permitting.load(), "");
  EXPECT_TRUE(talk(world));
  EXPECT_THAT(rules(), ElementsAre("ARB-ABSORB-OVERRULED"));
  permitting.unload();
  EXPECT_FALSE(talk(world, 81)) << "now nobody overrules it";
}

TEST_P(Rules, WrongInterface) {
  World world;
  test::WorldDriver driver{world, "bad_inject"};
  ASSERT_EQ(driver.load(), "");
  EXPECT_FALSE(talk(world)) << "the packets are lost";
  EXPECT_THAT(rules(), ElementsAre("INJ-WRONG-INTERFACE"));
  driver.unload();
  EXPECT_EQ(world.injected().failed, world.injected().accepted);
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
}

// Without offloads: a copy has none of the facts that an unfinished checksum would need.
TEST_P(Rules, UnalignedHeader) {
  World world{{.link = {.offload = false, .impairment = {.delay = 1ms}}}};
  test::WorldDriver driver{world, "bad_inject"};
  ASSERT_EQ(driver.load({{"what", "unaligned"}}), "");
  EXPECT_TRUE(talk(world));
  EXPECT_THAT(rules(), ElementsAre("INJ-UNALIGNED-HEADER"));
  driver.unload();
  EXPECT_GT(world.injected().completed, 5U);
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
}

// One connection lives through the reload: the second instance asserts that no context of the first comes to it.
TEST_P(Rules, FlowContextsDoNotOutliveTheirDriver) {
  World world;
  test::WorldDriver driver{world, "bad_leak"};
  constexpr std::size_t kMany = 500'000;
  Talker client{kMany}, server{kMany};
  world.listen(world.system->stack(), GetParam(), 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
  ASSERT_EQ(driver.load({{"what", "context"}}), "");
  world.connect(*world.peer, 1, GetParam(), 80, client);
  ASSERT_TRUE(world.network.run_until([&] { return server.received > kMany / 10; }, 20s));
  EXPECT_EQ(world.system->flows().counts().contexts, 1U);
  driver.unload();
  EXPECT_EQ(world.system->flows().counts().contexts, 0U);
  EXPECT_THAT(rules(), ::testing::IsSupersetOf({"CALLOUT-LEFT-BEHIND", "UNLOAD-RESIDUE"}));
  wfp::ledger::clear_violations();
  ASSERT_LT(server.received, kMany);
  ASSERT_EQ(driver.load({{"what", "handle"}}), "");
  EXPECT_TRUE(world.network.run_until([&] { return client.finished && server.finished; }, 20s));
  EXPECT_THAT(rules(), ::testing::IsEmpty());
}

// The call is refused, so the driver permits and keeps nothing.
TEST_P(Rules, Original) {
  World world;
  test::WorldDriver driver{world, "bad_inject"};
  ASSERT_EQ(driver.load({{"what", "original"}}), "");
  EXPECT_TRUE(talk(world));
  EXPECT_THAT(rules(), ElementsAre("INJ-ORIGINAL"));
  driver.unload();
  EXPECT_EQ(world.injected().accepted, 0U);
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Families, Rules, ::testing::Bool(),
                         [](const auto& parameters) { return parameters.param ? "V6" : "V4"; });

}  // namespace
