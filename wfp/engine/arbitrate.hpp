// Filter arbitration as a pure function: what the filters and callouts of a classify said, in the order of
// evaluation, to one decision. Source: the documented filter arbitration rules; each case names its row in
// tests/unit.
//
// Weights decide nothing here, they decided the order: is_evaluated_before (snapshot.cpp) puts the filters of heavier
// sublayers first, and Engine::classify (classify.cpp) walks them so, calling apply_* for one after the other.
//
// The state is the action so far and the right to change it. A soft decision leaves the right, a hard one takes it
// away; a block by a callout without the right is a veto.
#pragma once

#include <cstdint>

#include "fwpsk.h"

namespace wfp::engine {

struct Arbitration {
  FWP_ACTION_TYPE action = FWP_ACTION_NONE_NO_MATCH;
  bool has_right = true;  // a lighter sublayer may still override
  bool is_veto = false;
  bool absorb = false;
  std::uint64_t filter_id = 0;  // who decided
  std::uint32_t callout_id = 0;

  bool is_block() const { return action == FWP_ACTION_BLOCK; }
};

struct Decider {
  std::uint64_t filter_id = 0;
  std::uint32_t callout_id = 0;
};

// What a callout left in FWPS_CLASSIFY_OUT0, with what it was given.
struct Answer {
  FWP_ACTION_TYPE kind = FWP_ACTION_CALLOUT_UNKNOWN;  // of the filter
  FWP_ACTION_TYPE given = 0, action = 0;
  bool kept_right = true;  // FWPS_RIGHT_ACTION_WRITE is still set
  bool absorb = false;
};

// How the answer breaks the contract, if it does.
enum class Breach : std::uint8_t { None, WroteWithoutRight, ActionNotSet, TerminatingDidNotDecide };

struct Outcome {
  bool ends_sublayer = false;
  Breach breach = Breach::None;
  bool overrules_absorb = false;  // a permit took the place of a block with absorb: the packet is in two places now
};

// A filter that permits or blocks by itself. `clears_right`: FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT.
Outcome apply_filter(Arbitration& state, FWP_ACTION_TYPE action, bool clears_right, const Decider& who);
Outcome apply_callout(Arbitration& state, const Answer& answer, const Decider& who);
// A filter whose callout nobody has registered.
Outcome apply_unregistered(Arbitration& state, FWP_ACTION_TYPE kind, bool permits, const Decider& who);

// What actionType holds when a callout is entered: the decision so far; 0 before there is one.
FWP_ACTION_TYPE action_on_entry(const Arbitration& state);

}  // namespace wfp::engine
