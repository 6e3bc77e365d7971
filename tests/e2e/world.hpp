// What the tests here share: a plain stack as the peer (10.77.0.1, fd77::1), the system under test (10.77.0.2,
// fd77::2) with a trace recorder, and the link between them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "tests/support/sim_driver.hpp"
#include "tests/support/talker.hpp"
#include "tests/support/trace_recorder.hpp"
#include "wfp/ale/pend.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/ledger/violation.hpp"

namespace test {

using namespace std::chrono_literals;

struct WorldOptions {
  std::uint64_t seed = 1;
  SimLinkOptions link{.impairment = {.delay = 1ms}};
  node::Config config = SimSystem::default_config();
  stack::core::Config peer{};
};

// The seeds of a test: 1 to `count`. To look for more, WFPTAP_SEEDS=N runs 1 to N; WFPTAP_SEED=S runs that one alone.
inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  const auto number = [](const char* name) -> std::uint64_t {
    const char* text = std::getenv(name);
    return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
  };
  if (const auto one = number("WFPTAP_SEED"); one != 0) return {one};
  if (const auto wanted = number("WFPTAP_SEEDS"); wanted != 0) count = wanted;
  std::vector<std::uint64_t> result(count);
  std::iota(result.begin(), result.end(), 1);
  return result;
}

// Every violation of the run before is forgotten first.
struct Clean {
  Clean() { wfp::ledger::reset(); }
};

struct World {
  explicit World(WorldOptions options = {})
      : network(with_seed(options)),
        peer(network.link().end(0), "10.77.0.1/24", "fd77::1/64", options.peer, options.seed + 1000),
        system(network, 1, options.config, &trace, options.seed) {
    network.set_host(0, peer);
    network.run_for(3s);  // duplicate address detection
    trace.clear();
  }

  static SimLinkOptions with_seed(const WorldOptions& options) {
    SimLinkOptions link = options.link;
    link.seed = options.seed;
    return link;
  }
  static stack::SocketAddress address(int end, bool v6, std::uint16_t port) {
    const char* text[] = {"10.77.0.1", "10.77.0.2", "fd77::1", "fd77::2"};
    return {*stack::IpAddress::parse(text[end + (v6 ? 2 : 0)]), port};
  }
  static stack::SocketAddress any(bool v6, std::uint16_t port) {
    return {stack::IpAddress::any(v6 ? stack::Family::V6 : stack::Family::V4), port};
  }
  // One connection of the peer to the system's `port`, or the other way round.
  void listen(stack::core::Stack& at, bool v6, std::uint16_t port, std::function<void(stack::TcpStream)> accept) {
    auto result = at.listen_tcp(any(v6, port), owner);
    ASSERT_EQ(result.error, stack::Error::None);
    result.listener.set_accept_handler(std::move(accept));
    listeners.push_back(std::move(result.listener));
  }
  void connect(stack::core::Stack& from, int to, bool v6, std::uint16_t port, Talker& talker) {
    auto result = from.connect_tcp(address(to, v6, port), any(v6, 0), owner);
    ASSERT_TRUE(result.error == stack::Error::None || result.error == stack::Error::InProgress);
    talker.start(std::move(result.stream));
  }
  // Packets that callouts took at the layers where they have to give them back.
  std::uint64_t absorbed() {
    std::uint64_t sum = 0;
    for (const auto& layer : system->engine().layer_reports())
      if (layer.name.find("BOUND_TRANSPORT") != std::string::npos ||
          layer.name.find("BOUND_IPPACKET") != std::string::npos ||
          layer.name.starts_with("FWPS_LAYER_ALE_AUTH_RECV_ACCEPT"))
        sum += layer.counts.absorbed;
    return sum;
  }
  struct Injected {
    std::uint64_t accepted = 0, completed = 0, failed = 0;
  };
  Injected injected() {
    const auto counts = system->injections().counts();
    return {counts.inbound.accepted + counts.outbound.accepted, counts.inbound.completed + counts.outbound.completed,
            counts.inbound.failed + counts.outbound.failed};
  }
  // The states of the peer's connections, without listeners.
  std::vector<std::string> peer_states() {
    std::vector<std::string> states;
    peer->endpoints().for_each([&](const stack::ip::EndpointRecord& record) {
      if (record.remote.port != 0) states.emplace_back(record.state);
    });
    return states;
  }
  // What the system gave up, by reason; for messages.
  std::string drops() {
    std::string text;
    for (std::size_t i = 0; i < stack::kDropCount; ++i)
      if (const auto count = system->stack().stats().dropped(static_cast<stack::Drop>(i)); count != 0)
        text += std::string{stack::name_of(static_cast<stack::Drop>(i))} + " " + std::to_string(count) + ", ";
    return text;
  }
  static std::string violations() {
    std::string text;
    for (const auto& violation : wfp::ledger::violations()) text += violation.rule + ": " + violation.message + "\n";
    return text;
  }

  Clean clean;
  TraceRecorder trace;
  SimNetwork network;
  SimStack peer;
  SimSystem system;
  std::vector<stack::TcpListener> listeners;
  std::shared_ptr<const stack::Owner> owner = std::make_shared<const stack::Owner>();
};

// One of the build's drivers, in the world.
class WorldDriver : public SimDriver {
 public:
  WorldDriver(World& world, std::string name) : SimDriver(world.system, WFPTAP_DRIVERS, std::move(name)) {}
};

}  // namespace test
