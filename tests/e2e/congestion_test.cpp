// The congestion control that a node is configured with decides what its connections send: on a long path with few
// losses CUBIC (RFC 9438) carries more than NewReno.
#include "tests/e2e/world.hpp"

namespace {

using namespace std::chrono_literals;
using stack::tcp::CongestionAlgorithm;
using test::Talker;
using test::World;

// Bytes that reach the peer in a minute of the system's sending, each segment a frame of its own.
std::size_t carried(std::uint64_t seed, CongestionAlgorithm algorithm) {
  const test::SimLinkOptions link{.offload = false, .impairment = {.loss = 0.0005, .delay = 200ms}};
  test::WorldOptions options{.seed = seed, .link = link};
  options.config.tcp_congestion = algorithm;
  World world{options};
  world.trace.keep(false);
  Talker client{0}, server{std::size_t{1} << 30};
  client.keep_open();
  world.listen(world.system->stack(), false, 80, [&](stack::TcpStream s) { server.start(std::move(s)); });
  world.connect(*world.peer, 1, false, 80, client);
  world.network.run_for(60s);
  EXPECT_EQ(client.wrong, 0U);
  return client.received;
}

TEST(Congestion, TheConfiguredAlgorithmSends) {
  std::size_t cubic = 0, newreno = 0;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {  // enough that the losses' places do not matter
    cubic += carried(seed, CongestionAlgorithm::Cubic);
    newreno += carried(seed, CongestionAlgorithm::NewReno);
  }
  EXPECT_GT(newreno, 5'000'000U);
  EXPECT_GT(cubic, newreno + newreno / 4);
}

}  // namespace
