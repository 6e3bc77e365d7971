// Two hosts in virtual time, joined by a simulated link: 10.77.0.1 and fd77::1 at end 0, 10.77.0.2 and fd77::2 at
// end 1. Either is a plain stack or anything else that can be polled (a whole node::System). Time jumps from event to
// event, so an hour of TCP takes as long as its packets do, and a run with the same seed is the same run.
#pragma once

#include <functional>
#include <memory>

#include "stack/core/stack.hpp"
#include "tests/support/sim_link.hpp"

namespace test {

// One end, as the network drives it.
class SimHost {
 public:
  virtual ~SimHost() = default;
  virtual void receive(stack::Packet frame, stack::Instant now) = 0;
  virtual stack::Instant poll(stack::Instant now) = 0;  // returns when it wants to be called next
};

// A stack without callouts: what tests use as the peer.
class SimStack final : public SimHost {
 public:
  SimStack(stack::Link& link, const char* address4, const char* address6, const stack::core::Config& config,
           std::uint64_t seed);

  stack::core::Stack& operator*() { return stack_; }
  stack::core::Stack* operator->() { return &stack_; }
  void receive(stack::Packet frame, stack::Instant now) override {
    stack_.receive(interface_, std::move(frame), now);
  }
  stack::Instant poll(stack::Instant now) override {
    stack_.poll(now);
    return stack_.next_deadline();
  }

 private:
  stack::SeededRandom random_;
  stack::core::Stack stack_;
  stack::InterfaceIndex interface_ = 0;
};

class SimNetwork {
 public:
  static constexpr std::int64_t kStart = 1'000'000'000;

  explicit SimNetwork(const SimLinkOptions& options) : link_(options) {}

  SimLink& link() { return link_; }
  void set_host(std::size_t end, SimHost& host) { hosts_[end] = &host; }
  stack::Instant now() const { return now_; }

  // Runs until `done` says so (true) or nothing more happens before `limit` has passed (false).
  bool run_until(const std::function<bool()>& done, stack::Duration limit);
  void run_for(stack::Duration duration) {
    run_until([] { return false; }, duration);
  }
  // Before every step; a simulated scheduler moves its own clock here.
  void set_time_handler(std::function<void(stack::Instant)> handler) { time_handler_ = std::move(handler); }

 private:
  stack::Instant step();  // everything that is due now; returns the next event's time

  SimLink link_;
  std::array<SimHost*, 2> hosts_{};
  stack::Instant now_ = stack::Instant::from_ns(kStart);
  std::function<void(stack::Instant)> time_handler_;
};

}  // namespace test
