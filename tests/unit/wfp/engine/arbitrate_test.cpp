// One test for each row of the documented arbitration rules that a pure function can show; the rows' numbers are
// given.
#include "wfp/engine/arbitrate.hpp"

#include <gtest/gtest.h>

namespace wfp::engine {
namespace {

constexpr Decider kFirst{1, 0}, kSecond{2, 7};

Answer answer(FWP_ACTION_TYPE kind, FWP_ACTION_TYPE action, const Arbitration& state, bool keeps_right = true) {
  return {
      .kind = kind, .given = action_on_entry(state), .action = action, .kept_right = keeps_right && state.has_right};
}

TEST(Arbitrate, InspectionAlwaysContinues) {  // 22
  Arbitration state;
  EXPECT_FALSE(
      apply_callout(state, answer(FWP_ACTION_CALLOUT_INSPECTION, FWP_ACTION_BLOCK, state), kFirst).ends_sublayer);
  EXPECT_EQ(state.action, FWP_ACTION_TYPE{FWP_ACTION_NONE_NO_MATCH});
}
TEST(Arbitrate, TerminatingThatDoesNotDecideBlocks) {  // 23
  Arbitration state;
  const auto outcome =
      apply_callout(state, answer(FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_CONTINUE, state), kFirst);
  EXPECT_EQ(outcome.breach, Breach::TerminatingDidNotDecide);
  EXPECT_TRUE(state.is_block());
}
TEST(Arbitrate, UnknownMayContinue) {  // 24
  Arbitration state;
  EXPECT_FALSE(
      apply_callout(state, answer(FWP_ACTION_CALLOUT_UNKNOWN, FWP_ACTION_CONTINUE, state), kFirst).ends_sublayer);
}
// Nobody says what Windows does then; here it continues, or blocks where continuing blocks, and is named.
TEST(Arbitrate, NoAnswerIsNamedAndDecidesNothing) {
  for (const FWP_ACTION_TYPE left : {FWP_ACTION_TYPE{0}, FWP_ACTION_TYPE{0xcdcdcdcd}, FWP_ACTION_TYPE{0x1003}}) {
    Arbitration unknown, terminating, inspection;
    const auto continued = apply_callout(unknown, answer(FWP_ACTION_CALLOUT_UNKNOWN, left, unknown), kFirst);
    EXPECT_EQ(continued.breach, Breach::ActionNotSet);
    EXPECT_FALSE(continued.ends_sublayer);
    EXPECT_EQ(unknown.action, FWP_ACTION_TYPE{FWP_ACTION_NONE_NO_MATCH});
    const auto blocked =
        apply_callout(terminating, answer(FWP_ACTION_CALLOUT_TERMINATING, left, terminating), kFirst);
    EXPECT_EQ(blocked.breach, Breach::ActionNotSet);
    EXPECT_TRUE(terminating.is_block());
    EXPECT_EQ(apply_callout(inspection, answer(FWP_ACTION_CALLOUT_INSPECTION, left, inspection), kFirst).breach,
              Breach::None);  // 22: whatever it returns
  }
  for (const FWP_ACTION_TYPE said :
       std::initializer_list<FWP_ACTION_TYPE>{FWP_ACTION_CONTINUE, FWP_ACTION_NONE, FWP_ACTION_NONE_NO_MATCH}) {
    Arbitration state;
    EXPECT_EQ(apply_callout(state, answer(FWP_ACTION_CALLOUT_UNKNOWN, said, state), kFirst).breach, Breach::None);
  }
}
TEST(Arbitrate, UnregisteredCalloutBlocksUnlessToldToPermit) {  // 26
  Arbitration block, permit, look;
  apply_unregistered(block, FWP_ACTION_CALLOUT_TERMINATING, false, kFirst);
  apply_unregistered(permit, FWP_ACTION_CALLOUT_UNKNOWN, true, kFirst);
  EXPECT_FALSE(apply_unregistered(look, FWP_ACTION_CALLOUT_INSPECTION, false, kFirst).ends_sublayer);
  EXPECT_TRUE(block.is_block());
  EXPECT_EQ(permit.action, FWP_ACTION_TYPE{FWP_ACTION_PERMIT});
}
TEST(Arbitrate, FilterPermitIsSoftAndFilterBlockHard) {  // 28, 30, 34, 37
  Arbitration state;
  apply_filter(state, FWP_ACTION_PERMIT, false, kFirst);
  EXPECT_TRUE(state.has_right);
  apply_filter(state, FWP_ACTION_BLOCK, false, kSecond);
  EXPECT_FALSE(state.has_right);
  apply_filter(state, FWP_ACTION_PERMIT, false, kFirst);
  EXPECT_TRUE(state.is_block());
  EXPECT_EQ(state.filter_id, kSecond.filter_id);
}
TEST(Arbitrate, CalloutBlockIsSoftUnlessItClearsTheRight) {  // 31, 36
  Arbitration state;
  apply_callout(state, answer(FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_BLOCK, state), kFirst);
  EXPECT_TRUE(state.has_right);
  apply_filter(state, FWP_ACTION_PERMIT, false, kSecond);
  EXPECT_EQ(state.action, FWP_ACTION_TYPE{FWP_ACTION_PERMIT});
  apply_callout(state, answer(FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_BLOCK, state, false), kFirst);
  EXPECT_FALSE(state.has_right);
}
TEST(Arbitrate, HardPermitYieldsToAVetoOnly) {  // 32, 35, 39
  Arbitration state;
  apply_filter(state, FWP_ACTION_PERMIT, true, kFirst);
  apply_filter(state, FWP_ACTION_BLOCK, false, kSecond);
  EXPECT_FALSE(state.is_block());
  apply_callout(state, answer(FWP_ACTION_CALLOUT_UNKNOWN, FWP_ACTION_BLOCK, state), kSecond);
  EXPECT_TRUE(state.is_block());
  EXPECT_TRUE(state.is_veto);
}
TEST(Arbitrate, WritingWithoutTheRightIsABreach) {  // 40
  Arbitration state;
  apply_filter(state, FWP_ACTION_BLOCK, false, kFirst);
  const auto outcome =
      apply_callout(state, answer(FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_PERMIT, state), kSecond);
  EXPECT_EQ(outcome.breach, Breach::WroteWithoutRight);
  EXPECT_TRUE(state.is_block());
  const auto untouched =
      apply_callout(state, answer(FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_BLOCK, state), kSecond);
  EXPECT_EQ(untouched.breach, Breach::None);
  EXPECT_FALSE(state.is_veto);
}
TEST(Arbitrate, AbsorbCountsWithABlockThatStands) {  // 41
  Arbitration state;
  auto absorbing = answer(FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_BLOCK, state);
  absorbing.absorb = true;
  apply_callout(state, absorbing, kFirst);
  EXPECT_TRUE(state.absorb);
  apply_filter(state, FWP_ACTION_PERMIT, false, kSecond);
  EXPECT_FALSE(state.absorb);
}
// 43: whoever absorbs clears the right; who does not can be overruled, and the packet then is in two places.
TEST(Arbitrate, APermitOverASoftAbsorbIsTold) {
  auto absorbing = [](const Arbitration& state, bool keeps_right) {
    Answer out = answer(FWP_ACTION_CALLOUT_TERMINATING, FWP_ACTION_BLOCK, state, keeps_right);
    out.absorb = true;
    return out;
  };
  Arbitration state;
  EXPECT_FALSE(apply_callout(state, absorbing(state, true), kFirst).overrules_absorb);
  EXPECT_TRUE(apply_filter(state, FWP_ACTION_PERMIT, false, kSecond).overrules_absorb);
  EXPECT_FALSE(apply_filter(state, FWP_ACTION_PERMIT, false, kFirst).overrules_absorb);

  Arbitration blocked;
  apply_callout(blocked, absorbing(blocked, true), kFirst);
  EXPECT_FALSE(apply_filter(blocked, FWP_ACTION_BLOCK, false, kSecond).overrules_absorb);

  Arbitration hard;
  apply_callout(hard, absorbing(hard, false), kFirst);
  EXPECT_FALSE(apply_filter(hard, FWP_ACTION_PERMIT, false, kSecond).overrules_absorb);
  EXPECT_TRUE(hard.absorb);
}
TEST(Arbitrate, AVetoMayAbsorb) {  // 39, 41
  Arbitration state;
  apply_filter(state, FWP_ACTION_PERMIT, true, kFirst);
  Answer veto = answer(FWP_ACTION_CALLOUT_UNKNOWN, FWP_ACTION_BLOCK, state);
  veto.absorb = true;
  EXPECT_TRUE(apply_callout(state, veto, kSecond).ends_sublayer);
  EXPECT_TRUE(state.absorb);
  EXPECT_EQ(state.callout_id, kSecond.callout_id);
}
TEST(Arbitrate, FirstCalloutSeesNoAction) {  // 47
  Arbitration state;
  EXPECT_EQ(action_on_entry(state), 0u);
}

}  // namespace
}  // namespace wfp::engine
