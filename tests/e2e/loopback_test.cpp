// A connection of the system with itself passes the layers of both directions, marked as loopback, and everything of it
// can be taken and given back.
#include "fwpm/condition_flags.h"
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

constexpr std::uint8_t kTcp = 6;
constexpr std::size_t kBytes = 200'000;

struct Case {
  const char* name;
  const char* address;
};
void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

class Loopback : public ::testing::TestWithParam<Case> {
 protected:
  bool v6() const { return std::string_view{GetParam().address}.find(':') != std::string_view::npos; }
  // A connection, both directions byte for byte.
  void talk(World& world, Talker& client, Talker& server) {
    world.listen(world.system->stack(), v6(), 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
    auto opened = world.system->stack().connect_tcp({*stack::IpAddress::parse(GetParam().address), 80},
                                                    World::any(v6(), 0), world.owner);
    ASSERT_TRUE(opened.error == stack::Error::None || opened.error == stack::Error::InProgress);
    client.start(std::move(opened.stream));
    EXPECT_TRUE(world.network.run_until([&] { return client.finished && server.finished; }, 60s)) << world.drops();
    for (const auto* side : {&client, &server}) {
      EXPECT_EQ(side->received, kBytes);
      EXPECT_EQ(side->wrong, 0U);
      EXPECT_EQ(side->failure, stack::Error::None);
    }
    world.network.run_for(5s);
  }
};

TEST_P(Loopback, IsClassifiedInBothDirectionsWithItsFlag) {
  World world;
  Talker client{kBytes}, server{kBytes};
  talk(world, client, server);
  const std::string suffix = v6() ? "_V6" : "_V4";
  for (const auto* layer :
       {"FWPS_LAYER_ALE_AUTH_CONNECT", "FWPS_LAYER_ALE_AUTH_RECV_ACCEPT", "FWPS_LAYER_ALE_FLOW_ESTABLISHED",
        "FWPS_LAYER_INBOUND_TRANSPORT", "FWPS_LAYER_OUTBOUND_TRANSPORT", "FWPS_LAYER_INBOUND_IPPACKET",
        "FWPS_LAYER_OUTBOUND_IPPACKET"}) {
    std::size_t seen = 0;
    for (const auto& record : world.trace.at(layer + suffix)) {
      if (record.protocol != kTcp) continue;
      ++seen;
      EXPECT_NE(record.condition_flags & FWP_CONDITION_FLAG_IS_LOOPBACK, 0U) << layer;
    }
    EXPECT_GE(seen, 1U) << layer;
  }
  // Each packet once at each layer, whichever end sent it.
  const auto count = [&](const char* layer) {
    const auto records = world.trace.at(layer + suffix);
    return std::ranges::count(records, kTcp, &test::Classified::protocol);
  };
  EXPECT_EQ(count("FWPS_LAYER_OUTBOUND_TRANSPORT"), count("FWPS_LAYER_OUTBOUND_IPPACKET"));
  EXPECT_EQ(count("FWPS_LAYER_OUTBOUND_IPPACKET"), count("FWPS_LAYER_INBOUND_IPPACKET"));
  EXPECT_EQ(count("FWPS_LAYER_INBOUND_IPPACKET"), count("FWPS_LAYER_INBOUND_TRANSPORT"));
}

// Everything that leaves is taken and given back by send injection: the driver takes nothing at the receive layers,
// because Windows has no interface that such a packet could be received from.
TEST_P(Loopback, GoesThroughTheDriverAndBack) {
  for (const auto seed : test::seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world{{.seed = seed}};
    test::WorldDriver driver{world, "passthrough"};
    ASSERT_EQ(driver.load({{"mode", "robust"}, {"connect", "pend"}}), "");
    Talker client{kBytes}, server{kBytes};
    talk(world, client, server);
    std::size_t reinjected = 0;
    for (const auto& record : world.trace.records()) {
      if (record.injection_state != "injected" || record.protocol != kTcp) continue;
      ++reinjected;
      EXPECT_NE(record.condition_flags & FWP_CONDITION_FLAG_IS_LOOPBACK, 0U) << record.layer;
    }
    EXPECT_GT(reinjected, 20U);
    driver.unload();
    const auto injected = world.injected();
    const auto second_way = world.system->injections().counts().outbound.failed;  // as in passthrough_test
    EXPECT_GT(injected.completed, 10U);
    EXPECT_EQ(injected.completed, injected.accepted);
    EXPECT_EQ(injected.failed, second_way) << world.drops();
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
    EXPECT_TRUE(world.system->is_idle());
  }
}

// A pended accept comes back by receive injection, on the loopback interface; a pended connect keeps its flow.
TEST_P(Loopback, IsPendedAndReceivedAgain) {
  World world;
  test::WorldDriver driver{world, "pend_auth"};
  ASSERT_EQ(driver.load({{"delay", "200"}}), "");
  Talker client{kBytes}, server{kBytes};
  talk(world, client, server);
  const std::string suffix = v6() ? "_V6" : "_V4";
  const auto connects = world.trace.at("FWPS_LAYER_ALE_AUTH_CONNECT" + suffix);
  ASSERT_EQ(connects.size(), 2U);
  EXPECT_TRUE(connects[0].pended);
  EXPECT_NE(connects[0].flow_handle, 0U);
  EXPECT_EQ(connects[1].flow_handle, connects[0].flow_handle);
  EXPECT_EQ(connects[1].condition_flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE, FWP_CONDITION_FLAG_IS_REAUTHORIZE);
  const auto accepts = world.trace.at("FWPS_LAYER_ALE_AUTH_RECV_ACCEPT" + suffix);
  ASSERT_EQ(accepts.size(), 2U);
  EXPECT_EQ(accepts[1].injection_state, "injected");
  driver.unload();
  EXPECT_EQ(world.system->pends().counts().started, 2U);
  EXPECT_EQ(world.system->injections().counts().inbound.completed, 1U);
  EXPECT_EQ(world.system->injections().counts().inbound.failed, 0U);
  EXPECT_EQ(World::violations(), "");
  EXPECT_THAT(driver.left(), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Addresses, Loopback,
                         ::testing::Values(Case{"Own", "10.77.0.2"}, Case{"OwnV6", "fd77::2"},
                                           Case{"Loopback", "127.0.0.1"}, Case{"LoopbackV6", "::1"}),
                         [](const auto& parameters) { return parameters.param.name; });

}  // namespace
