// A whole node::System in virtual time on a link that takes packets and brings none: for tests that look at one system
// and need no peer. 10.77.0.2/24 and fd77::2/64, whose duplicate detection is over. The test's thread is the processor.
#pragma once

#include <memory>
#include <span>

#include "src/node/system.hpp"
#include "stack/core/stack.hpp"
#include "wfp/kernel/sim_scheduler.hpp"

namespace test {

class SilentLink final : public stack::Link {
 public:
  explicit SilentLink(stack::Medium medium) : medium_(medium) {}
  stack::Medium medium() const override { return medium_; }
  std::uint32_t mtu() const override { return 1500; }
  stack::MacAddress mac() const override { return {{std::byte{2}}}; }
  stack::LinkCapabilities capabilities() const override { return {}; }
  bool transmit(stack::Packet) override { return ++sent_, true; }
  std::size_t sent() const { return sent_; }

 private:
  stack::Medium medium_;
  std::size_t sent_ = 0;
};

class QuietSystem {
 public:
  explicit QuietSystem(stack::Medium medium, shim::TraceSink* trace = nullptr) : link_(medium) {
    node::Config config;
    for (const char* address : {"10.77.0.2/24", "fd77::2/64"})
      config.addresses.push_back(stack::IpPrefix::parse(address).value());
    auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, 1);
    scheduler_ = scheduler.get();
    system_ = std::make_unique<node::System>(
        config, node::SystemParties{nullptr, &random_, trace}, std::move(scheduler), [this] { return now_; }, [] {});
    system_->attach(link_);
    system_->bind_thread();
    run_for(std::chrono::seconds{3});
  }
  ~QuietSystem() { destroy(); }

  node::System* operator->() { return system_.get(); }
  const SilentLink& link() const { return link_; }
  void run_for(stack::Duration duration) {
    const auto end = now_ + duration;
    for (; now_ < end; now_ = now_ + std::chrono::milliseconds{10}) {
      scheduler_->advance_to(wfp::kernel::Instant{now_.ns()});
      system_->poll(now_);
    }
  }
  // One frame, after all that was posted, and what follows from it at once.
  void receive(stack::Bytes bytes) {
    system_->poll(now_);
    auto frame = system_->stack().pool().allocate(bytes.size(), 0);
    std::copy(bytes.begin(), bytes.end(), frame.make_private(bytes.size()).begin());
    system_->receive(std::move(frame), now_);
    system_->poll(now_);
  }
  void destroy() {
    if (!system_) return;
    system_->unbind_thread();
    system_.reset();
  }

 private:
  stack::Instant now_ = stack::Instant::from_ns(1'000'000'000);
  wfp::kernel::VirtualClock clock_;
  stack::SeededRandom random_{1};
  SilentLink link_;
  wfp::kernel::SimScheduler* scheduler_ = nullptr;  // the system's kernel owns it
  std::unique_ptr<node::System> system_;
};

}  // namespace test
