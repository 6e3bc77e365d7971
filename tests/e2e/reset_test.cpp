// The first awkward packet: the RST that answers a SYN to a port without a listener. It has no endpoint, a naive
// driver loses it, a robust one does not, and a handle in its metadata saves the naive one.
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

constexpr std::uint16_t kClosedPort = 4444;
constexpr std::uint32_t kRstMetadata = 0x8cc0;
constexpr std::uint8_t kRst = 0x04;

struct Outcome {
  stack::Error failure = stack::Error::None;
  stack::Duration took{};
  World::Injected injected;
  std::vector<test::Classified> resets;  // as the outbound transport layer first sees them
  std::string violations;
};

Outcome connect_to_closed_port(std::uint64_t seed, bool v6, const std::string& mode, const std::string& zero,
                               node::EndpointMetadata metadata) {
  test::WorldOptions options{.seed = seed};
  options.config.endpoint_metadata = metadata;
  options.config.tcp_timestamps = false;
  options.peer.tcp.timestamps = false;
  World world{options};
  test::WorldDriver driver{world, "passthrough"};
  EXPECT_EQ(driver.load({{"mode", mode}, {"zero", zero}}), "");

  Talker client{10};
  const auto begin = world.network.now();
  world.connect(*world.peer, 1, v6, kClosedPort, client);
  world.network.run_until([&] { return client.failure != stack::Error::None; }, 300s);
  Outcome outcome;
  outcome.failure = client.failure;
  outcome.took = world.network.now() - begin;
  world.network.run_for(1s);
  driver.unload();
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  outcome.injected = world.injected();
  outcome.violations = World::violations();
  outcome.resets =
      world.trace.at(v6 ? "FWPS_LAYER_OUTBOUND_TRANSPORT_V6" : "FWPS_LAYER_OUTBOUND_TRANSPORT_V4", "tcp.reset");
  return outcome;
}

class Reset : public ::testing::TestWithParam<bool> {
 protected:
  static void each_seed(const std::function<void(std::uint64_t, bool)>& test) {
    for (const auto seed : test::seeds(3)) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      test(seed, GetParam());
    }
  }
};

TEST_P(Reset, NaiveLosesIt) {
  each_seed([](std::uint64_t seed, bool v6) {
    const auto outcome = connect_to_closed_port(seed, v6, "naive", "inject", node::EndpointMetadata::Windows);
    EXPECT_EQ(outcome.failure, stack::Error::TimedOut);
    EXPECT_GE(outcome.injected.failed, 1U);
    EXPECT_EQ(outcome.injected.completed, outcome.injected.accepted);
    EXPECT_EQ(outcome.injected.failed, outcome.resets.size()) << "one for each SYN";
    EXPECT_EQ(outcome.violations, "");
    ASSERT_FALSE(outcome.resets.empty());
    for (const auto& reset : outcome.resets) {
      EXPECT_EQ(reset.present, kRstMetadata);
      EXPECT_EQ(reset.endpoint_handle, 0U);
      EXPECT_EQ(reset.flow_handle, 0U);
      EXPECT_EQ(reset.ip_header_size, 0U);
      EXPECT_EQ(reset.transport_header_size, 0x14U);
      EXPECT_EQ(reset.compartment, 1U);
      EXPECT_TRUE(reset.tcp_flags & kRst);
      EXPECT_TRUE(reset.absorb);
    }
  });
}

TEST_P(Reset, RobustDeliversItAtOnce) {
  each_seed([](std::uint64_t seed, bool v6) {
    const auto outcome = connect_to_closed_port(seed, v6, "robust", "inject", node::EndpointMetadata::Windows);
    EXPECT_EQ(outcome.failure, stack::Error::ConnectionRefused);
    EXPECT_LT(outcome.took, 100ms);
    EXPECT_EQ(outcome.injected.failed, 0U);
    EXPECT_EQ(outcome.violations, "");
    ASSERT_FALSE(outcome.resets.empty());
    EXPECT_EQ(outcome.resets.front().present, kRstMetadata);
    EXPECT_EQ(outcome.resets.front().endpoint_handle, 0U);
  });
}

TEST_P(Reset, ZeroPermitIsTheSecondWay) {
  each_seed([](std::uint64_t seed, bool v6) {
    const auto outcome = connect_to_closed_port(seed, v6, "robust", "permit", node::EndpointMetadata::Windows);
    EXPECT_EQ(outcome.failure, stack::Error::ConnectionRefused);
    EXPECT_LT(outcome.took, 100ms);
    ASSERT_EQ(outcome.resets.size(), 1U);
    EXPECT_FALSE(outcome.resets.front().absorb);
  });
}

TEST_P(Reset, CorrectedMetadataSavesNaive) {
  each_seed([](std::uint64_t seed, bool v6) {
    const auto outcome = connect_to_closed_port(seed, v6, "naive", "inject", node::EndpointMetadata::Corrected);
    EXPECT_EQ(outcome.failure, stack::Error::ConnectionRefused);
    EXPECT_LT(outcome.took, 100ms);
    EXPECT_EQ(outcome.injected.failed, 0U);
    ASSERT_FALSE(outcome.resets.empty());
    EXPECT_EQ(outcome.resets.front().present, kRstMetadata);
    EXPECT_NE(outcome.resets.front().endpoint_handle, 0U);
  });
}

INSTANTIATE_TEST_SUITE_P(Families, Reset, ::testing::Bool(),
                         [](const auto& parameters) { return parameters.param ? "V6" : "V4"; });

}  // namespace
