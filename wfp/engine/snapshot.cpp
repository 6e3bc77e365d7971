#include "wfp/engine/snapshot.hpp"

#include <algorithm>

namespace wfp::engine {
namespace {

std::uint16_t shown_flags(std::uint32_t flags) {
  std::uint16_t out = 0;
  if ((flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT) != 0) out |= FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT;
  if ((flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED) != 0)
    out |= FWPS_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
  if ((flags & FWPM_FILTER_FLAG_SILENT_MODE) != 0) out |= FWPS_FILTER_FLAG_SILENT_MODE;
  return out;
}

}  // namespace

CompiledFilter::CompiledFilter(model::Filter from, std::uint16_t weight_of_sublayer,
                               std::shared_ptr<CalloutSlot> slot)
    : filter(std::move(from)), sublayer_weight(weight_of_sublayer), callout(std::move(slot)) {
  for (model::Condition& condition : filter.conditions)
    shown_conditions.push_back({condition.field, 0, condition.match, condition.value.view()});
  shown.filterId = filter.id;
  shown.weight.type = FWP_UINT64;
  shown.weight.uint64 = &filter.effective_weight;
  shown.subLayerWeight = sublayer_weight;
  shown.flags = shown_flags(filter.flags);
  shown.numFilterConditions = static_cast<UINT32>(shown_conditions.size());
  shown.filterCondition = shown_conditions.data();
  shown.action = {filter.action, filter.callout_id};
  shown.context = filter.raw_context;
}

bool is_evaluated_before(const CompiledFilter& left, const CompiledFilter& right) {
  if (left.sublayer_weight != right.sublayer_weight) return left.sublayer_weight > right.sublayer_weight;
  if (!(left.filter.sublayer == right.filter.sublayer))
    return GuidOrder()(left.filter.sublayer, right.filter.sublayer);
  if (left.filter.effective_weight != right.filter.effective_weight)
    return left.filter.effective_weight > right.filter.effective_weight;
  return left.filter.id < right.filter.id;
}

LayerFilters::LayerFilters(std::vector<std::shared_ptr<CompiledFilter>> filters) : filters_(std::move(filters)) {
  const auto before = [](const auto& left, const auto& right) { return is_evaluated_before(*left, *right); };
  if (!std::is_sorted(filters_.begin(), filters_.end(), before)) std::sort(filters_.begin(), filters_.end(), before);
}

void LayerFilters::match(const FWPS_INCOMING_VALUES0& values, FilterVisitor& visitor) const {
  for (std::size_t i = 0; i < filters_.size();) {
    const CompiledFilter& candidate = *filters_[i++];
    if (!matches(candidate.filter.conditions, values)) continue;
    const Visit next = visitor.visit(candidate);
    if (next == Visit::Stop) return;
    if (next == Visit::NextSubLayer)
      while (i < filters_.size() && filters_[i]->filter.sublayer == candidate.filter.sublayer) ++i;
  }
}

bool matches(const std::vector<model::Condition>& conditions, const FWPS_INCOMING_VALUES0& values) {
  for (std::size_t i = 0; i < conditions.size();) {
    const std::uint16_t field = conditions[i].field;
    bool holds = false;
    for (; i < conditions.size() && conditions[i].field == field; ++i)
      holds = holds || (field < values.valueCount && conditions[i].matches(values.incomingValue[field].value));
    if (!holds) return false;
  }
  return true;
}

}  // namespace wfp::engine
