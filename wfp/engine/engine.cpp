#include "wfp/engine/engine.hpp"

#include "wfp/engine/call_watch.hpp"
#include "wfp/engine/epoch.hpp"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::engine {
namespace {

std::atomic<Engine*> the_engine{nullptr};

std::string packet_of_current_classify() {
  const CurrentClassify* const current = current_classify();
  return current != nullptr && current->input->describer != nullptr ? current->input->describer->describe() : "";
}

std::string callout_of_current_classify() {
  const CurrentClassify* const current = current_classify();
  return current != nullptr ? callout_text(current->callout_id, current->filter_id, current->layer) : "";
}

// Of a callout that the driver did try to unregister.
std::string why_it_stayed(const LeftCallout& left) {
  if (left.refused == STATUS_FWP_IN_USE)
    return std::string(left.routine) +
           " returned STATUS_FWP_IN_USE, because it was called from inside one of the callout's own functions; call "
           "it "
           "from elsewhere";
  return std::string(left.routine) + " returned STATUS_DEVICE_BUSY, because it still had " +
         kernel::counted(left.contexts, "flow context") +
         "; look at what it returns, remove each context with FwpsFlowRemoveContext0, which calls flowDeleteFn, and "
         "unregister again";
}

void report_left(ledger::DriverId driver, const std::string& what) {
  ledger::Violation violation;
  violation.rule = ledger::rule::kLeftBehind;
  violation.driver = driver;
  violation.message = ledger::driver_name(driver) + " was unloaded " + what + " before DriverUnload returns";
  ledger::report(std::move(violation));
}

}  // namespace

Engine::Engine(Host& host, kernel::Scheduler& scheduler)
    : host_(host),
      scheduler_(scheduler),
      callouts_(scheduler),
      management_(scheduler, callouts_,
                  [this](const auto& added, const auto& deleted) { published(added, deleted); }) {
  asked_.set();
  Engine* none = nullptr;
  KERNEL_CHECK(the_engine.compare_exchange_strong(none, this));
  ledger::set_packet_describer(packet_of_current_classify);
  ledger::set_callout_describer(callout_of_current_classify);
}

Engine::~Engine() { the_engine.store(nullptr); }

Engine& Engine::current() {
  Engine* const engine = the_engine.load(std::memory_order_acquire);
  KERNEL_CHECK(engine != nullptr);
  return *engine;
}

bool Engine::exists() { return the_engine.load(std::memory_order_acquire) != nullptr; }

void Engine::set_asked_layers(const std::vector<std::uint16_t>& layers) {
  asked_.reset();
  for (const std::uint16_t layer : layers) asked_.set(layer);
}

void Engine::set_flows(FlowContexts* flows) {
  flows_ = flows;
  callouts_.set_flows(flows);
}

void Engine::set_tracing(bool on) {
  if (tracing_.exchange(on) != on) host_.layers_changed();
}

void Engine::published(const Management::Filters& added, const Management::Filters& deleted) {
  offload_consent_.filters_changed(added, deleted);
  {
    const epoch::Guard guard;
    const Snapshot& now = management_.snapshot();
    for (std::size_t layer = 0; layer < model::kLayerCount; ++layer) {
      const bool has = now.layers[layer] != nullptr;
      has_filters_[layer].store(has, std::memory_order_relaxed);
      if (has) had_filters_[layer].store(true, std::memory_order_relaxed);
    }
  }
  host_.layers_changed();
}

void Engine::callouts_changed() {
  offload_consent_.registrations_changed();
  host_.layers_changed();  // which offloads are agreed to depends on who is registered
}

void Engine::count(std::uint16_t layer, const ClassifyResult& result) {
  Counters& counters = counters_[layer];
  const auto add = [](std::atomic<std::uint64_t>& counter) { counter.fetch_add(1, std::memory_order_relaxed); };
  add(counters.classified);
  if (result.verdict == Verdict::Permit) return add(counters.permitted);
  add(result.absorb ? counters.absorbed : counters.blocked);
}

LayerCounts Engine::counts(std::uint16_t layer) const {
  if (layer >= model::kLayerCount) return {};
  const Counters& from = counters_[layer];
  const auto read = [](const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  return {read(from.classified), read(from.permitted), read(from.blocked), read(from.absorbed)};
}

void Engine::remove_driver(ledger::DriverId driver) {
  const auto sessions = management_.sessions_of(driver);
  for (const SessionId session : sessions) management_.close(session);
  const auto callouts = callouts_.remove_all_of(driver);
  if (!callouts.empty()) callouts_changed();
  management_.collect();
  std::string forgotten;
  for (const LeftCallout& one : callouts) {
    const std::string what = callouts_.description(one.id);
    const std::string name = "callout " + std::to_string(one.id) + (what.empty() ? "" : " " + what);
    if (one.refused == STATUS_SUCCESS)
      forgotten += (forgotten.empty() ? "" : ", ") + name;
    else
      report_left(driver, "and left " + name + ": " + why_it_stayed(one));
  }
  if (!forgotten.empty()) report_left(driver, "and left " + forgotten + "; call FwpsCalloutUnregisterById0 for each");
  if (!sessions.empty())
    report_left(driver, "with " + kernel::counted(sessions.size(), "engine session") + " open" +
                            "; call FwpmEngineClose0 for each");
}

}  // namespace wfp::engine
