// The other two awkward packets: the stack closes first, and the peer's own FIN arrives when the endpoint is gone.
// The segment shows no endpoint (0xc84); the ACK of the FIN has the flag and a zero handle (0x8cc0).
#include <algorithm>

#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

struct Outcome {
  std::vector<std::string> peer_states;  // a while after the peer's FIN
  World::Injected injected;
  std::vector<test::Classified> acks, segments;  // outbound from TIME-WAIT; inbound without an endpoint
};

Outcome close_from_the_stack(std::uint64_t seed, bool v6, const std::string& mode, const std::string& other = {}) {
  test::WorldOptions options{.seed = seed};
  options.config.tcp_timestamps = false;
  options.peer.tcp.timestamps = false;
  World world{options};
  test::WorldDriver driver{world, "passthrough"};
  EXPECT_EQ(driver.load({{"mode", mode}}), "");
  std::unique_ptr<test::WorldDriver> second;
  if (!other.empty()) {
    second = std::make_unique<test::WorldDriver>(world, other);
    EXPECT_EQ(second->load(), "");
  }

  Talker client{100, Talker::AtEnd::Stay}, server{1000};
  client.keep_open();
  world.listen(world.system->stack(), v6, 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
  world.connect(*world.peer, 1, v6, 80, client);
  EXPECT_TRUE(world.network.run_until([&] { return client.finished && server.received == 100; }, 60s));
  server.close();                // its application is done: what follows is the stack's own
  world.network.run_for(300ms);  // the peer has acknowledged the FIN and says nothing yet
  world.trace.clear();
  client.close();
  world.network.run_for(5s);

  Outcome outcome;
  outcome.peer_states = world.peer_states();
  const std::string suffix = v6 ? "_V6" : "_V4";
  outcome.acks = world.trace.at("FWPS_LAYER_OUTBOUND_TRANSPORT" + suffix, "tcp.time_wait");
  for (const auto& record : world.trace.at("FWPS_LAYER_INBOUND_TRANSPORT" + suffix))
    if (record.protocol == 6 && record.present == 0xc84) outcome.segments.push_back(record);
  driver.unload();
  if (second) {
    second->unload();
    EXPECT_THAT(second->left(), ::testing::IsEmpty());
  }
  outcome.injected = world.injected();
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  EXPECT_EQ(World::violations(), "");
  return outcome;
}

class TimeWait : public ::testing::TestWithParam<bool> {};

TEST_P(TimeWait, Metadata) {
  for (const auto seed : test::seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto outcome = close_from_the_stack(seed, GetParam(), "robust");
    ASSERT_FALSE(outcome.acks.empty());
    for (const auto& ack : outcome.acks) {
      EXPECT_EQ(ack.present, 0x8cc0U);
      EXPECT_EQ(ack.endpoint_handle, 0U);
      EXPECT_EQ(ack.flow_handle, 0U);
      EXPECT_EQ(ack.ip_header_size, 0U);
      EXPECT_EQ(ack.transport_header_size, 0x14U);
    }
    ASSERT_FALSE(outcome.segments.empty());
    for (const auto& segment : outcome.segments) {
      EXPECT_EQ(segment.endpoint_handle, 0U);
      EXPECT_EQ(segment.flow_handle, 0U);
      EXPECT_EQ(segment.ip_header_size, GetParam() ? 0x28U : 0x14U);
      EXPECT_EQ(segment.transport_header_size, 0x14U);
    }
  }
}

TEST_P(TimeWait, RobustLetsThePeerGo) {
  for (const auto seed : test::seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto outcome = close_from_the_stack(seed, GetParam(), "robust");
    EXPECT_THAT(outcome.peer_states, ::testing::IsEmpty());
    EXPECT_EQ(outcome.injected.failed, 0U);
    EXPECT_EQ(outcome.acks.front().action, "block");
    EXPECT_EQ(outcome.segments.size(), 2U) << "the FIN once, and once injected";
  }
}

TEST_P(TimeWait, NaiveLeavesThePeerInLastAck) {
  for (const auto seed : test::seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto outcome = close_from_the_stack(seed, GetParam(), "naive");
    EXPECT_THAT(outcome.peer_states, ::testing::ElementsAre("LAST_ACK"));
    EXPECT_GE(outcome.injected.failed, 2U) << "the FIN comes again and again";
    EXPECT_EQ(outcome.injected.failed, outcome.acks.size());
  }
}

// A callout conditional on flow is not asked about either of them, and holds up nothing.
TEST_P(TimeWait, WithACalloutConditionalOnFlow) {
  const auto outcome = close_from_the_stack(1, GetParam(), "robust", "flow_count");
  EXPECT_THAT(outcome.peer_states, ::testing::IsEmpty());
  EXPECT_EQ(outcome.injected.failed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Families, TimeWait, ::testing::Bool(),
                         [](const auto& parameters) { return parameters.param ? "V6" : "V4"; });

}  // namespace
