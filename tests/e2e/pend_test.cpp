// An authorization that takes its time: the connection waits exactly that long, and nobody repeats anything.
#include <algorithm>

#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

constexpr auto kDelay = 200ms;
constexpr auto kSlack = 10ms;  // the link's delay, there and back, and the handshake
constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;

struct PendedWorld : World {
  explicit PendedWorld(std::uint64_t seed) : World({.seed = seed}) {
    network.link().set_observer([this](std::size_t from, const stack::Packet& frame, stack::Instant) {
      // Ethernet, IPv4 without options or IPv6 without extension headers, TCP.
      std::array<std::byte, 80> bytes{};
      if (frame.size() < 60) return;
      frame.copy_out(0, stack::MutableBytes{bytes}.first(std::min(frame.size(), bytes.size())));
      const bool is_v4 = (bytes[14] >> 4) == std::byte{4};
      if (bytes[is_v4 ? 23 : 20] != std::byte{6}) return;
      const auto flags = std::to_integer<unsigned>(bytes[14U + (is_v4 ? 20U : 40U) + 13U]);
      if ((flags & (kSyn | kAck)) == kSyn) ++syns[from];
    });
  }
  std::array<int, 2> syns{};
};

class Pend : public ::testing::TestWithParam<bool> {};

TEST_P(Pend, AnAcceptWaitsOutItsDelay) {
  for (const auto seed : test::seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PendedWorld world{seed};
    test::WorldDriver driver{world, "pend_auth"};
    ASSERT_EQ(driver.load({{"delay", "200"}}), "");
    Talker client{1000}, server{1000};
    world.listen(world.system->stack(), GetParam(), 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
    const auto begin = world.network.now();
    world.connect(*world.peer, 1, GetParam(), 80, client);
    ASSERT_TRUE(world.network.run_until([&] { return client.connected; }, 60s));
    EXPECT_GE(world.network.now() - begin, kDelay);
    EXPECT_LT(world.network.now() - begin, kDelay + kSlack);
    EXPECT_TRUE(world.network.run_until([&] { return client.finished && server.finished; }, 60s));
    EXPECT_EQ(world.syns[0], 1) << "the SYN was repeated";
    driver.unload();
    EXPECT_EQ(world.system->pends().counts().started, 1U);
    EXPECT_EQ(world.system->pends().counts().completed, 1U);
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  }
}

TEST_P(Pend, AConnectWaitsOutItsDelay) {
  for (const auto seed : test::seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PendedWorld world{seed};
    test::WorldDriver driver{world, "pend_auth"};
    ASSERT_EQ(driver.load({{"delay", "200"}}), "");
    Talker client{1000}, server{1000};
    world.listen(*world.peer, GetParam(), 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
    const auto begin = world.network.now();
    world.connect(world.system->stack(), 0, GetParam(), 80, client);
    world.network.run_for(kDelay - 1ms);
    EXPECT_EQ(world.syns[1], 0) << "the connection began before it was allowed";
    ASSERT_TRUE(world.network.run_until([&] { return client.connected; }, 60s));
    EXPECT_GE(world.network.now() - begin, kDelay);
    EXPECT_LT(world.network.now() - begin, kDelay + kSlack);
    EXPECT_TRUE(world.network.run_until([&] { return client.finished && server.finished; }, 60s));
    EXPECT_EQ(world.syns[1], 1);
    driver.unload();
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  }
}

TEST_P(Pend, DeniedIsRefusedLate) {
  PendedWorld world{1};
  test::WorldDriver driver{world, "pend_auth"};
  ASSERT_EQ(driver.load({{"delay", "200"}, {"deny", "81"}}), "");
  Talker client{1000};
  const auto begin = world.network.now();
  world.connect(world.system->stack(), 0, GetParam(), 81, client);
  ASSERT_TRUE(world.network.run_until([&] { return client.failure != stack::Error::None; }, 60s));
  EXPECT_EQ(client.failure, stack::Error::AccessDenied);
  EXPECT_GE(world.network.now() - begin, kDelay);
  EXPECT_LT(world.network.now() - begin, kDelay + kSlack);
  EXPECT_EQ(world.syns[1], 0);
}

// DriverUnload with connections waiting in both directions: all are decided, none is forgotten, and the unload does
// not take the delay.
TEST_P(Pend, UnloadWithPendsOpen) {
  constexpr std::size_t kConnections = 12;
  for (const auto seed : test::seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PendedWorld world{seed};
    test::WorldDriver driver{world, "pend_auth"};
    ASSERT_EQ(driver.load({{"delay", "5000"}}), "");
    std::vector<std::unique_ptr<Talker>> talkers;
    const auto add = [&]() -> Talker& { return *talkers.emplace_back(std::make_unique<Talker>(500)); };
    for (auto* at : {&*world.peer, &world.system->stack()})
      world.listen(*at, GetParam(), 80, [&](stack::TcpStream s) { add().start(std::move(s)); });
    for (std::size_t i = 0; i < kConnections; ++i) {
      world.connect(*world.peer, 1, GetParam(), 80, add());
      world.connect(world.system->stack(), 0, GetParam(), 80, add());
    }
    world.network.run_for(100ms);
    EXPECT_EQ(world.system->pends().counts().open, 2 * kConnections);
    const auto begin = world.network.now();
    driver.unload();
    EXPECT_LT(world.network.now() - begin, 1s);
    EXPECT_EQ(world.system->pends().counts().open, 0U);
    EXPECT_TRUE(world.network.run_until(
        [&] {
          return talkers.size() == 4 * kConnections &&
                 std::ranges::all_of(talkers, [](const auto& talker) { return talker->finished; });
        },
        60s));
    for (const auto& talker : talkers) EXPECT_EQ(talker->failure, stack::Error::None);
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Pend, ::testing::Bool(),
                         [](const auto& parameters) { return parameters.param ? "V6" : "V4"; });

}  // namespace
