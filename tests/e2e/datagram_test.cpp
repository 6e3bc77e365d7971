// Datagrams through the passthrough driver: asked and answered one for one, small and fragmented, and connections
// with the driver's other settings.
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

// Sends back what comes in, from the address that it was sent to.
class Echo {
 public:
  Echo(World& world, bool v6, std::uint16_t port) {
    auto opened = world.system->stack().open_udp(World::any(v6, port), world.owner);
    EXPECT_EQ(opened.error, stack::Error::None);
    socket_ = std::move(opened.socket);
    socket_.set_readable_handler([this] {
      while (auto datagram = socket_.receive()) {
        std::vector<std::byte> bytes(datagram->payload.size());
        datagram->payload.copy_out(0, bytes);
        EXPECT_EQ(socket_.send_to(bytes, datagram->remote, datagram->local.address), stack::Error::None);
      }
    });
  }

 private:
  stack::UdpSocket socket_;
};

std::vector<std::byte> payload(std::size_t size, std::size_t number) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 3 + i / 256 + number);
  return bytes;
}

struct Case {
  const char* name;
  std::size_t size;
  bool v6 = false;
};
void PrintTo(const Case& value, std::ostream* out) { *out << value.name; }

class Datagrams : public ::testing::TestWithParam<Case> {};

TEST_P(Datagrams, AreAllAnsweredInOrder) {
  constexpr std::size_t kCount = 200;
  constexpr std::size_t kBurst = 20;  // that opens the conversation: all of it arrives while the first is pended
  const auto& p = GetParam();
  for (const auto seed : test::seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world{{.seed = seed}};
    test::WorldDriver driver{world, "passthrough"};
    ASSERT_EQ(driver.load(), "");
    Echo echo{world, p.v6, 7};
    auto opened = world.peer->open_udp(World::any(p.v6, 5000), world.owner);
    ASSERT_EQ(opened.error, stack::Error::None);
    stack::SeededRandom random{seed};
    std::size_t answered = 0;
    opened.socket.set_readable_handler([&] {
      while (auto datagram = opened.socket.receive()) {
        std::vector<std::byte> bytes(datagram->payload.size());
        datagram->payload.copy_out(0, bytes);
        EXPECT_TRUE(bytes == payload(p.size, answered)) << "answer " << answered;
        ++answered;
      }
    });
    // The peer keeps only a few packets while it resolves an address: not what this is about.
    ASSERT_EQ(opened.socket.send_to({}, World::address(1, p.v6, 9)), stack::Error::None);
    world.network.run_for(100ms);
    for (std::size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(opened.socket.send_to(payload(p.size, i), World::address(1, p.v6, 7)), stack::Error::None);
      if (i > kBurst) world.network.run_for(std::chrono::microseconds{random.below(500)});
    }
    world.network.run_for(1s);
    EXPECT_EQ(answered, kCount) << world.drops();
    driver.unload();
    const auto injected = world.injected();
    EXPECT_EQ(injected.accepted, world.absorbed());
    EXPECT_EQ(injected.accepted, 2 * kCount) << "every datagram once in each direction";
    EXPECT_EQ(injected.completed, injected.accepted);
    EXPECT_EQ(injected.failed, 0U);
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Datagrams,
                         ::testing::Values(Case{"Small", 100}, Case{"SmallV6", 100, true}, Case{"Empty", 0},
                                           Case{"Fragmented", 5000}, Case{"FragmentedV6", 5000, true}),
                         [](const auto& parameters) { return parameters.param.name; });

// --- the driver's other settings ---

struct Setting {
  const char* name;
  test::SimDriver::Parameters parameters;
};
void PrintTo(const Setting& value, std::ostream* out) { *out << value.name; }

class Settings : public ::testing::TestWithParam<Setting> {};

// Twelve connections, half from each side, on a bad link.
TEST_P(Settings, ManyConnectionsArriveByteForByte) {
  constexpr std::size_t kBytes = 100'000, kPairs = 6;
  for (const auto seed : test::seeds(3)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world{{.seed = seed, .link = {.impairment = {.loss = 0.02, .reorder = 0.05, .delay = 5ms}}}};
    world.trace.keep(false);
    test::WorldDriver driver{world, "passthrough"};
    ASSERT_EQ(driver.load(GetParam().parameters), "");
    std::vector<std::unique_ptr<Talker>> talkers;
    const auto add = [&]() -> Talker& { return *talkers.emplace_back(std::make_unique<Talker>(kBytes)); };
    for (auto* at : {&*world.peer, &world.system->stack()})
      world.listen(*at, false, 80, [&](stack::TcpStream s) { add().start(std::move(s)); });
    for (std::size_t i = 0; i < kPairs; ++i) {
      world.connect(*world.peer, 1, false, 80, add());
      world.connect(world.system->stack(), 0, false, 80, add());
    }
    const auto all_finished = [&] {
      return talkers.size() == 4 * kPairs &&
             std::ranges::all_of(talkers, [](const auto& talker) { return talker->finished; });
    };
    EXPECT_TRUE(world.network.run_until(all_finished, 600s));
    for (const auto& talker : talkers) {
      EXPECT_EQ(talker->received, kBytes);
      EXPECT_EQ(talker->wrong, 0U);
      EXPECT_EQ(talker->failure, stack::Error::None);
    }
    world.network.run_for(5s);
    driver.unload();
    const auto injected = world.injected();
    EXPECT_EQ(injected.completed, injected.accepted);
    EXPECT_EQ(World::violations(), "");
    EXPECT_THAT(driver.left(), ::testing::IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Values, Settings,
                         ::testing::Values(Setting{"Default", {}}, Setting{"PermitZero", {{"zero", "permit"}}},
                                           Setting{"RefuseOffload", {{"offload", "refuse"}}},
                                           Setting{"RefuseCoalescing", {{"coalescing", "refuse"}}},
                                           Setting{"PendConnect", {{"connect", "pend"}}},
                                           Setting{"OnePacketDeep", {{"depth", "1"}}}),
                         [](const auto& parameters) { return parameters.param.name; });

}  // namespace
