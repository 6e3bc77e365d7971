// The same seed is the same run, down to every record of the trace; another seed is another run.
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using test::Talker;
using test::World;

struct Run {
  std::uint64_t hash;
  std::size_t records;
  std::int64_t end_ns;
  bool operator==(const Run&) const = default;
};

Run run(std::uint64_t seed, const char* driver_name) {
  World world{{.seed = seed, .link = {.impairment = {.loss = 0.02, .reorder = 0.05, .delay = 5ms}}}};
  world.trace.keep(false);
  test::WorldDriver driver{world, driver_name};
  EXPECT_EQ(driver.load(), "");
  Talker client{500'000}, server{500'000};
  world.listen(world.system->stack(), false, 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
  world.connect(*world.peer, 1, false, 80, client);
  EXPECT_TRUE(world.network.run_until([&] { return client.finished && server.finished; }, 600s));
  driver.unload();
  return {world.trace.hash(), world.trace.count(), world.network.now().ns()};
}

class Repeat : public ::testing::TestWithParam<const char*> {};

TEST_P(Repeat, TheSameSeedIsTheSameRun) {
  for (const auto seed : test::seeds(5)) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto first = run(seed, GetParam());
    EXPECT_GT(first.records, 50U);
    RecordProperty("trace_of_seed_" + std::to_string(seed), std::to_string(first.hash));  // to compare two processes
    EXPECT_EQ(run(seed, GetParam()), first);
    EXPECT_NE(run(seed + 100'000, GetParam()).hash, first.hash);
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, Repeat, ::testing::Values("passthrough", "pend_auth", "flow_count"),
                         [](const auto& parameters) { return std::string{parameters.param}; });

}  // namespace
