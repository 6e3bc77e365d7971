#include "src/node/impairment.hpp"

#include <gtest/gtest.h>

namespace node {
namespace {

using namespace std::chrono_literals;
using stack::Instant;

class ImpairmentTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pool_.in_use(), 0U); }
  void offer(Impairer& impairer, std::uint8_t number, Instant now) {
    auto frame = pool_.allocate(20);
    frame.make_private(20)[0] = std::byte{number};
    impairer.offer(std::move(frame), now);
  }
  static std::vector<int> take_all(Impairer& impairer, Instant now) {
    std::vector<int> numbers;
    while (auto frame = impairer.take_due(now)) numbers.push_back(stack::load_u8(frame->head(1), 0));
    return numbers;
  }
  stack::PacketPool pool_{1024};
  stack::SeededRandom random_{1};
  const Instant start_ = Instant::from_ns(1'000'000);
};

TEST_F(ImpairmentTest, DelayKeepsOrderAndTime) {
  Impairer impairer{{.delay = 5ms}, random_, pool_};
  offer(impairer, 1, start_);
  offer(impairer, 2, start_);
  EXPECT_EQ(impairer.next_deadline(), start_ + 5ms);
  EXPECT_TRUE(take_all(impairer, start_ + 5ms - 1ns).empty());
  EXPECT_EQ(take_all(impairer, start_ + 5ms), (std::vector{1, 2}));
  EXPECT_EQ(impairer.next_deadline(), stack::kNever);
}

TEST_F(ImpairmentTest, LossTakesItsShare) {
  Impairer impairer{{.loss = 0.25}, random_, pool_};
  for (int i = 0; i < 2000; ++i) {
    offer(impairer, 1, start_);
    take_all(impairer, start_);
  }
  EXPECT_NEAR(static_cast<double>(impairer.lost()), 500, 100);
}

TEST_F(ImpairmentTest, ReorderedFramesOvertake) {
  Impairer impairer{{.reorder = 1.0, .delay = 5ms}, random_, pool_};
  offer(impairer, 1, start_);
  EXPECT_EQ(take_all(impairer, start_), (std::vector{1}));
  EXPECT_EQ(impairer.reordered(), 1U);
}

TEST_F(ImpairmentTest, DuplicatesAreWholeAndSeparate) {
  Impairer impairer{{.duplicate = 1.0}, random_, pool_};
  offer(impairer, 9, start_);
  EXPECT_EQ(take_all(impairer, start_), (std::vector{9, 9}));
  EXPECT_EQ(impairer.duplicated(), 1U);
}

TEST_F(ImpairmentTest, WhatIsUnderWayIsBounded) {
  stack::PacketPool pool{Impairer::kLimit + 10};
  Impairer impairer{{.delay = 1s}, random_, pool};
  for (std::size_t i = 0; i < Impairer::kLimit + 5; ++i) impairer.offer(pool.allocate(1), start_);
  EXPECT_EQ(impairer.under_way(), Impairer::kLimit);
  EXPECT_EQ(impairer.overflowed(), 5U);
}

TEST_F(ImpairmentTest, SameSeedSameFate) {
  const auto run = [this](std::uint64_t seed) {
    stack::SeededRandom random{seed};
    Impairer impairer{{.loss = 0.3, .duplicate = 0.2, .reorder = 0.3, .delay = 1ms}, random, pool_};
    std::vector<int> seen;
    for (int i = 0; i < 200; ++i) {
      offer(impairer, static_cast<std::uint8_t>(i), start_ + i * 100us);
      for (int number : take_all(impairer, start_ + i * 100us)) seen.push_back(number);
    }
    take_all(impairer, start_ + 1s);
    return seen;
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

}  // namespace
}  // namespace node
