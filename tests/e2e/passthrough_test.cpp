// Everything of a connection goes through the passthrough driver and arrives byte for byte; what was taken was given
// back, and nothing is left after the driver has gone.
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

struct Case {
  const char* name;
  node::Impairment impairment;
  bool v6 = false;
  std::size_t bytes = 300'000;
  bool offload = true;
};

class Passthrough : public ::testing::TestWithParam<Case> {};

void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

TEST_P(Passthrough, BothDirectionsByteForByte) {
  std::uint64_t lost = 0;
  for (const auto seed : test::seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto& p = GetParam();
    World world{{.seed = seed, .link = {.offload = p.offload, .impairment = p.impairment}}};
    world.trace.keep(false);
    test::WorldDriver driver{world, "passthrough"};
    ASSERT_EQ(driver.load({{"mode", "robust"}}), "");

    Talker client{p.bytes}, server{p.bytes};
    world.listen(world.system->stack(), p.v6, 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
    world.connect(*world.peer, 1, p.v6, 80, client);
    EXPECT_TRUE(world.network.run_until([&] { return client.finished && server.finished; }, 600s));
    for (const auto* side : {&client, &server}) {
      EXPECT_EQ(side->received, p.bytes);
      EXPECT_EQ(side->wrong, 0U);
      EXPECT_EQ(side->failure, stack::Error::None);
    }
    world.network.run_for(5s);
    driver.unload();

    // An acknowledgement may outlive its endpoint in the queue; robust then sends it once more, the network way.
    const auto injected = world.injected();
    const auto second_way = world.system->injections().counts().outbound.failed;
    EXPECT_GT(injected.accepted, 20U);
    EXPECT_EQ(world.absorbed() + second_way, injected.accepted);
    EXPECT_EQ(injected.completed, injected.accepted);
    EXPECT_EQ(injected.failed, second_way) << world.drops();
    EXPECT_EQ(world.system->stack().stats().dropped(stack::Drop::EndpointGone), second_way);
    EXPECT_TRUE(p.impairment.loss > 0 || second_way == 0) << second_way;
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
    EXPECT_TRUE(world.system->is_idle());
    lost += world.network.link().frames_lost();
  }
  EXPECT_EQ(lost > 0, GetParam().impairment.loss > 0) << "the link did not do what the case is about";
}

constexpr node::Impairment kClean{.delay = 1ms};
constexpr node::Impairment kBad{.loss = 0.02, .reorder = 0.05, .delay = 5ms};
INSTANTIATE_TEST_SUITE_P(Wires, Passthrough,
                         ::testing::Values(Case{"Clean", kClean}, Case{"CleanV6", kClean, true},
                                           Case{"CleanNoOffload", kClean, false, 300'000, false},
                                           Case{"Bad", kBad, false, 2'000'000}, Case{"BadV6", kBad, true, 2'000'000},
                                           Case{"BadNoOffload", kBad, false, 300'000, false}),
                         [](const auto& parameters) { return parameters.param.name; });

}  // namespace
