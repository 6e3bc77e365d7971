// A whole node::System (stack, engine, kernel, shim) in virtual time as one end of a SimNetwork: 10.77.0.2 and
// fd77::2. Its kernel threads are SimScheduler's, so one runs at a time, chosen by the seed, and only while the
// network steps.
//
// The test's thread is the main loop and the processor. DriverEntry and DriverUnload run on a simulated kernel thread
// (run), with the network going on meanwhile. The network outlives the system; drivers are unloaded before it goes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "src/node/system.hpp"
#include "tests/support/sim_network.hpp"
#include "wfp/kernel/sim_scheduler.hpp"

namespace test {

class SimSystem final : public SimHost {
 public:
  // Becomes the host at `end` and moves the network's time handler; `config` brings the addresses.
  SimSystem(SimNetwork& network, std::size_t end, const node::Config& config, shim::TraceSink* trace,
            std::uint64_t seed);
  ~SimSystem() override;

  static node::Config default_config();

  node::System& operator*() { return *system_; }
  node::System* operator->() { return system_.get(); }
  wfp::kernel::SimScheduler& scheduler() { return *scheduler_; }
  // Called when somebody wants the processor to run soon, which on a device would end its wait.
  void set_wake_observer(std::function<void()> observer) { on_wake_ = std::move(observer); }

  void receive(stack::Packet frame, stack::Instant now) override { system_->receive(std::move(frame), now); }
  stack::Instant poll(stack::Instant now) override;

  // Starts `body` on a kernel thread of the program; true in the result once it has returned.
  std::shared_ptr<const bool> start(std::string name, std::function<void()> body);
  // The same, and steps the network until it has returned. A body that never does ends the test program with the
  // list of who waits for what.
  void run(std::string name, std::function<void()> body);

 private:
  SimNetwork& network_;
  wfp::kernel::VirtualClock clock_;
  stack::SeededRandom random_;
  wfp::kernel::SimScheduler* scheduler_ = nullptr;  // the system's kernel owns it
  std::function<void()> on_wake_;
  std::unique_ptr<node::System> system_;
};

}  // namespace test
