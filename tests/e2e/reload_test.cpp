// A driver comes and goes while connections open, carry data and close through it: nobody at either end notices.
#include <list>

#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

constexpr int kReloads = 20;
constexpr std::size_t kConnections = 4;  // at a time
constexpr std::size_t kBytes = 60'000;   // of each, in both directions

struct Case {
  const char* name;
  const char* driver;
  node::Impairment impairment;
  bool v6 = false;
};

void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

// kConnections from the peer at any time: where one has ended, the next begins.
class Traffic {
 public:
  Traffic(World& world, bool v6) : world_(world), v6_(v6) {
    world.listen(world.system->stack(), v6, 80,
                 [this](stack::TcpStream s) { servers_.emplace_back(kBytes).start(std::move(s)); });
  }
  void keep_up() {
    while (running() < kConnections) world_.connect(*world_.peer, 1, v6_, 80, clients_.emplace_back(kBytes));
  }
  std::size_t running() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        clients_, [](const Talker& t) { return !t.finished && t.failure == stack::Error::None; }));
  }
  bool is_over() const {
    return running() == 0 && servers_.size() == clients_.size() &&
           std::ranges::all_of(servers_, [](const Talker& t) { return t.finished; });
  }
  void expect_all_well() const {
    for (const auto* side : {&clients_, &servers_})
      for (const Talker& talker : *side) {
        EXPECT_EQ(talker.received, kBytes);
        EXPECT_EQ(talker.wrong, 0U);
        EXPECT_EQ(talker.failure, stack::Error::None);
      }
  }
  std::size_t count() const { return clients_.size(); }

 private:
  World& world_;
  bool v6_;
  std::list<Talker> clients_, servers_;
};

class Reload : public ::testing::TestWithParam<Case> {};

TEST_P(Reload, UnderTraffic) {
  for (const auto seed : test::seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world{{.seed = seed, .link = {.offload = false, .impairment = GetParam().impairment}}};
    world.trace.keep(false);
    test::WorldDriver driver{world, GetParam().driver};
    Traffic traffic{world, GetParam().v6};
    stack::SeededRandom random{seed};
    for (int i = 0; i < kReloads; ++i) {
      ASSERT_EQ(driver.load(), "");
      for (int slice = 0; slice < 4; ++slice) {
        traffic.keep_up();
        world.network.run_for(std::chrono::microseconds{random.below(3'000)});
      }
      traffic.keep_up();
      driver.unload();
      world.network.run_for(std::chrono::microseconds{random.below(1'500)});
    }
    EXPECT_TRUE(world.network.run_until([&] { return traffic.is_over(); }, 600s));
    traffic.expect_all_well();
    EXPECT_GT(traffic.count(), 2 * kConnections);
    const auto injected = world.injected();
    EXPECT_EQ(injected.completed, injected.accepted);
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, Reload,
                         ::testing::Values(Case{"Passthrough", "passthrough", {.delay = 1ms}},
                                           Case{"PassthroughV6", "passthrough", {.delay = 1ms}, true},
                                           Case{"PassthroughLoss", "passthrough", {.loss = 0.01, .delay = 2ms}},
                                           Case{"PendAuth", "pend_auth", {.delay = 1ms}},
                                           Case{"FlowCount", "flow_count", {.delay = 1ms}}),
                         [](const auto& parameters) { return parameters.param.name; });

}  // namespace
