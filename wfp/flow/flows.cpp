#include "wfp/flow/flows.hpp"

#include "wfp/engine/classify.hpp"
#include "wfp/flow/flow_delete.hpp"
#include "wfp/ledger/ledger.hpp"

namespace wfp::flow {
namespace {

std::atomic<Flows*> the_flows{nullptr};

}  // namespace

Flows::Flows(engine::CalloutTable& callouts, Host& host, std::uint32_t processor)
    : callouts_(callouts), host_(host), flows_(kMaxFlows, processor) {
  the_flows.store(this);
}

Flows::~Flows() {
  Flows* self = this;
  the_flows.compare_exchange_strong(self, nullptr);
}

Flows* Flows::current() { return the_flows.load(std::memory_order_acquire); }

HandleValue Flows::create(const FlowFacts& facts) {
  const std::lock_guard guard(lock_);
  const HandleValue handle = flows_.emplace();
  if (handle == 0) {
    ++counts_.refused;
    return 0;
  }
  flows_.find(handle)->facts = facts;
  ++counts_.created;
  ++counts_.alive;
  return handle;
}

void Flows::end(HandleValue handle) {
  std::vector<std::unique_ptr<FlowContext>> to_delete;
  {
    const std::lock_guard guard(lock_);
    Flow* const flow = flows_.find(handle);
    if (flow == nullptr || flow->ended) return;
    flow->ended = true;
    ++counts_.ended;
    --counts_.alive;
    for (std::size_t index = flow->contexts.size(); index-- > 0;)
      if (auto context = detach(*flow, index)) to_delete.push_back(std::move(context));
    erase_if_done(handle, *flow);
  }
  for (auto& context : to_delete) give_back(std::move(context));
}

bool Flows::is_alive(HandleValue handle) const {
  const std::lock_guard guard(lock_);
  const Flow* const flow = flows_.find(handle);
  return flow != nullptr && !flow->ended;
}

NTSTATUS Flows::associate(HandleValue handle, std::uint16_t layer, std::uint32_t callout, std::uint64_t context) {
  const auto slot = callouts_.find(callout);
  if (context == 0 || slot == nullptr) return STATUS_INVALID_PARAMETER;
  const engine::CalloutUse use(*slot);
  if (!use || use->flow_delete == nullptr) return STATUS_INVALID_PARAMETER;

  const std::lock_guard guard(lock_);
  Flow* const flow = flows_.find(handle);
  if (flow == nullptr || flow->ended) return STATUS_INVALID_PARAMETER;
  if (find_by_id(flow->contexts, layer, callout) != kNoContext) return STATUS_OBJECT_NAME_EXISTS;
  if (flow->contexts.size() >= kMaxContextsPerFlow) return STATUS_INSUFFICIENT_RESOURCES;
  auto made = std::make_unique<FlowContext>(
      FlowContext{.layer = layer, .callout = callout, .registration = use->serial, .value = context});
  if (use->driver != ledger::kNoDriver)
    ledger::acquire_for(use->driver, ledger::Kind::flow_context, made.get(), "FwpsFlowAssociateContext0");
  flow->contexts.push_back(std::move(made));
  ++by_callout_[callout];
  ++counts_.contexts_associated;
  context_count_.fetch_add(1, std::memory_order_release);
  return STATUS_SUCCESS;
}

NTSTATUS Flows::remove(HandleValue handle, std::uint16_t layer, std::uint32_t callout) {
  std::unique_ptr<FlowContext> context;
  {
    const std::lock_guard guard(lock_);
    Flow* const flow = flows_.find(handle);
    if (flow == nullptr) return STATUS_UNSUCCESSFUL;
    const std::size_t index = find_context(flow->contexts, layer, callout);
    if (index == kNoContext) return STATUS_UNSUCCESSFUL;
    context = detach(*flow, index);
    if (context == nullptr) return STATUS_PENDING;
  }
  give_back(std::move(context));
  return STATUS_SUCCESS;
}

NTSTATUS Flows::abort(HandleValue handle) {
  {
    const std::lock_guard guard(lock_);
    const Flow* const flow = flows_.find(handle);
    if (flow == nullptr || flow->ended) return STATUS_INVALID_PARAMETER;
    if (aborts_.size() >= kMaxAborts) return STATUS_INSUFFICIENT_RESOURCES;
    aborts_.push_back(handle);
    abort_count_.store(aborts_.size(), std::memory_order_release);
  }
  host_.wake();
  return STATUS_SUCCESS;
}

std::size_t Flows::run_aborts() {
  if (!has_work() || engine::current_classify() != nullptr) return 0;
  std::vector<HandleValue> due;
  {
    const std::lock_guard guard(lock_);
    due.swap(aborts_);
    abort_count_.store(0, std::memory_order_release);
  }
  for (const HandleValue flow : due) host_.abort_flow(flow);
  return due.size();
}

std::uint64_t Flows::enter(std::uint64_t handle, std::uint16_t layer, std::uint32_t callout) {
  if (context_count_.load(std::memory_order_acquire) == 0) return 0;
  const std::lock_guard guard(lock_);
  Flow* const flow = flows_.find(handle);
  if (flow == nullptr) return 0;
  const std::size_t index = find_context(flow->contexts, layer, callout);
  if (index == kNoContext) return 0;
  ++flow->contexts[index]->running;
  return flow->contexts[index]->value;
}

void Flows::leave(std::uint64_t handle, std::uint16_t layer, std::uint32_t callout) {
  std::unique_ptr<FlowContext> context;
  {
    const std::lock_guard guard(lock_);
    Flow* const flow = flows_.find(handle);
    if (flow == nullptr) return;
    const std::size_t index = find_by_id(flow->contexts, layer, callout);
    if (index == kNoContext || flow->contexts[index]->running == 0) return;
    FlowContext& left = *flow->contexts[index];
    if (--left.running == 0 && left.removing) context = detach(*flow, index);
    erase_if_done(handle, *flow);
  }
  if (context != nullptr) give_back(std::move(context));
}

std::size_t Flows::count_of(std::uint32_t callout) const {
  const std::lock_guard guard(lock_);
  const auto found = by_callout_.find(callout);
  return found == by_callout_.end() ? 0 : found->second;
}

// Rare: all flows are looked at. Where a classify is still about to leave a context, that removes it.
void Flows::drop(std::uint32_t callout, std::uint64_t registration) {
  std::vector<std::unique_ptr<FlowContext>> dropped;
  {
    const std::lock_guard guard(lock_);
    if (!by_callout_.contains(callout)) return;
    std::vector<HandleValue> done;
    flows_.for_each([&](HandleValue handle, Flow& flow) {
      for (std::size_t index = flow.contexts.size(); index-- > 0;) {
        const FlowContext& context = *flow.contexts[index];
        if (context.callout != callout || context.registration != registration) continue;
        if (auto taken = detach(flow, index)) dropped.push_back(std::move(taken));
      }
      if (flow.ended && flow.contexts.empty()) done.push_back(handle);
    });
    for (const HandleValue handle : done) flows_.erase(handle);
  }
  for (auto& context : dropped) give_back(std::move(context));  // which finds no registration to call
}

std::unique_ptr<FlowContext> Flows::detach(Flow& flow, std::size_t index) {
  if (flow.contexts[index]->running != 0) {
    flow.contexts[index]->removing = true;
    return nullptr;
  }
  auto context = std::move(flow.contexts[index]);
  flow.contexts.erase(flow.contexts.begin() + static_cast<std::ptrdiff_t>(index));
  return context;
}

void Flows::erase_if_done(HandleValue handle, const Flow& flow) {
  if (flow.ended && flow.contexts.empty()) flows_.erase(handle);
}

// The context counts for its callout until the callout is held: so that nobody unregisters it in between.
void Flows::give_back(std::unique_ptr<FlowContext> context) {
  const FlowDelete deletion(callouts_, *context);
  {
    const std::lock_guard guard(lock_);
    const auto found = by_callout_.find(context->callout);
    if (--found->second == 0) by_callout_.erase(found);
    ++counts_.contexts_deleted;
    context_count_.fetch_sub(1, std::memory_order_release);
  }
  ledger::release(ledger::Kind::flow_context, context.get());
  deletion.run();
}

FlowCounts Flows::counts() const {
  const std::lock_guard guard(lock_);
  FlowCounts counts = counts_;
  counts.contexts = context_count_.load(std::memory_order_relaxed);
  return counts;
}

std::vector<std::pair<HandleValue, FlowFacts>> Flows::list(std::size_t limit) const {
  const std::lock_guard guard(lock_);
  std::vector<std::pair<HandleValue, FlowFacts>> flows;
  const_cast<HandleTable<Flow>&>(flows_).for_each([&](HandleValue handle, const Flow& flow) {
    if (!flow.ended && flows.size() < limit) flows.emplace_back(handle, flow.facts);
  });
  return flows;
}

}  // namespace wfp::flow
