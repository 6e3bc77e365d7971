#include "tests/support/sim_system.hpp"

#include <cstdio>
#include <cstdlib>

#include "wfp/kernel/kernel.hpp"

namespace test {

using stack::Instant;

namespace {
constexpr int kRoundsPerPoll = 64;  // of threads that give the stack work, which wakes threads; then the link's turn
constexpr auto kRunLimit = std::chrono::minutes{10};  // of virtual time
}  // namespace

node::Config SimSystem::default_config() {
  node::Config config;
  config.device = "sim";
  for (const char* address : {"10.77.0.2/24", "fd77::2/64"})
    config.addresses.push_back(stack::IpPrefix::parse(address).value());
  return config;
}

SimSystem::SimSystem(SimNetwork& network, std::size_t end, const node::Config& config, shim::TraceSink* trace,
                     std::uint64_t seed)
    : network_(network), random_(seed) {
  clock_.advance_to(wfp::kernel::Instant{network.now().ns()});
  auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, seed);
  scheduler_ = scheduler.get();
  // Nobody has to be woken: the network polls after every event, and what threads start is seen in poll().
  system_ = std::make_unique<node::System>(
      config, node::SystemParties{nullptr, &random_, trace}, std::move(scheduler), [this] { return network_.now(); },
      [this] {
        if (on_wake_) on_wake_();
      });
  system_->attach(network.link().end(end));
  system_->bind_thread();
  network.set_host(end, *this);
  network.set_time_handler([this](Instant now) { scheduler_->advance_to(wfp::kernel::Instant{now.ns()}); });
}

SimSystem::~SimSystem() {
  network_.set_time_handler({});
  system_->unbind_thread();
}

Instant SimSystem::poll(Instant now) {
  for (int round = 0; round < kRoundsPerPoll; ++round) {
    const Instant next = system_->poll(now);
    if (!scheduler_->run_ready()) return next;
  }
  return now;
}

std::shared_ptr<const bool> SimSystem::start(std::string name, std::function<void()> body) {
  auto finished = std::make_shared<bool>(false);
  auto* thread =
      scheduler_->start_thread(std::move(name), wfp::ledger::kNoDriver, [finished, body = std::move(body)] {
        body();
        *finished = true;
      });
  CHECK(thread != nullptr);
  scheduler_->release(*thread);
  return finished;
}

void SimSystem::run(std::string name, std::function<void()> body) {
  const auto finished = start(name, std::move(body));
  if (network_.run_until([&] { return *finished; }, kRunLimit)) return;
  std::fprintf(stderr, "%s does not come to an end:\n%s", name.c_str(), scheduler_->blocked_report().c_str());
  std::abort();
}

}  // namespace test
