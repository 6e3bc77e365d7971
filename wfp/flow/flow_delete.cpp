#include "wfp/flow/flow_delete.hpp"

#include <algorithm>

#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/driver_call.hpp"
#include "wfp/ledger/ledger.hpp"

namespace wfp::flow {

FlowDelete::FlowDelete(engine::CalloutTable& callouts, const FlowContext& context)
    : context_(context), slot_(callouts.find(context.callout)) {
  if (slot_ != nullptr) use_.emplace(*slot_);
}

// Documented IRQL <= DISPATCH_LEVEL: the worst case, always, so that a driver which relies on less is found.
void FlowDelete::run() const {
  if (!use_ || !*use_) return;
  const engine::Registration& callout = **use_;
  if (callout.flow_delete == nullptr || callout.serial != context_.registration) return;
  const ledger::DriverScope scope(callout.driver);
  const kernel::IrqlScope irql(std::max<KIRQL>(kernel::current_irql(), DISPATCH_LEVEL));
  const ledger::DriverCall under_way(ledger::CallKind::FlowDelete);
  callout.flow_delete(context_.layer, context_.callout, context_.value);
}

}  // namespace wfp::flow
