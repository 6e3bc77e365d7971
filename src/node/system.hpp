// A whole host without a device: the stack, the engine with its callouts, the kernel routines around drivers and the
// shim between them. Node runs it on a TAP and real threads; simulations run the same object on a simulated link and
// virtual time.
//
// One thread, the processor, owns it and calls poll(). Nothing here reads a clock, a random source or a descriptor.
#pragma once

#include <functional>
#include <memory>

#include "src/node/config.hpp"
#include "src/shim/coalescing.hpp"
#include "src/shim/trace.hpp"
#include "stack/base/log.hpp"
#include "stack/base/rng.hpp"
#include "stack/base/time.hpp"
#include "stack/link/link.hpp"

namespace stack {
class Account;
class DiscardObserver;
class Executor;
}  // namespace stack
namespace stack::core {
class Stack;
}
namespace wfp::ale {
class Pends;
}
namespace wfp::flow {
class Flows;
}
namespace wfp::inject {
class Injections;
}
namespace wfp::engine {
class Engine;
}
namespace wfp::kernel {
class Driver;
class Kernel;
class Scheduler;
}  // namespace wfp::kernel
namespace shim {
class Shim;
}

namespace node {

// What comes from outside. All but the account outlive the system; trace may be null, and may be changed later.
struct SystemParties {
  stack::LogSink* log = nullptr;
  stack::RandomSource* random = nullptr;
  shim::TraceSink* trace = nullptr;
  std::shared_ptr<stack::Account> memory{};  // of what is received; null: one of its own, of Config::receive_memory
};

class System {
 public:
  // `scheduler` decides between real threads and simulated ones; `wake` makes the processor call poll() soon, from any
  // thread.
  System(const Config& config, SystemParties parties, std::unique_ptr<wfp::kernel::Scheduler> scheduler,
         std::function<stack::Instant()> clock, std::function<void()> wake);
  ~System();

  // Once, before the first frame: the link, with the addresses and gateways of the configuration. It outlives the
  // system.
  void attach(stack::Link& link);
  void bind_thread();  // the calling thread is the processor's from now on
  void unbind_thread();
  void receive(stack::Packet frame, stack::Instant now);
  bool is_usable() const;  // every address of the stack has passed its duplicate detection, or does without

  stack::core::Stack& stack();
  wfp::engine::Engine& engine();
  stack::Executor& executor();
  wfp::kernel::Kernel& kernel();
  wfp::flow::Flows& flows();
  wfp::inject::Injections& injections();
  wfp::ale::Pends& pends();
  shim::Shim& shim();
  stack::DiscardObserver& discard_observer();  // the shim, for who wants to listen in front of it

  // After a driver's DriverUnload: what it left pended, registered or open is taken away and named in violations.
  // Returns how many operations and handles there were. Not on the processor's thread.
  std::size_t remove_driver(const wfp::kernel::Driver& driver);

  // Runs everything that is due: posted tasks, timers, injections, DPCs, completions; until nothing is left or the
  // round's bound is reached. Returns when it next wants to be called: `now` for "at once".
  stack::Instant poll(stack::Instant now);
  bool is_idle() const;  // no packet, injection, DPC or task under way

  // Calls `task` at `when` on the processor's thread, from poll(). Bounded; false when there are too many.
  using TimerId = std::uint64_t;
  TimerId call_at(stack::Instant when, std::function<void()> task);
  void cancel(TimerId timer);
  stack::Instant now() const;

  void set_trace(shim::TraceSink* trace);
  void set_block_sink(shim::TraceSink* sink);  // what filters and callouts block; null ends it
  // Called when callouts begin or cease to refuse coalesced receive, so that the device can stop making super-frames.
  void set_coalescing_handler(std::function<void(shim::CoalescingAllowed)> handler);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace node
