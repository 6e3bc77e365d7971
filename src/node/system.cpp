#include "src/node/system.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <thread>

#include "src/shim/shim.hpp"
#include "stack/core/stack.hpp"
#include "wfp/ale/pend.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/flow/flows.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/kernel.hpp"

namespace node {

using stack::Instant;

namespace {

constexpr unsigned kProcessor = 0;
constexpr int kRoundsPerPoll = 32;  // of work that causes work; then the links get their turn
constexpr std::size_t kMaxTimers = 65'536;

stack::core::Config stack_config(const Config& config) {
  stack::core::Config result;
  result.loopback_offload = config.offload;
  result.receive_memory = config.receive_memory;
  result.tcp.send_memory = config.send_memory;
  result.tcp.timestamps = config.tcp_timestamps;
  result.tcp.congestion = config.tcp_congestion;
  result.tcp.time_wait = std::chrono::seconds{config.tcp_time_wait_seconds};
  return result;
}

wfp::ledger::Level ledger_level(VerifyLevel level) {
  switch (level) {
    case VerifyLevel::Off:
      return wfp::ledger::Level::off;
    case VerifyLevel::Standard:
      return wfp::ledger::Level::standard;
    case VerifyLevel::Full:
      return wfp::ledger::Level::full;
  }
  return wfp::ledger::Level::standard;
}

}  // namespace

// In the order of construction: what stands below uses what stands above. The shim leaves the hooks before anything
// else goes, and the stack before the engine, because its packets may still be injections.
struct System::Impl final : shim::StackControl {
  Impl(const Config& given, SystemParties given_parties, std::unique_ptr<wfp::kernel::Scheduler> scheduler,
       std::function<Instant()> read_clock, std::function<void()> wake_processor)
      : config(given),
        parties(given_parties),
        clock(std::move(read_clock)),
        wake_up([this, wake = std::move(wake_processor)] {
          if (!is_processor_thread()) wake();
        }),
        kernel(std::move(scheduler)),
        stack(std::make_unique<stack::core::Stack>(
            stack_config(given), stack::core::Parties{parties.random, parties.log, wake_up, parties.memory},
            clock())),
        host(stack->injector(), *this, stack->executor()),
        engine(host, kernel.scheduler()),
        flows(engine.callouts(), host),
        injections(host, kernel.scheduler(), parties.random->next(), kProcessor),
        pends(host, kernel.scheduler(), kProcessor),
        shim(
            std::in_place, shim::Platform{engine, flows, pends}, stack->hooks(), host,
            shim::ShimConfig{.corrected_endpoint_metadata = given.endpoint_metadata == EndpointMetadata::Corrected}) {
    wfp::ledger::set_level(ledger_level(config.verify));
    kernel.scheduler().set_processor_wake(kProcessor, wake_up);
    engine.set_flows(&flows);
    injections.set_progress([this] { return run_once(now); });
    shim->add_interface(stack::core::Stack::kLoopbackInterface, shim::kIfTypeLoopback);
    if (parties.trace != nullptr) shim->set_trace(parties.trace);
  }
  ~Impl() override {
    shim.reset();
    stack.reset();
    injections.run_completions();  // of what the stack still had: exactly once, also now
  }

  // --- shim::StackControl ---
  void resume(stack::Ticket ticket) override { stack->resume(ticket); }
  void abort_flow(stack::FlowTag flow) override { stack->abort_flow(flow); }
  stack::EndpointId control_endpoint() const override { return stack->control_endpoint(); }
  std::uint8_t protocol_of(stack::EndpointId endpoint) const override {
    const auto* record = stack->endpoints().find(endpoint);
    return record == nullptr ? 0 : record->protocol;
  }
  bool has_interface(stack::InterfaceIndex index) const override {
    return index == stack::core::Stack::kLoopbackInterface || stack->interface(index) != nullptr;
  }
  void wake() override { wake_up(); }
  std::int64_t now_ns() const override { return clock().ns(); }

  // This thread finds what it queues itself by has_work(), so waking it would only cut its next wait short.
  bool is_processor_thread() const {
    return processor_thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }
  bool run_once(Instant when);
  bool has_work() {
    return !stack->is_idle() || injections.has_work() || pends.has_work() || flows.has_work() ||
           kernel.scheduler().has_work(kProcessor);
  }
  void run_timers(Instant when);
  Instant next_deadline();

