#include "stack/base/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "stack/base/rng.hpp"

namespace stack {
namespace {

class TimerWheelTest : public ::testing::Test, public TimerHandler {
 public:
  void on_timer(Timer& timer, Instant now) override {
    fired.emplace_back(&timer, now);
    if (then) then(timer, now);
  }

 protected:
  std::unique_ptr<Timer> timer() { return std::make_unique<Timer>(*this); }
  static Instant at(Duration d) { return Instant{} + d; }

  TimerWheel wheel;
  std::vector<std::pair<Timer*, Instant>> fired;
  std::function<void(Timer&, Instant)> then;
};

TEST_F(TimerWheelTest, FiresAtItsDeadlineNotBefore) {
  for (Duration when :
       {Duration{1ms}, Duration{6400us}, Duration{200ms}, Duration{60s}, Duration{2h}, Duration{24h * 365}}) {
    TimerWheel fresh;
    auto t = timer();
    fired.clear();
    fresh.schedule(*t, at(when));
    fresh.advance(at(when) - 100us);
    EXPECT_TRUE(fired.empty()) << when.count();
    fresh.advance(at(when));
    EXPECT_EQ(fired.size(), 1u) << when.count();
    EXPECT_FALSE(t->is_scheduled());
    EXPECT_EQ(fresh.size(), 0u);
  }
}

TEST_F(TimerWheelTest, RoundsUpToTheTick) {
  auto t = timer();
  wheel.schedule(*t, Instant::from_ns(150'001));
  EXPECT_EQ(wheel.next_deadline(), Instant::from_ns(200'000));
  wheel.advance(Instant::from_ns(199'999));
  EXPECT_TRUE(fired.empty());
  wheel.advance(Instant::from_ns(200'000));
  EXPECT_EQ(fired.size(), 1u);
}

TEST_F(TimerWheelTest, CancelledAndMovedTimers) {
  auto a = timer(), b = timer();
  wheel.schedule(*a, at(5ms));
  wheel.schedule(*b, at(5ms));
  wheel.cancel(*a);
  EXPECT_EQ(a->deadline(), kNever);
  wheel.schedule(*b, at(50ms));
  wheel.advance(at(49ms));
  EXPECT_TRUE(fired.empty());
  wheel.advance(at(50ms));
  EXPECT_EQ(fired.size(), 1u);
  wheel.schedule(*a, at(60ms));
  wheel.schedule(*a, kNever);
  EXPECT_EQ(wheel.next_deadline(), kNever);
}

TEST_F(TimerWheelTest, PastDeadlinesAreDueAtOnceButOnlyInTheNextRound) {
  wheel.advance(at(1s));
  auto t = timer();
  int left = 3;
  then = [&](Timer& timer, Instant now) {
    if (--left > 0) wheel.schedule(timer, now);
  };
  wheel.schedule(*t, at(1ms));
  EXPECT_LE(wheel.next_deadline(), at(1s));
  wheel.advance(at(1s));
  EXPECT_EQ(fired.size(), 1u);
  wheel.advance(at(1s));
  wheel.advance(at(1s));
  EXPECT_EQ(fired.size(), 3u);
}

TEST_F(TimerWheelTest, HandlersMayCancelAndDestroyOthersOfTheirSlot) {
  auto a = timer(), b = timer(), c = timer();
  then = [&](Timer&, Instant) {
    wheel.cancel(*b);
    c.reset();
  };
  wheel.schedule(*a, at(3ms));
  wheel.schedule(*b, at(3ms));
  wheel.schedule(*c, at(3ms));
  wheel.advance(at(3ms));
  EXPECT_EQ(fired.size(), 1u);
  EXPECT_EQ(wheel.size(), 0u);
}

TEST_F(TimerWheelTest, TimersMayOutliveTheWheel) {
  auto t = timer();
  {
    TimerWheel gone;
    gone.schedule(*t, at(1s));
  }
  EXPECT_FALSE(t->is_scheduled());
}

TEST_F(TimerWheelTest, AgreesWithASortedMapOnRandomOperations) {
  SeededRandom random{17};
  std::vector<std::unique_ptr<Timer>> timers;
  for (int i = 0; i < 200; ++i) timers.push_back(timer());
  Instant now;
  std::map<Timer*, Instant> expected;
  then = [&](Timer& t, Instant) {
    ASSERT_TRUE(expected.contains(&t));
    expected.erase(&t);
  };
  for (int step = 0; step < 20'000; ++step) {
    Timer& t = *timers[random.below(200)];
    if (random.below(4) == 0) {
      wheel.cancel(t);
      expected.erase(&t);
    } else {
      const Instant deadline = now + Duration{std::int64_t{1} << random.below(44)};
      wheel.schedule(t, deadline);
      expected[&t] = deadline;
    }
    if (random.below(3) == 0) {
      const Instant nearest = wheel.next_deadline();
      for (const auto& [_, deadline] : expected) ASSERT_LE(nearest, deadline + TimerWheel::kTick);
      now = random.below(8) == 0 && nearest != kNever ? std::max(now, nearest)
                                                      : now + Duration{random.below(5'000'000)};
      wheel.advance(now);
      for (const auto& [_, deadline] : expected) ASSERT_GT(deadline + TimerWheel::kTick, now);
    }
    ASSERT_EQ(wheel.size(), expected.size());
  }
}

}  // namespace
}  // namespace stack
