// The account of received memory and a processor's way to it: bounds, the reserve, and who is pruned for whom.
#include "stack/base/account.hpp"

#include <gtest/gtest.h>

#include "stack/base/teller.hpp"

namespace stack {
namespace {

constexpr std::size_t kLimit = Account::kSmallestLimit, kReserve = kLimit / Account::kReserveShare;
constexpr std::size_t kOrdinary = kLimit - kReserve;

class Fake final : public Teller::Holder {
 public:
  explicit Fake(Teller& teller) : teller_(teller) {}
  ~Fake() override { clear(); }
  bool take(std::size_t bytes) { return teller_.take(*this, bytes); }
  void clear() { teller_.give(*this, held()); }
  int pruned = 0;

 private:
  void prune(std::size_t bytes) override {
    ++pruned;
    teller_.give(*this, std::min(bytes, held()));
  }
  Teller& teller_;
};

struct Bank : ::testing::Test {
  std::shared_ptr<Account> account = std::make_shared<Account>(kLimit);
  Teller teller{account};
};

TEST_F(Bank, TheSumOfAllUsesIsBounded) {
  EXPECT_TRUE(account->take(Use::InOrder, kOrdinary - 100));
  EXPECT_FALSE(account->take(Use::Datagrams, 101));
  EXPECT_TRUE(account->take(Use::Datagrams, 100));
  EXPECT_FALSE(account->take(Use::InOrder, 1));
  EXPECT_EQ(account->held(), kOrdinary);
  EXPECT_EQ(account->room(), 0u);
  account->give(Use::Datagrams, 60);
  EXPECT_EQ(account->room(), 60u);
  EXPECT_EQ(account->level(Use::Datagrams).high_water, 100u);
}
TEST_F(Bank, TheReserveIsForThoseWhoMayUseIt) {
  EXPECT_TRUE(account->take(Use::InOrder, kOrdinary));
  EXPECT_TRUE(account->take(Use::InOrder, kReserve, Account::Reserve::Allowed));
  EXPECT_FALSE(account->take(Use::InOrder, 1, Account::Reserve::Allowed));
  EXPECT_EQ(account->held(), kLimit);
}
// Whatever waits in the smaller places and with drivers, half is left for streams.
TEST_F(Bank, OtherUsesLeaveHalfToStreams) {
  std::size_t sum = 0;
  for (const Use use : {Use::Datagrams, Use::Fragments, Use::Neighbors, Use::Drivers}) sum += account->most(use);
  EXPECT_LE(sum, kOrdinary / 2);
  EXPECT_FALSE(account->take(Use::Datagrams, account->most(Use::Datagrams) + 1));
  account->observe(Use::Drivers, kOrdinary);
  EXPECT_FALSE(account->take(Use::InOrder, 1)) << "what is measured counts like what is taken";
}
TEST_F(Bank, TheLargestHolderGivesFirst) {
  Fake large{teller}, small{teller}, fresh{teller};
  ASSERT_TRUE(large.take(kOrdinary - 10'000));
  ASSERT_TRUE(small.take(10'000));
  EXPECT_TRUE(fresh.take(1'000));
  EXPECT_EQ(large.pruned, 1);
  EXPECT_EQ(small.pruned, 0);
  EXPECT_EQ(small.held(), 10'000u);
  EXPECT_GE(account->pruned(), (kOrdinary - 10'000) / 8) << "in few steps";
  EXPECT_LE(account->held(), kOrdinary);
}
TEST_F(Bank, TheLargestHolderGetsNothingFromTheOthers) {
  Fake large{teller}, small{teller};
  ASSERT_TRUE(small.take(10'000));
  ASSERT_TRUE(large.take(kOrdinary - 10'000));
  EXPECT_FALSE(large.take(1'000));
  EXPECT_EQ(small.pruned + large.pruned, 0);
  EXPECT_EQ(small.held(), 10'000u);
}
TEST_F(Bank, InOrderBytesPushOutWhatMayBeLost) {
  Fake holder{teller};
  ASSERT_TRUE(holder.take(kOrdinary));
  EXPECT_TRUE(teller.take(Use::InOrder, 5'000));
  EXPECT_GE(holder.pruned, 1);
  EXPECT_TRUE(teller.take(Use::InOrder, kOrdinary - 5'000)) << "all of it";
  EXPECT_EQ(holder.held(), 0u);
  EXPECT_FALSE(teller.take(Use::InOrder, 1));
  EXPECT_EQ(account->level(Use::InOrder).refused, 1u);
  teller.give(Use::InOrder, kOrdinary);
}
// A use that is at its own bound is not helped by pruning, so nobody is pruned for it.
TEST_F(Bank, NobodyIsPrunedInVain) {
  Fake holder{teller};
  ASSERT_TRUE(holder.take(kOrdinary / 2));
  EXPECT_FALSE(teller.take(Use::Fragments, account->most(Use::Fragments) + 1));
  EXPECT_EQ(holder.pruned, 0);
}
TEST_F(Bank, ItsTurnHasCome) {
  Fake holder{teller};
  ASSERT_TRUE(holder.take(3'000));
  teller.move_in_order(holder, 2'000);
  EXPECT_EQ(holder.held(), 1'000u);
  EXPECT_EQ(account->held(Use::InOrder), 2'000u);
  EXPECT_EQ(account->held(), 3'000u);
  teller.give(Use::InOrder, 2'000);
}
TEST_F(Bank, TheShareFollowsWhatIsFree) {
  const std::size_t before = teller.share();
  EXPECT_EQ(before, kOrdinary / 8);
  ASSERT_TRUE(teller.take(Use::InOrder, kOrdinary / 2));
  EXPECT_EQ(teller.share(), before / 2);
  ASSERT_TRUE(teller.take(Use::InOrder, kOrdinary / 2));
  EXPECT_EQ(teller.share(), 0u);
  teller.give(Use::InOrder, kOrdinary);
}

}  // namespace
}  // namespace stack
