// A bulk sender on a path that loses one packet in twenty: it takes no more than a conforming sender may. The bound is
// the macroscopic model of congestion avoidance (Mathis and others, 1997), MSS / RTT * 1.22 / sqrt(p), times three for
// what it does not model: runs are short and losses random.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/sim_network.hpp"
#include "tests/support/talker.hpp"

namespace {

using namespace std::chrono_literals;
using stack::Error;
using stack::IpAddress;
using stack::TcpStream;
using stack::tcp::CongestionAlgorithm;

constexpr double kLoss = 0.05;
constexpr stack::Duration kOneWay = 10ms;
constexpr double kRoundTripSeconds = 0.02;
constexpr double kMss = 1'448;  // 1500 without IP and TCP headers and timestamps
constexpr stack::Duration kRun = 8s;

class LossRate : public ::testing::TestWithParam<CongestionAlgorithm> {};

// Bytes a second that arrive, from the connection's first data on.
double throughput(std::uint64_t seed, CongestionAlgorithm algorithm) {
  test::SimNetwork network{{.offload = false, .impairment = {.loss = kLoss, .delay = kOneWay}, .seed = seed}};
  stack::core::Config config;
  config.tcp.congestion = algorithm;
  config.address_detection = stack::core::AddressDetection::Off;
  test::SimStack client{network.link().end(0), "10.77.0.1/24", "fd77::1/64", config, seed};
  test::SimStack server{network.link().end(1), "10.77.0.2/24", "fd77::2/64", config, seed + 1'000};
  network.set_host(0, client);
  network.set_host(1, server);
  const auto owner = std::make_shared<const stack::Owner>();
  const auto any = IpAddress::any(stack::Family::V4);
  test::Talker sending{std::size_t{1} << 30}, receiving{0};
  receiving.keep_open();
  auto listening = server->listen_tcp({any, 80}, owner);
  listening.listener.set_accept_handler([&](TcpStream stream) { receiving.start(std::move(stream)); });
  auto connecting = client->connect_tcp({*IpAddress::parse("10.77.0.2"), 80}, {any, 0}, owner);
  sending.start(std::move(connecting.stream));
  EXPECT_TRUE(network.run_until([&] { return receiving.received > 0; }, 200s));
  network.run_for(kRun);
  EXPECT_EQ(receiving.wrong, 0U);
  EXPECT_EQ(sending.failure, Error::None);
  return static_cast<double>(receiving.received) / std::chrono::duration<double>(kRun).count();
}

TEST_P(LossRate, NoRunTakesMoreThanThreeTimesTheModel) {
  const double model = kMss / kRoundTripSeconds * 1.22 / std::sqrt(kLoss);
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const double got = throughput(seed, GetParam());
    EXPECT_LE(got, 3 * model) << "seed " << seed;
    sum += got;
  }
  EXPECT_GT(sum / 50, model / 10) << "it hardly sends at all";
  RecordProperty("mean_of_model_percent", static_cast<int>(100 * sum / 50 / model));
}
INSTANTIATE_TEST_SUITE_P(Algorithms, LossRate,
                         ::testing::Values(CongestionAlgorithm::Cubic, CongestionAlgorithm::NewReno),
                         [](const auto& parameters) {
                           return parameters.param == CongestionAlgorithm::Cubic ? "Cubic" : "NewReno";
                         });

}  // namespace
