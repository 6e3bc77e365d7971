// One immutable version of everything that a classification reads: per layer, the filters in the order of evaluation.
//
// A version is published by one pointer store. A reader loads the pointer once under an epoch::Guard; it takes no
// lock and counts no reference, and the version is not freed before every reader that may have it has left.
// LayerFilters finds the matching ones by going through all of its layer; an index that visits them in the same order
// could take its place behind match().
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "fwps/classify.h"
#include "wfp/engine/callouts.hpp"
#include "wfp/model/objects.hpp"

namespace wfp::engine {

// A filter as classification uses it. Constant except for what is atomic, and `shown.context`, which the callout's
// notify function may set before the filter is published.
struct CompiledFilter {
  CompiledFilter(model::Filter from, std::uint16_t sublayer_weight, std::shared_ptr<CalloutSlot> slot);

  model::Filter filter;
  std::uint16_t sublayer_weight;
  std::shared_ptr<CalloutSlot> callout;  // null without a callout action
  std::vector<FWPS_FILTER_CONDITION0> shown_conditions;
  FWPS_FILTER3 shown{};        // what callouts see
  std::uint64_t notified = 0;  // the registration of its callout that knows of it; 0: none
  mutable std::atomic<std::uint64_t> hits{0};
  mutable std::atomic<std::uint32_t> reported{0};  // bits of findings that are reported once a filter
};

enum class Visit : std::uint8_t { NextFilter, NextSubLayer, Stop };

// What visits the matching filters of a layer, heaviest sublayer first, heaviest filter first.
class FilterVisitor {
 public:
  virtual ~FilterVisitor() = default;
  virtual Visit visit(const CompiledFilter& filter) = 0;
};

// The order of evaluation: sublayers by weight, then filters by weight; of equals, the older first.
bool is_evaluated_before(const CompiledFilter& left, const CompiledFilter& right);

class LayerFilters {
 public:
  explicit LayerFilters(std::vector<std::shared_ptr<CompiledFilter>> filters);
  void match(const FWPS_INCOMING_VALUES0& values, FilterVisitor& visitor) const;
  const std::vector<std::shared_ptr<CompiledFilter>>& filters() const { return filters_; }

 private:
  std::vector<std::shared_ptr<CompiledFilter>> filters_;  // sorted
};

// Conditions on one field that follow each other are alternatives; the rest must all hold.
bool matches(const std::vector<model::Condition>& conditions, const FWPS_INCOMING_VALUES0& values);

struct Snapshot {
  std::uint64_t version = 0;
  std::array<std::shared_ptr<const LayerFilters>, model::kLayerCount> layers;  // null: no filter
};

}  // namespace wfp::engine
