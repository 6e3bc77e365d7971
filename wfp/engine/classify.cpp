// Engine::classify: the filters of a layer, asked in order, and the callouts behind them.
#include "wfp/engine/classify.hpp"

#include <algorithm>

#include "wfp/engine/arbitrate.hpp"
#include "wfp/engine/call_watch.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/engine/epoch.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/driver_call.hpp"

namespace wfp::engine {
namespace {

thread_local CurrentClassify* innermost = nullptr;

class ClassifyScope {
 public:
  explicit ClassifyScope(CurrentClassify& current) { innermost = &current; }
  ~ClassifyScope() { innermost = innermost->outer; }
  ClassifyScope(const ClassifyScope&) = delete;
  ClassifyScope& operator=(const ClassifyScope&) = delete;
};

// A callout's data of the input's flow, held for one call.
class HeldContext {
 public:
  HeldContext(FlowContexts* flows, const ClassifyInput& input, std::uint32_t callout)
      : flows_(input.flow != 0 ? flows : nullptr), input_(input), callout_(callout) {
    if (flows_ != nullptr) value_ = flows_->enter(input.flow, input.values->layerId, callout);
  }
  ~HeldContext() {
    if (value_ != 0) flows_->leave(input_.flow, input_.values->layerId, callout_);
  }
  HeldContext(const HeldContext&) = delete;
  HeldContext& operator=(const HeldContext&) = delete;
  std::uint64_t value() const { return value_; }

 private:
  FlowContexts* flows_;
  const ClassifyInput& input_;
  std::uint32_t callout_;
  std::uint64_t value_ = 0;
};

void call(const Registration& registration, const ClassifyInput& input, CurrentClassify& current,
          const CompiledFilter& filter, std::uint64_t context, FWPS_CLASSIFY_OUT0& out) {
  const auto* const shown = &filter.shown;
  const auto run = [&]<class Function, class Shown>(Function function, const Shown* as) {
    function(input.values, input.metadata, input.layer_data, &current, as, context, &out);
  };
  const auto function = registration.classify;
  switch (registration.version) {
    case 0:
      return reinterpret_cast<FWPS_CALLOUT_CLASSIFY_FN0>(function)(input.values, input.metadata, input.layer_data,
                                                                   reinterpret_cast<const FWPS_FILTER0*>(shown),
                                                                   context, &out);
    case 1:
      return run(reinterpret_cast<FWPS_CALLOUT_CLASSIFY_FN1>(function), reinterpret_cast<const FWPS_FILTER1*>(shown));
    case 2:
      return run(reinterpret_cast<FWPS_CALLOUT_CLASSIFY_FN2>(function), reinterpret_cast<const FWPS_FILTER2*>(shown));
    default:
      return run(reinterpret_cast<FWPS_CALLOUT_CLASSIFY_FN3>(function), shown);
  }
}

class Run : public FilterVisitor {
 public:
  Run(const ClassifyInput& input, FlowContexts* flows)
      : input_(input), flows_(flows), layer_(*model::find_layer(input.values->layerId)) {
    is_stream_ = layer_.kind == model::LayerKind::Stream && !layer_.is_discard;
  }

  Visit visit(const CompiledFilter& filter) override {
    const Decider who{filter.filter.id, 0};
    if (!filter.filter.calls_out()) {
      count(filter);
      const bool clears = (filter.filter.flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT) != 0;
      return after(filter, apply_filter(state_, filter.filter.action, clears, who));
    }
    const CalloutUse use(*filter.callout);
    if (use) return ask(filter, *use);
    count(filter);
    const bool permits = (filter.filter.flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED) != 0;
    return after(filter, apply_unregistered(state_, filter.filter.action, permits, who));
  }

  ClassifyResult result() const {
    ClassifyResult out;
    out.verdict = state_.is_block() ? Verdict::Block : Verdict::Permit;
    out.absorb = state_.absorb;
    out.matched = state_.action != FWP_ACTION_NONE_NO_MATCH;
    out.is_hard = !state_.has_right;
    out.is_veto = state_.is_veto;
    out.filter_id = state_.filter_id;
    out.callout_id = state_.callout_id;
    out.action = state_.action;
    out.rights = state_.has_right ? FWPS_RIGHT_ACTION_WRITE : 0;
    out.flags = flags_;
    out.callouts_run = callouts_run_;
    return out;
  }

 private:
  static void count(const CompiledFilter& filter) { filter.hits.fetch_add(1, std::memory_order_relaxed); }

