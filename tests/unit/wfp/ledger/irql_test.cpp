// The check of the level that documented functions ask for.
#include "wfp/ledger/irql.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/wfp/take_rules.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::ledger {
namespace {

class IrqlTest : public testing::Test {
 protected:
  void SetUp() override {
    reset();
    set_level(Level::standard);
  }
  void TearDown() override {
    running_irql = PASSIVE_LEVEL;
    reset();
  }
};

TEST_F(IrqlTest, TheLevelItselfIsAllowed) {
  running_irql = DISPATCH_LEVEL;
  EXPECT_TRUE(assert_irql_at_most(DISPATCH_LEVEL, "f"));
  EXPECT_TRUE(assert_irql_at_least(DISPATCH_LEVEL, "f"));
  EXPECT_TRUE(take_messages().empty());
}

TEST_F(IrqlTest, AboveAndBelowAreNamedWithRoutineAndBothLevels) {
  running_irql = DISPATCH_LEVEL;
  EXPECT_FALSE(assert_irql_at_most(APC_LEVEL, "Above"));
  running_irql = PASSIVE_LEVEL;
  EXPECT_FALSE(assert_irql_at_least(DISPATCH_LEVEL, "Below"));
  EXPECT_THAT(
      take_messages(),
      testing::ElementsAre("IRQL-TOO-HIGH: Above was called at DISPATCH_LEVEL; it may be called at APC_LEVEL at most",
                           "IRQL-TOO-HIGH: Below was called at PASSIVE_LEVEL; it needs DISPATCH_LEVEL"));
}

TEST_F(IrqlTest, EachThreadHasItsOwnLevel) {
  running_irql = HIGH_LEVEL;
  std::thread([] { EXPECT_EQ(running_irql, PASSIVE_LEVEL); }).join();
  EXPECT_STREQ(irql_name(running_irql), "HIGH_LEVEL");
  EXPECT_STREQ(irql_name(7), "a device level");
}

}  // namespace
}  // namespace wfp::ledger
