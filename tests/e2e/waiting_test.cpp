// What waits in the stack waits in memory of the stack's own: no injection is under way because an application does not
// read or a neighbour does not answer, so nobody outside keeps a driver loaded.
#include "stack/base/account.hpp"
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using stack::Use;
using test::Talker;
using test::World;

TEST(Waiting, NoInjectionWaitsForAnApplication) {
  for (const auto seed : test::seeds(3)) {
    World world{{.seed = seed, .link = {.impairment = {.loss = 0.02, .reorder = 0.1, .delay = 2ms}}}};
    world.trace.keep(false);
    test::WorldDriver driver{world, "passthrough"};
    ASSERT_EQ(driver.load({{"mode", "robust"}}), "");
    constexpr std::size_t kBytes = 600'000;
    Talker client{kBytes}, server{0};
    stack::TcpStream unread;
    world.listen(world.system->stack(), seed % 2 == 0, 80, [&](stack::TcpStream s) { unread = std::move(s); });
    world.connect(*world.peer, 1, seed % 2 == 0, 80, client);
    EXPECT_TRUE(world.network.run_until([&] { return unread && unread.readable() >= kBytes / 2; }, 120s));
    world.network.run_for(0s);
    EXPECT_EQ(world.system->injections().counts().inbound.accepted,
              world.system->injections().counts().inbound.completed);
    driver.unload();
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
    EXPECT_GE(world.system->stack().memory().held(Use::InOrder), kBytes / 2) << "nobody has read meanwhile";
    server.start(std::move(unread));
    server.on_readable();
    EXPECT_TRUE(world.network.run_until([&] { return server.finished && client.finished; }, 120s));
    EXPECT_EQ(server.received, kBytes);
    EXPECT_EQ(server.wrong, 0U);
    EXPECT_EQ(world.system->stack().memory().held(), 0U);
    EXPECT_EQ(World::violations(), "");
  }
}

TEST(Waiting, NoInjectionWaitsForANeighbour) {
  World world;
  test::WorldDriver driver{world, "passthrough"};
  ASSERT_EQ(driver.load({{"mode", "robust"}}), "");
  Talker caller{10};
  auto result = world.system->stack().connect_tcp({*stack::IpAddress::parse("10.77.0.99"), 80}, World::any(false, 0),
                                                  world.owner);
  caller.start(std::move(result.stream));
  world.network.run_for(500ms);
  EXPECT_GE(world.system->stack().memory().level(Use::Neighbors).high_water, 40U);
  EXPECT_GT(world.system->stack().memory().held(Use::Neighbors), 0U) << "the SYN waits";
  const auto injected = world.injected();
  EXPECT_GE(injected.accepted, 1U);
  EXPECT_EQ(injected.completed, injected.accepted);
  driver.unload();
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  world.network.run_for(10s);
  EXPECT_EQ(world.system->stack().memory().held(), 0U);
}

}  // namespace
