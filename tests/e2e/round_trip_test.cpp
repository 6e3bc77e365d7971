// What a round trip costs the thread that runs the stack, in counts: it wakes nobody, and least of all itself.
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::World;

// Answers each byte with one byte; `limit` of them.
class Bouncer final : public stack::TcpStream::Observer {
 public:
  explicit Bouncer(int limit) : limit_(limit) {}
  void start(stack::TcpStream stream) {
    stream_ = std::move(stream);
    stream_.set_observer(this);
  }
  void send() {
    const std::byte byte{1};
    EXPECT_EQ(stream_.write({&byte, 1}).count, 1U);
  }
  void on_connected() override { is_connected = true; }
  void on_readable() override {
    std::array<std::byte, 16> buffer;
    const auto got = stream_.read(buffer);
    if (got.error != stack::Error::None || got.count == 0) return;
    if (++bounces < limit_) send();
  }
  void on_writable() override {}
  void on_failed(stack::Error) override { ADD_FAILURE(); }

  int bounces = 0;
  bool is_connected = false;

 private:
  stack::TcpStream stream_;
  int limit_;
};

void expect_no_wakes_of(World& world) {
  constexpr int kRoundTrips = 50;
  Bouncer client{kRoundTrips}, server{kRoundTrips + 1};
  world.listen(world.system->stack(), false, 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
  auto connected = world.peer->connect_tcp(World::address(1, false, 80), World::any(false, 0), world.owner);
  client.start(std::move(connected.stream));
  ASSERT_TRUE(world.network.run_until([&] { return client.is_connected; }, 10s));
  world.network.run_for(1s);
  int wakes = 0;
  world.system.set_wake_observer([&wakes] { ++wakes; });
  client.send();
  ASSERT_TRUE(world.network.run_until([&] { return client.bounces == kRoundTrips; }, 60s));
  world.system.set_wake_observer({});
  EXPECT_EQ(wakes, 0) << "in " << kRoundTrips << " round trips";
}

TEST(RoundTrip, WithoutADriverNobodyIsWoken) {
  World world;
  expect_no_wakes_of(world);
}

TEST(RoundTrip, ThroughPassthroughTheStacksThreadDoesNotWakeItself) {
  World world;
  test::WorldDriver driver{world, "passthrough"};
  ASSERT_EQ(driver.load({{"mode", "robust"}}), "");
  expect_no_wakes_of(world);
  EXPECT_GT(world.injected().completed, 100U);
  EXPECT_EQ(World::violations(), "");
  driver.unload();
}

}  // namespace
