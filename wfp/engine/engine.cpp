#include "wfp/engine/engine.hpp"

#include <algorithm>

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

// Where a callout meets packets that receive coalescing has merged.
bool sees_coalesced(const model::Layer& layer) {
  return layer.is_receive_packet_layer() || (layer.kind == model::LayerKind::AuthRecvAccept && !layer.is_discard);
}

const char* missing_coalescing_flag(std::uint32_t flags) {
  if ((flags & FWP_CALLOUT_FLAG_ALLOW_RSC) == 0) return "FWP_CALLOUT_FLAG_ALLOW_RSC";
  return (flags & FWP_CALLOUT_FLAG_ALLOW_URO) == 0 ? "FWP_CALLOUT_FLAG_ALLOW_URO" : nullptr;
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
      management_(scheduler, callouts_, [this] { published(); }) {
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

void Engine::set_flows(FlowContexts* flows) {
  flows_ = flows;
  callouts_.set_flows(flows);
}

void Engine::set_tracing(bool on) {
  if (tracing_.exchange(on) != on) host_.layers_changed();
}

void Engine::published() {
  {
    const epoch::Guard guard;
    const Snapshot& now = management_.snapshot();
    for (std::size_t layer = 0; layer < model::kLayerCount; ++layer)
      has_filters_[layer].store(now.layers[layer] != nullptr, std::memory_order_relaxed);
  }
  host_.layers_changed();
}

void Engine::callouts_changed() {
  management_.notify_registered();
  host_.layers_changed();  // what may be coalesced depends on who is registered
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

std::optional<CoalescingRefusal> Engine::coalescing_refusal() const {
  const epoch::Guard guard;
  const Snapshot& now = management_.snapshot();
  for (const model::Layer& layer : model::layers()) {
    if (!sees_coalesced(layer) || now.layers[layer.id] == nullptr) continue;
    for (const auto& filter : now.layers[layer.id]->filters()) {
      if (filter->callout == nullptr) continue;
      const CalloutUse use(*filter->callout);
      const char* const missing = use ? missing_coalescing_flag(use->flags) : nullptr;
      if (missing != nullptr)
        return CoalescingRefusal{ledger::driver_name(use->driver), filter->filter.callout_id, layer.id, missing};
    }
  }
  return std::nullopt;
}

void Engine::remove_driver(ledger::DriverId driver) {
  const auto sessions = management_.sessions_of(driver);
  for (const SessionId session : sessions) management_.close(session);
  const auto callouts = callouts_.remove_all_of(driver);
  if (!callouts.empty()) callouts_changed();
  management_.collect();
  if (!callouts.empty()) {
    std::string left;
    for (const std::uint32_t id : callouts) {
      const std::string what = callouts_.description(id);
      left += (left.empty() ? "callout " : ", callout ") + std::to_string(id) + (what.empty() ? "" : " " + what);
    }
    report_left(driver, "and left " + left + "; call FwpsCalloutUnregisterById0 for each");
  }
  if (!sessions.empty())
    report_left(driver, "with " + kernel::counted(sessions.size(), "engine session") + " open" +
                            "; call FwpmEngineClose0 for each");
}

}  // namespace wfp::engine
