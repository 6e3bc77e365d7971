#include "tests/support/sim_network.hpp"

#include <algorithm>

namespace test {

using stack::Duration;
using stack::Instant;

namespace {
constexpr Duration kPollCost = std::chrono::nanoseconds{100};  // work takes time, or a busy host would stop the clock
}

SimStack::SimStack(stack::Link& link, const char* address4, const char* address6, const stack::core::Config& config,
                   std::uint64_t seed)
    : random_(seed),
      stack_(config, {&random_, nullptr, {}}, Instant::from_ns(SimNetwork::kStart)),
      interface_(stack_.add_interface(link, "sim")) {
  for (const char* address : {address4, address6})
    CHECK(stack_.add_address(interface_, stack::IpPrefix::parse(address).value()));
}

Instant SimNetwork::step() {
  if (time_handler_) time_handler_(now_);
  link_.run_due(now_, [this](std::size_t to, stack::Packet frame) { hosts_[to]->receive(std::move(frame), now_); });
  Instant next = stack::kNever;
  for (auto* host : hosts_) next = std::min(next, host->poll(now_));
  return std::min(next, link_.next_deadline());
}

bool SimNetwork::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now_ + limit;
  while (!done()) {
    const Instant next = step();
    if (done()) return true;
    if (next >= end) {
      now_ = end;
      return done();
    }
    now_ = std::max(next, now_ + kPollCost);
  }
  return true;
}

}  // namespace test