  const Config config;
  SystemParties parties;
  std::function<Instant()> clock;
  std::atomic<std::thread::id> processor_thread{};  // of bind_thread(); nobody's before and after
  std::function<void()> wake_up;                    // from a thread other than that
  wfp::kernel::Kernel kernel;
  std::unique_ptr<stack::core::Stack> stack;
  shim::StackHost host;
  wfp::engine::Engine engine;
  wfp::flow::Flows flows;
  wfp::inject::Injections injections;
  wfp::ale::Pends pends;
  std::optional<shim::Shim> shim;  // there until the end begins
  stack::InterfaceIndex interface = 0;
  Instant now;
  std::map<std::pair<Instant, TimerId>, std::function<void()>> timers;
  std::map<TimerId, Instant> timer_deadlines;
  TimerId next_timer = 1;
};

// One turn of everything that can cause more work, each part bounded by itself. Nothing of this runs inside a
// classify: DPCs and completions are called here, after the packet that queued them has been dealt with. True when
// anything was done.
bool System::Impl::run_once(Instant when) {
  now = when;
  stack->poll(when);
  auto& scheduler = kernel.scheduler();
  std::size_t done = scheduler.run_posted(kProcessor);
  done += scheduler.run_dpcs(kProcessor);
  done += injections.drain();
  done += injections.run_completions();
  done += pends.run_deferred();
  done += flows.run_aborts();
  return done != 0 || !stack->is_idle();
}

void System::Impl::run_timers(Instant when) {
  while (!timers.empty() && timers.begin()->first.first <= when) {
    auto timer = timers.extract(timers.begin());
    timer_deadlines.erase(timer.key().second);
    timer.mapped()();
  }
}

Instant System::Impl::next_deadline() {
  if (has_work()) return now;
  Instant next = stack->next_deadline();
  if (!timers.empty()) next = std::min(next, timers.begin()->first.first);
  const auto kernel_deadline = kernel.scheduler().next_deadline();
  if (kernel_deadline != wfp::kernel::kNever) next = std::min(next, Instant::from_ns(kernel_deadline.count()));
  return next;
}

System::System(const Config& config, SystemParties parties, std::unique_ptr<wfp::kernel::Scheduler> scheduler,
               std::function<Instant()> clock, std::function<void()> wake)
    : impl_(std::make_unique<Impl>(config, parties, std::move(scheduler), std::move(clock), std::move(wake))) {}
System::~System() = default;

void System::attach(stack::Link& link) {
  Impl& s = *impl_;
  const bool is_ethernet = link.medium() == stack::Medium::Ethernet;
  s.interface = s.stack->add_interface(link, s.config.device);
  CHECK(s.interface != 0);
  s.shim->add_interface(s.interface, is_ethernet ? shim::kIfTypeEthernet : shim::kIfTypeVirtual);
  for (const auto& address : s.config.addresses) s.stack->add_address(s.interface, address);
  for (const auto& gateway : s.config.gateways)
    s.stack->add_route({stack::IpAddress::any(gateway.family()), 0}, gateway, s.interface);
}

void System::bind_thread() {
  impl_->processor_thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  impl_->kernel.scheduler().bind_processor(kProcessor);
  impl_->stack->poll(impl_->clock());
}

void System::unbind_thread() {
  impl_->kernel.scheduler().unbind_processor(kProcessor);
  impl_->processor_thread.store({}, std::memory_order_relaxed);
}

void System::receive(stack::Packet frame, Instant now) {
  impl_->now = now;
  impl_->stack->receive(impl_->interface, std::move(frame), now);
}

bool System::is_usable() const { return impl_->stack->are_addresses_usable(); }

stack::core::Stack& System::stack() { return *impl_->stack; }
wfp::engine::Engine& System::engine() { return impl_->engine; }
stack::Executor& System::executor() { return impl_->stack->executor(); }
wfp::kernel::Kernel& System::kernel() { return impl_->kernel; }
wfp::flow::Flows& System::flows() { return impl_->flows; }
wfp::inject::Injections& System::injections() { return impl_->injections; }
wfp::ale::Pends& System::pends() { return impl_->pends; }
shim::Shim& System::shim() { return *impl_->shim; }
stack::DiscardObserver& System::discard_observer() { return *impl_->shim; }

Instant System::poll(Instant now) {
  Impl& s = *impl_;
  for (int round = 0; round < kRoundsPerPoll; ++round)
    if (!s.run_once(now)) break;
  s.run_timers(now);
  s.engine.collect();
  return s.next_deadline();
}

bool System::is_idle() const { return !impl_->has_work(); }
Instant System::now() const { return impl_->now; }

System::TimerId System::call_at(Instant when, std::function<void()> task) {
  Impl& s = *impl_;
  if (s.timers.size() >= kMaxTimers) return 0;
  const TimerId id = s.next_timer++;
  s.timers.emplace(std::pair{when, id}, std::move(task));
  s.timer_deadlines.emplace(id, when);
  return id;
}

void System::cancel(TimerId timer) {
  Impl& s = *impl_;
  const auto found = s.timer_deadlines.find(timer);
  if (found == s.timer_deadlines.end()) return;
  s.timers.erase({found->second, timer});
  s.timer_deadlines.erase(found);
}

void System::set_trace(shim::TraceSink* trace) { impl_->shim->set_trace(trace); }
void System::set_block_sink(shim::TraceSink* sink) { impl_->shim->set_block_sink(sink); }
void System::set_coalescing_handler(std::function<void(shim::CoalescingAllowed)> handler) {
  impl_->shim->set_coalescing_handler(std::move(handler));
}

std::size_t System::remove_driver(const wfp::kernel::Driver& driver) {
  Impl& s = *impl_;
  const std::size_t left = s.pends.complete_all_of(driver.id());
  s.engine.remove_driver(driver.id());
  return left + s.injections.destroy_all_of(driver.id());
}

}  // namespace node
