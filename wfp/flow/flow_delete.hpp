// The call of a driver's flowDeleteFn. Made before the context stops counting for its callout, run after, never under
// a lock; while it exists the callout's code stays registered. Nothing happens when the callout is gone already.
#pragma once

#include <memory>
#include <optional>

#include "wfp/engine/callouts.hpp"
#include "wfp/flow/flow_context.hpp"

namespace wfp::flow {

class FlowDelete {
 public:
  FlowDelete(engine::CalloutTable& callouts, const FlowContext& context);
  void run() const;

 private:
  const FlowContext& context_;
  std::shared_ptr<engine::CalloutSlot> slot_;
  std::optional<engine::CalloutUse> use_;
};

}  // namespace wfp::flow
