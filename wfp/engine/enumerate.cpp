#include "wfp/engine/enumerate.hpp"

#include "wfp/engine/engine.hpp"
#include "wfp/engine/epoch.hpp"
#include "wfp/kernel/unicode.hpp"

namespace wfp::engine {
namespace {

std::string narrow(const std::u16string& text) { return kernel::to_utf8(text); }

CalloutReport report_of(CalloutSlot& slot) {
  CalloutReport out;
  out.id = slot.id();
  out.key = slot.key();
  out.key_text = to_text(slot.key());
  const CalloutUse use(slot);
  out.is_registered = static_cast<bool>(use);
  if (use) {
    out.driver = ledger::driver_name(use->driver);
    out.flags = use->flags;
  }
  return out;
}

}  // namespace

std::string action_name(FWP_ACTION_TYPE action) {
  switch (action) {
    case FWP_ACTION_PERMIT:
      return "permit";
    case FWP_ACTION_BLOCK:
      return "block";
    case FWP_ACTION_CALLOUT_TERMINATING:
      return "callout terminating";
    case FWP_ACTION_CALLOUT_INSPECTION:
      return "callout inspection";
    case FWP_ACTION_CALLOUT_UNKNOWN:
      return "callout unknown";
    case FWP_ACTION_CONTINUE:
      return "continue";
    case FWP_ACTION_NONE:
      return "none";
    case FWP_ACTION_NONE_NO_MATCH:
      return "no match";
    default:
      return "action " + std::to_string(action);
  }
}

std::vector<LayerReport> Engine::layer_reports() const {
  std::vector<LayerReport> out;
  const epoch::Guard guard;
  const Snapshot& now = management_.snapshot();
  for (const model::Layer& layer : model::layers()) {
    const LayerFilters* const filters = now.layers[layer.id].get();
    const LayerCounts counted = counts(layer.id);
    const bool had_filters = had_filters_[layer.id].load(std::memory_order_relaxed);
    if (!had_filters && counted.classified == 0) continue;
    out.push_back({layer.id, std::string(layer.name), is_asked(layer.id),
                   filters != nullptr ? filters->filters().size() : 0, counted});
  }
  return out;
}

std::vector<CalloutReport> Engine::callout_reports() const {
  std::map<std::uint32_t, CalloutReport> by_id;
  for (const auto& slot : callouts_.all())
    if (slot->is_registered()) by_id.emplace(slot->id(), report_of(*slot));
  for (const auto& object : management_.callouts()) {
    auto& report = by_id[object->id];
    report.id = object->id;
    report.key = object->key;
    report.key_text = to_text(object->key);
    report.name = narrow(object->name);
    report.layer = model::layer_name(object->layer);
  }
  std::vector<CalloutReport> out;
  for (auto& [id, report] : by_id) {
    if (flows_ != nullptr) report.flow_contexts = flows_->count_of(id);
    out.push_back(std::move(report));
  }
  return out;
}

std::vector<FilterReport> Engine::filter_reports() const {
  std::vector<FilterReport> out;
  const epoch::Guard guard;
  const Snapshot& now = management_.snapshot();
  for (const auto& layer : now.layers) {
    if (layer == nullptr) continue;
    for (const auto& compiled : layer->filters()) {
      const model::Filter& filter = compiled->filter;
      const auto sublayer = management_.sublayer(filter.sublayer);
      out.push_back({.id = filter.id,
                     .key_text = to_text(filter.key),
                     .name = narrow(filter.name),
                     .layer = std::string(model::layer_name(filter.layer)),
                     .sublayer = sublayer != nullptr ? narrow(sublayer->name) : std::string(),
                     .sublayer_weight = compiled->sublayer_weight,
                     .weight = filter.effective_weight,
                     .action = action_name(filter.action),
                     .callout_id = filter.callout_id,
                     .is_asked = is_asked(filter.layer),
                     .conditions = filter.conditions.size(),
                     .hits = compiled->hits.load(std::memory_order_relaxed)});
    }
  }
  return out;
}

}  // namespace wfp::engine
