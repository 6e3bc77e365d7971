// The congestion window of NewReno (RFC 5681) and CUBIC (RFC 9438), and when it may grow (ack.cpp).
#include <cmath>

#include "stack/tcp/cubic.hpp"
#include "stack/tcp/reno.hpp"

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

constexpr std::uint32_t kMss = 1000;
Congestion::Ack acked(std::uint32_t bytes, Instant now = {}) {
  return {.acked_bytes = bytes, .now = now, .srtt = 100ms};
}

// checklist: TCP-045, TCP-145
TEST(Reno, SlowStartThenOneSegmentAWindow) {
  Reno reno{kMss};
  reno.set_initial_window(10 * kMss);
  for (int i = 0; i < 10; ++i) reno.on_ack(acked(kMss));
  EXPECT_EQ(reno.cwnd_bytes(), 20 * kMss);
  reno.on_loss(20 * kMss, {});
  EXPECT_EQ(reno.cwnd_bytes(), 10 * kMss);
  for (int i = 0; i < 10; ++i) reno.on_ack(acked(kMss));
  EXPECT_EQ(reno.cwnd_bytes(), 11 * kMss);
}
// RFC 3465 2.2: two segments for each acknowledgement, however much it covers; what it covers is not lost.
TEST(Reno, AnAckOfManySegmentsGrowsTheWindowByTwo) {
  Reno reno{kMss};
  reno.set_initial_window(10 * kMss);
  reno.on_ack(acked(10 * kMss));
  EXPECT_EQ(reno.cwnd_bytes(), 12 * kMss);
  auto large = acked(24 * kMss);  // two large sends, which one acknowledgement answers as it does two segments
  large.packet_bytes = 12 * kMss;
  reno.on_ack(large);
  EXPECT_EQ(reno.cwnd_bytes(), 36 * kMss);
}
TEST(Reno, AfterATimeoutByOneUntilTheThreshold) {
  Reno reno{kMss};
  reno.set_initial_window(20 * kMss);
  reno.on_timeout(20 * kMss, true, {});
  for (std::uint32_t i = 1; i < 10; ++i) {
    EXPECT_EQ(reno.cwnd_bytes(), i * kMss);
    reno.on_ack(acked(2 * kMss));
  }
  EXPECT_EQ(reno.cwnd_bytes(), 10 * kMss);
  EXPECT_FALSE(reno.in_slow_start());
}
// RFC 5681 3.1: the flight of before may have been larger than the window that is left of it.
TEST(Congestion, NoLossRaisesTheWindow) {
  for (const auto algorithm : {CongestionAlgorithm::Cubic, CongestionAlgorithm::NewReno})
    for (std::uint32_t cwnd = 1; cwnd < 20; ++cwnd)
      for (const std::uint32_t flight : {1u, 7u, 85u, 1'000u}) {
        const auto after_loss = make_congestion(algorithm, kMss), after_timeout = make_congestion(algorithm, kMss);
        after_loss->set_initial_window(cwnd * kMss);
        after_timeout->set_initial_window(cwnd * kMss);
        after_loss->on_loss(flight * kMss, {});
        EXPECT_LE(after_loss->cwnd_bytes(), cwnd * kMss) << flight;
        if (cwnd > 2) {
          EXPECT_LT(after_loss->cwnd_bytes(), cwnd * kMss) << flight;
        }
        after_timeout->on_timeout(flight * kMss, true, {});
        EXPECT_EQ(after_timeout->cwnd_bytes(), kMss);
        EXPECT_LE(after_timeout->ssthresh_bytes(), std::max(cwnd * 7 / 10 + 1, 2U) * kMss) << flight;
      }
}
TEST(Reno, ApplicationLimitedDoesNotGrow) {
  Reno reno{kMss};
  reno.set_initial_window(10 * kMss);
  auto ack = acked(kMss);
  ack.is_cwnd_limited = false;
  reno.on_ack(ack);
  EXPECT_EQ(reno.cwnd_bytes(), 10 * kMss);
}
// checklist: TCP-147, TCP-148
TEST(Reno, TimeoutReducesOnce) {
  Reno reno{kMss};
  reno.set_initial_window(10 * kMss);
  reno.on_timeout(10 * kMss, true, {});
  EXPECT_EQ(reno.cwnd_bytes(), kMss);
  EXPECT_EQ(reno.ssthresh_bytes(), 5 * kMss);
  reno.on_timeout(kMss, false, {});
  EXPECT_EQ(reno.ssthresh_bytes(), 5 * kMss);
  reno.on_timeout(kMss, true, {});
  EXPECT_EQ(reno.ssthresh_bytes(), 2 * kMss);
}
TEST(Reno, SlowStartEndsAtTheThreshold) {
  Reno reno{kMss};
  reno.set_initial_window(8 * kMss);
  reno.on_timeout(8 * kMss, true, {});
  for (int i = 0; i < 3; ++i) reno.on_ack(acked(kMss));
  EXPECT_EQ(reno.cwnd_bytes(), 4 * kMss);
  reno.on_ack(acked(2 * kMss));
  EXPECT_LE(reno.cwnd_bytes(), 5 * kMss);
}
// checklist: TCP-178
TEST(Cubic, DecreaseAndFastConvergence) {
  Cubic cubic{kMss};
  cubic.set_initial_window(100 * kMss);
  cubic.on_loss(100 * kMss, {});
  EXPECT_EQ(cubic.cwnd_bytes(), 70 * kMss);
  EXPECT_DOUBLE_EQ(cubic.w_max_segments(), 100);
  cubic.on_loss(70 * kMss, {});  // below the last maximum: RFC 9438 4.7
  EXPECT_DOUBLE_EQ(cubic.w_max_segments(), 70 * 0.85);
  EXPECT_EQ(cubic.ssthresh_bytes(), 49 * kMss);
}
TEST(Cubic, FollowsTheCubicOfTime) {
  Cubic cubic{kMss};
  cubic.set_initial_window(1000 * kMss);
  cubic.on_loss(1000 * kMss, {});
  Instant now = Instant::from_ns(1);
  const double k = std::cbrt(300.0 / 0.4);
  double t = 0;
  while (t < 15) {
    const std::uint32_t window = cubic.cwnd_bytes();
    for (std::uint32_t sent = 0; sent < window; sent += 2 * kMss) cubic.on_ack(acked(2 * kMss, now));
    now += 100ms;
    t += 0.1;
    const double expected = std::max(700.0, 0.4 * std::pow(t - k, 3) + 1000);
    EXPECT_NEAR(cubic.cwnd_bytes() / 1000.0, expected, 0.03 * expected) << "t " << t;
  }
}
// checklist: TCP-181
TEST(Cubic, IdleTimeDoesNotCount) {
  Cubic cubic{kMss};
  cubic.set_initial_window(100 * kMss);
  cubic.on_loss(100 * kMss, {});
  Instant now = Instant::from_ns(1);
  for (int i = 0; i < 35; ++i) cubic.on_ack(acked(2 * kMss, now));
  const auto before = cubic.cwnd_bytes();
  auto idle = acked(kMss, now + 60s);
  idle.is_cwnd_limited = false;
  cubic.on_ack(idle);
  cubic.on_ack(acked(2 * kMss, now + 60s));
  EXPECT_LE(cubic.cwnd_bytes(), before + 2 * kMss);
}
// checklist: TCP-179
TEST(Cubic, TimeoutStartsOver) {
  Cubic cubic{kMss};
  cubic.set_initial_window(10 * kMss);
  cubic.on_timeout(10 * kMss, true, {});
  EXPECT_EQ(cubic.cwnd_bytes(), kMss);
  EXPECT_EQ(cubic.ssthresh_bytes(), 7 * kMss);
}

TEST(Congestion, TheWindowHoldsASegmentOfANewSize) {
  Reno reno{kMss};
  reno.on_timeout(10 * kMss, true, {});
  reno.set_mss(1460);
  EXPECT_EQ(reno.cwnd_bytes(), 1460u);
  reno.set_mss(500);
  EXPECT_EQ(reno.cwnd_bytes(), 1460u);
}

// RFC 9438 4.8: the first stage after a timeout does not aim at the window before it.
// checklist: TCP-179
TEST(Cubic, StartsFlatAfterATimeout) {
  Cubic cubic{kMss};
  cubic.set_initial_window(1000 * kMss);
  cubic.on_timeout(1000 * kMss, true, {});
  Instant now = Instant::from_ns(1);
  while (cubic.in_slow_start()) cubic.on_ack(acked(2 * kMss, now));
  const std::uint32_t begin = cubic.cwnd_bytes();
  for (int round = 0; round < 20; ++round, now += 100ms)
    for (std::uint32_t sent = 0, window = cubic.cwnd_bytes(); sent < window; sent += 2 * kMss)
      cubic.on_ack(acked(2 * kMss, now));
  EXPECT_GE(cubic.cwnd_bytes(), begin);
  EXPECT_LT(cubic.cwnd_bytes(), begin + 25 * kMss);
}
// 4.3: never behind NewReno, whose pace it takes once it is back at the window before the loss.
// checklist: TCP-176
TEST(Cubic, KeepsUpWithNewRenoOnShortPaths) {
  Cubic cubic{kMss};
  cubic.set_initial_window(10 * kMss);
  cubic.on_loss(10 * kMss, {});
  Instant now = Instant::from_ns(1);
  auto ack = acked(kMss);
  ack.srtt = 10ms;
  for (int round = 0; round < 30; ++round, now += 10ms) {
    ack.now = now;
    for (std::uint32_t sent = 0, window = cubic.cwnd_bytes(); sent < window; sent += kMss) cubic.on_ack(ack);
  }
  EXPECT_GE(cubic.cwnd_bytes(), 28 * kMss);
  EXPECT_LE(cubic.cwnd_bytes(), 37 * kMss);
}

class Configured : public TcpScript,
                   public ::testing::WithParamInterface<std::pair<CongestionAlgorithm, const char*>> {};
TEST_P(Configured, ConnectionsOfBothSidesUseIt) {
  config.congestion = GetParam().first;
  established({});
  EXPECT_STREQ(endpoint->tcb().congestion->name(), GetParam().second);
  endpoint->abort();
  poll();
  take_all();
  remote.port = 81;
  local.port = 50'000;
  connect({});
  EXPECT_STREQ(endpoint->tcb().congestion->name(), GetParam().second);
}
INSTANTIATE_TEST_SUITE_P(Congestion, Configured,
                         ::testing::Values(std::pair{CongestionAlgorithm::Cubic, "cubic"},
                                           std::pair{CongestionAlgorithm::NewReno, "newreno"}),
                         [](const auto& parameters) { return std::string{parameters.param.second}; });

class WindowInUse : public TcpScript {
 protected:
  std::uint32_t cwnd() const { return endpoint->tcb().congestion->cwnd_bytes(); }
  void round_trip(std::uint32_t size) {
    write_bytes(size);
    take_all();
    receive(ack(static_cast<std::uint32_t>(written) + 1));
  }
};
TEST_F(WindowInUse, FromHalfOfItOnInSlowStart) {
  established({});
  round_trip(4'000);
  EXPECT_EQ(cwnd(), 10'000u);
  round_trip(5'000);
  EXPECT_EQ(cwnd(), 12'000u);
}
TEST_F(WindowInUse, ButForTwoSegmentsInCongestionAvoidance) {
  established({});
  write_bytes(10'000);
  for (int i = 0; i < 3; ++i) receive(ack(1));
  receive(ack(10'001));
  take_all();
  ASSERT_EQ(cwnd(), 5'000u);
  ASSERT_FALSE(endpoint->tcb().congestion->in_slow_start());
  for (int i = 0; i < 10; ++i) round_trip(2'000);
  EXPECT_EQ(cwnd(), 5'000u);
  for (int i = 0; i < 2; ++i) round_trip(3'000);
  EXPECT_EQ(cwnd(), 6'000u);
}

}  // namespace
}  // namespace stack::tcp::test