  Visit ask(const CompiledFilter& filter, const Registration& registration) {
    const std::uint32_t id = filter.filter.callout_id;
    const HeldContext context(flows_, input_, id);
    if ((registration.flags & FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW) != 0 && context.value() == 0)
      return Visit::NextFilter;
    count(filter);
    ++callouts_run_;

    FWPS_CLASSIFY_OUT0 out{};
    const bool has_right = state_.has_right || is_stream_;  // at the stream layer the right has no meaning
    out.actionType = action_on_entry(state_);
    out.filterId = filter.filter.id;
    out.rights = has_right ? FWPS_RIGHT_ACTION_WRITE : 0;
    Answer answer{.kind = filter.filter.action, .given = out.actionType};

    const ledger::DriverScope scope(registration.driver);
    CurrentClassify current{&input_, layer_.id, id, filter.filter.id, innermost};
    if (input_.calls != nullptr) input_.calls->begin(filter.filter.id, id);
    CallWatch watch(input_, filter, reinterpret_cast<const void*>(registration.classify));
    {
      const ClassifyScope inside(current);
      const ledger::DriverCall under_way(ledger::CallKind::Classify);
      call(registration, input_, current, filter, context.value(), out);
    }
    answer.action = out.actionType;
    if (input_.calls != nullptr) input_.calls->end(out.actionType);
    answer.kept_right = has_right && (is_stream_ || (out.rights & FWPS_RIGHT_ACTION_WRITE) != 0);
    answer.absorb = (out.flags & FWPS_CLASSIFY_OUT_FLAG_ABSORB) != 0;
    watch.check(out, answer);
    flags_ |= out.flags & ~static_cast<UINT32>(FWPS_CLASSIFY_OUT_FLAG_ABSORB);
    if (layer_.absorb() == model::AbsorbRule::NotValid) answer.absorb = false;
    return conclude(filter, answer, watch);
  }

  Visit conclude(const CompiledFilter& filter, const Answer& answer, CallWatch& watch) {
    const Decider who{filter.filter.id, filter.filter.callout_id};
    if (is_stream_ && has_stream_action()) return take_stream_action(who);
    const Outcome outcome = apply_callout(state_, answer, who);
    watch.report_breach(outcome.breach, answer);
    if (is_stream_ && state_.is_block()) return Visit::Stop;  // the next one sees only what this one permitted
    return after(filter, outcome);
  }

  // The callout wants more data, or the connection dropped: its action does not count, nor does anybody come after
  // it.
  bool has_stream_action() const {
    const auto* const io = static_cast<const FWPS_STREAM_CALLOUT_IO_PACKET0*>(input_.layer_data);
    return io != nullptr && io->streamAction != FWPS_STREAM_ACTION_NONE;
  }
  Visit take_stream_action(const Decider& who) {
    state_.action = FWP_ACTION_NONE;
    state_.filter_id = who.filter_id;
    state_.callout_id = who.callout_id;
    return Visit::Stop;
  }

  Visit after(const CompiledFilter& filter, const Outcome& outcome) {
    if (outcome.overrules_absorb) report_overruled_absorb(input_, *absorber_, filter);
    if (state_.absorb && state_.filter_id == filter.filter.id) absorber_ = &filter;
    return outcome.ends_sublayer ? Visit::NextSubLayer : Visit::NextFilter;
  }

  const ClassifyInput& input_;
  FlowContexts* flows_;
  const model::Layer& layer_;
  bool is_stream_ = false;
  Arbitration state_;
  const CompiledFilter* absorber_ = nullptr;  // while state_.absorb: whose callout did
  std::uint32_t flags_ = 0, callouts_run_ = 0;
};

}  // namespace

CurrentClassify* current_classify() { return innermost; }

std::string callout_text(std::uint32_t callout, std::uint64_t filter, std::uint16_t layer) {
  return kernel::text("callout %u (filter %llu) at %s", callout, static_cast<unsigned long long>(filter),
                      std::string(model::layer_name(layer)).c_str());
}

ClassifyResult Engine::classify(const ClassifyInput& input) {
  const std::uint16_t layer = input.values->layerId;
  ClassifyResult result;
  {
    const epoch::Guard guard;
    const LayerFilters* const filters = management_.snapshot().layers[layer].get();
    if (filters != nullptr) {
      const KIRQL wanted = model::find_layer(layer)->traits().classify_irql;
      const kernel::IrqlScope level(std::max(wanted, kernel::current_irql()));
      Run run(input, flows_);
      filters->match(*input.values, run);
      result = run.result();
    }
  }
  count(layer, result);
  return result;
}

}  // namespace wfp::engine
