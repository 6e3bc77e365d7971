#include "wfp/engine/arbitrate.hpp"

namespace wfp::engine {
namespace {

bool is_decision(FWP_ACTION_TYPE action) { return action == FWP_ACTION_PERMIT || action == FWP_ACTION_BLOCK; }

// What FWPS_CLASSIFY_OUT0 documents for actionType; 0 is what the first callout finds there.
bool is_answer(FWP_ACTION_TYPE action) {
  return is_decision(action) || action == FWP_ACTION_CONTINUE || action == FWP_ACTION_NONE ||
         action == FWP_ACTION_NONE_NO_MATCH;
}

Outcome decide(Arbitration& state, FWP_ACTION_TYPE action, bool keeps_right, const Decider& who) {
  const bool overrules_absorb = state.absorb && action == FWP_ACTION_PERMIT;
  state.action = action;
  state.has_right = keeps_right;
  state.absorb = false;
  state.filter_id = who.filter_id;
  state.callout_id = who.callout_id;
  return {true, Breach::None, overrules_absorb};
}

// The only thing that a callout without the right may do: block what others permitted.
Outcome apply_without_right(Arbitration& state, const Answer& answer, const Decider& who) {
  if (answer.action == answer.given) return {.ends_sublayer = true};
  if (answer.action != FWP_ACTION_BLOCK)
    return {.ends_sublayer = answer.action == FWP_ACTION_PERMIT, .breach = Breach::WroteWithoutRight};
  const Outcome outcome = decide(state, FWP_ACTION_BLOCK, false, who);
  state.is_veto = true;
  state.absorb = answer.absorb;
  return outcome;
}

}  // namespace

FWP_ACTION_TYPE action_on_entry(const Arbitration& state) {
  return state.action == FWP_ACTION_NONE_NO_MATCH ? 0 : state.action;
}

Outcome apply_filter(Arbitration& state, FWP_ACTION_TYPE action, bool clears_right, const Decider& who) {
  const bool is_soft = action == FWP_ACTION_PERMIT && !clears_right;  // a filter's block is hard anyway
  return state.has_right ? decide(state, action, is_soft, who) : Outcome{.ends_sublayer = true};
}

Outcome apply_callout(Arbitration& state, const Answer& answer, const Decider& who) {
  if (answer.kind == FWP_ACTION_CALLOUT_INSPECTION) return {};  // whatever it says: continue
  if (!state.has_right) return apply_without_right(state, answer, who);
  const bool decided = is_decision(answer.action);
  const bool must_decide = answer.kind == FWP_ACTION_CALLOUT_TERMINATING;
  const Breach breach = !is_answer(answer.action) ? Breach::ActionNotSet
                        : !decided && must_decide ? Breach::TerminatingDidNotDecide
                                                  : Breach::None;
  if (!decided && !must_decide) return {.breach = breach};
  Outcome outcome = decide(state, decided ? answer.action : FWP_ACTION_BLOCK, answer.kept_right, who);
  outcome.breach = breach;
  state.absorb = state.is_block() && answer.absorb;
  return outcome;
}

Outcome apply_unregistered(Arbitration& state, FWP_ACTION_TYPE kind, bool permits, const Decider& who) {
  if (kind == FWP_ACTION_CALLOUT_INSPECTION) return {};
  return apply_filter(state, permits ? FWP_ACTION_PERMIT : FWP_ACTION_BLOCK, false, who);
}

}  // namespace wfp::engine
