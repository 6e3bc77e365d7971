// Two stacks on a bad wire: every byte arrives, in order, once, in both directions, whatever the wire does. Each case
// is one seed of a parameter set; a failure prints it.
#include <gtest/gtest.h>

#include "tests/support/sim_network.hpp"
#include "tests/support/talker.hpp"

namespace {

using namespace std::chrono_literals;
using stack::Error;
using stack::IpAddress;
using stack::TcpStream;
using test::SimLinkOptions;

struct Case {
  const char* name;
  SimLinkOptions link;
  bool v6 = false;
  std::size_t bytes = 500'000;
};

class BadWire : public ::testing::TestWithParam<Case> {};

TEST_P(BadWire, BothDirectionsArriveByteForByte) {
  std::uint64_t lost = 0, corrupted = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto options = GetParam().link;
    options.seed = seed;
    test::SimNetwork network{options};
    test::SimStack client{network.link().end(0), "10.77.0.1/24", "fd77::1/64", {}, seed};
    test::SimStack server{network.link().end(1), "10.77.0.2/24", "fd77::2/64", {}, seed + 1000};
    network.set_host(0, client);
    network.set_host(1, server);
    network.run_for(3s);  // duplicate address detection

    const auto owner = std::make_shared<const stack::Owner>();
    test::Talker asking{GetParam().bytes}, answering{GetParam().bytes};
    const auto any = IpAddress::any(GetParam().v6 ? stack::Family::V6 : stack::Family::V4);
    auto listening = server->listen_tcp({any, 80}, owner);
    ASSERT_EQ(listening.error, Error::None);
    listening.listener.set_accept_handler([&](TcpStream stream) { answering.start(std::move(stream)); });
    auto connecting =
        client->connect_tcp({*IpAddress::parse(GetParam().v6 ? "fd77::2" : "10.77.0.2"), 80}, {any, 0}, owner);
    ASSERT_TRUE(connecting.error == Error::None || connecting.error == Error::InProgress);
    asking.start(std::move(connecting.stream));

    EXPECT_TRUE(network.run_until([&] { return asking.finished && answering.finished; }, 600s));
    for (const auto* side : {&asking, &answering}) {
      EXPECT_EQ(side->received, GetParam().bytes);
      EXPECT_EQ(side->wrong, 0U);
      EXPECT_EQ(side->failure, Error::None);
    }
    lost += network.link().frames_lost();
    corrupted += network.link().frames_corrupted();
    EXPECT_TRUE(network.run_until([&] { return client->endpoints().size() <= 4 && network.link().is_idle(); }, 200s));
  }
  EXPECT_EQ(lost > 0, GetParam().link.impairment.loss > 0) << "the wire did not do what the case is about";
  EXPECT_EQ(corrupted > 0, GetParam().link.corrupt > 0);
}

INSTANTIATE_TEST_SUITE_P(
    Wires, BadWire,
    ::testing::Values(
        Case{.name = "Clean", .link = {.impairment = {.delay = 1ms}}},
        Case{.name = "CleanV6", .link = {.impairment = {.delay = 1ms}}, .v6 = true},
        Case{.name = "NoOffload", .link = {.offload = false, .impairment = {.delay = 1ms}}},
        Case{.name = "Loss", .link = {.impairment = {.loss = 0.03, .delay = 5ms}}, .bytes = 3'000'000},
        Case{.name = "LossV6", .link = {.impairment = {.loss = 0.03, .delay = 5ms}}, .v6 = true, .bytes = 3'000'000},
        Case{.name = "LossNoOffload", .link = {.offload = false, .impairment = {.loss = 0.03, .delay = 5ms}}},
        Case{.name = "Reorder", .link = {.offload = false, .impairment = {.reorder = 0.1, .delay = 5ms}}},
        Case{.name = "Duplicate", .link = {.impairment = {.duplicate = 0.1, .delay = 2ms}}},
        Case{.name = "Corrupt", .link = {.offload = false, .impairment = {.delay = 2ms}, .corrupt = 0.02}},
        Case{.name = "Everything",
             .link = {.offload = false,
                      .impairment = {.loss = 0.05, .duplicate = 0.05, .reorder = 0.1, .delay = 10ms},
                      .corrupt = 0.02},
             .bytes = 200'000},
        Case{.name = "TinyMtu", .link = {.mtu = 576, .offload = false, .impairment = {.loss = 0.02, .delay = 2ms}}},
        Case{.name = "RawIp", .link = {.medium = stack::Medium::RawIp, .impairment = {.loss = 0.02, .delay = 2ms}}}),
    [](const auto& parameters) { return parameters.param.name; });

}  // namespace
