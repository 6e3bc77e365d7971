// The parts of TCP that are plain values: states, round-trip estimator, congestion control, sequence generators,
// cookies.
#include <cmath>

#include "stack/tcp/cubic.hpp"
#include "stack/tcp/input_closed.hpp"
#include "stack/tcp/reno.hpp"
#include "stack/tcp/window.hpp"
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

TEST(State, TransitionsOfFigure5) {
  EXPECT_TRUE(is_legal(State::Closed, State::SynSent));
  EXPECT_TRUE(is_legal(State::SynSent, State::SynReceived));
  EXPECT_TRUE(is_legal(State::FinWait1, State::TimeWait));
  EXPECT_TRUE(is_legal(State::CloseWait, State::LastAck));
  EXPECT_FALSE(is_legal(State::Established, State::TimeWait));
  EXPECT_FALSE(is_legal(State::TimeWait, State::Established));
  EXPECT_FALSE(is_legal(State::CloseWait, State::FinWait1));
  for (int s = 0; s < static_cast<int>(kStateCount); ++s) EXPECT_TRUE(is_legal(static_cast<State>(s), State::Closed));
  EXPECT_STREQ(name_of(State::SynReceived), "SYN_RCVD");
}

RttEstimator estimator() { return RttEstimator{{1s, 200ms, 60s}}; }

TEST(Rtt, FirstAndLaterSamples) {
  auto rtt = estimator();
  EXPECT_EQ(rtt.rto(), 1s);
  rtt.on_sample(400ms);  // RFC 6298 2.2
  EXPECT_EQ(rtt.srtt(), 400ms);
  EXPECT_EQ(rtt.rttvar(), 200ms);
  EXPECT_EQ(rtt.rto(), 1200ms);
  rtt.on_sample(480ms);  // 2.3: the variance first
  EXPECT_EQ(rtt.rttvar(), 170ms);
  EXPECT_EQ(rtt.srtt(), 410ms);
  EXPECT_EQ(rtt.rto(), 1090ms);
  EXPECT_EQ(rtt.min_rtt(), 400ms);
}
TEST(Rtt, FloorGranularityAndCeiling) {
  auto rtt = estimator();
  for (int i = 0; i < 200; ++i) rtt.on_sample(300ms);
  EXPECT_GE(rtt.rto(), 301ms);  // a variance of zero counts as the clock's granularity
  EXPECT_LT(rtt.rto(), 302ms);
  for (int i = 0; i < 200; ++i) rtt.on_sample(1ms);
  EXPECT_EQ(rtt.rto(), 200ms);
  for (int i = 0; i < 20; ++i) rtt.back_off();
  EXPECT_EQ(rtt.rto(), 60s);
}
TEST(Rtt, BackoffEndsWithACleanSampleOnly) {
  auto rtt = estimator();
  rtt.on_sample(200ms);
  const Duration before = rtt.rto();
  rtt.back_off();
  rtt.back_off();
  EXPECT_EQ(rtt.rto(), 4 * before);
  rtt.on_sample(200ms);
  EXPECT_EQ(rtt.backoff(), 0u);
}
TEST(Rtt, SynLossRaisesToThreeSeconds) {
  auto rtt = estimator();
  rtt.raise_after_syn_loss();
  EXPECT_EQ(rtt.rto(), 3s);
  auto sampled = estimator();
  sampled.on_sample(100ms);
  sampled.raise_after_syn_loss();
  EXPECT_LT(sampled.rto(), 1s);
}

constexpr std::uint32_t kMss = 1000;
Congestion::Ack acked(std::uint32_t bytes, Instant now = {}) {
  return {.acked_bytes = bytes, .now = now, .srtt = 100ms};
}

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
TEST(Reno, ApplicationLimitedDoesNotGrow) {
  Reno reno{kMss};
  reno.set_initial_window(10 * kMss);
  auto ack = acked(kMss);
  ack.is_cwnd_limited = false;
  reno.on_ack(ack);
  EXPECT_EQ(reno.cwnd_bytes(), 10 * kMss);
}
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
TEST(Cubic, TimeoutStartsOver) {
  Cubic cubic{kMss};
  cubic.set_initial_window(10 * kMss);
  cubic.on_timeout(10 * kMss, true, {});
  EXPECT_EQ(cubic.cwnd_bytes(), kMss);
  EXPECT_EQ(cubic.ssthresh_bytes(), 7 * kMss);
}

const FourTuple kTuple{{*IpAddress::parse("10.0.0.2"), 80}, {*IpAddress::parse("10.0.0.1"), 4000}};

TEST(Isn, ClockAndKey) {
  SeededRandom a{1}, b{2};
  const IsnGenerator one{a}, other{b};
  const Instant now = Instant::from_ns(123'456'789);
  EXPECT_EQ(one.make(kTuple, now + 4ms) - one.make(kTuple, now), 1000u);
  EXPECT_NE(one.make(kTuple, now), other.make(kTuple, now));
  FourTuple neighbour = kTuple;
  neighbour.remote.port++;
  EXPECT_GT(one.make(neighbour, now) - one.make(kTuple, now), 1000u);
  const Seq used = one.make(kTuple, now) + 5;
  EXPECT_TRUE(one.make_after(kTuple, used, now).after(used));
}

TEST(SynCookie, RestoresWhatItCarries) {
  SeededRandom random{3};
  const SynCookies cookies{random};
  const Instant now = Instant::from_ns(1'000'000'000'000);
  Segment syn;
  syn.seq = Seq{77};
  syn.flags = flag::kSyn;
  syn.options.mss = 1452;
  syn.options.window_scale = 7;
  syn.options.sack_permitted = true;
  Segment ack;
  ack.seq = Seq{78};
  ack.flags = flag::kAck;
  ack.ack_number = cookies.make(kTuple, syn, now) + 1;
  ack.options.timestamps = wire::Timestamps{5, SynCookies::encode_timestamp(1'000'003, syn.options)};
  EXPECT_LE(ack.options.timestamps->echo, 1'000'003u);
  EXPECT_GT(ack.options.timestamps->echo, 1'000'003u - 64);
  for (const Duration age : {Duration{0}, Duration{31s}, Duration{60s}}) {
    const auto restored = cookies.check(kTuple, ack, now + age);
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->mss, 1440);
    EXPECT_EQ(restored->window_scale, 7);
    EXPECT_TRUE(restored->sack_permitted);
  }
  EXPECT_FALSE(cookies.check(kTuple, ack, now + 200s));
  FourTuple other = kTuple;
  other.remote.port++;
  EXPECT_FALSE(cookies.check(other, ack, now));
  Segment forged = std::move(ack);
  forged.ack_number += 1;
  EXPECT_FALSE(cookies.check(kTuple, forged, now));
}

TEST(ResetFor, FollowsTheSegment) {
  Segment with_ack;
  with_ack.flags = flag::kAck;
  with_ack.ack_number = Seq{55};
  EXPECT_EQ(reset_for(with_ack)->seq, Seq{55});
  EXPECT_EQ(reset_for(with_ack)->flags, flag::kRst);
  Segment fin;
  fin.flags = flag::kFin;
  fin.seq = Seq{10};
  fin.payload_size = 5;
  EXPECT_EQ(reset_for(fin)->ack_number, Seq{16});
  EXPECT_EQ(reset_for(fin)->flags, flag::kRst | flag::kAck);
  Segment rst;
  rst.flags = flag::kRst;
  EXPECT_FALSE(reset_for(rst));
}

TEST(Window, ScaleForBuffer) {
  EXPECT_EQ(window_scale_for(65'535), 0);
  EXPECT_EQ(window_scale_for(65'536), 1);
  EXPECT_EQ(window_scale_for(4 << 20), 7);
  EXPECT_EQ(window_scale_for(std::size_t{1} << 40), 14);
}

// RFC 9293 3.4: length and window, zero or not; all around the end of the number space.
TEST(Window, AcceptabilityTable) {
  const TcpConfig config;
  Tcb tcb{config, Family::V4};
  tcb.begin_receive(Seq{0xffff'fffb});  // rcv_nxt is fffffffc
  const auto accepts = [&](std::int32_t offset, std::uint32_t size, std::uint32_t window) {
    tcb.rcv_adv = tcb.rcv_nxt + window;
    Segment segment;
    segment.seq = tcb.rcv_nxt + static_cast<std::uint32_t>(offset);
    segment.payload_size = size;
    return is_acceptable(tcb, segment);
  };
  EXPECT_TRUE(accepts(0, 0, 0));
  EXPECT_FALSE(accepts(1, 0, 0));
  EXPECT_FALSE(accepts(-1, 0, 0));
  EXPECT_TRUE(accepts(0, 0, 10));
  EXPECT_TRUE(accepts(9, 0, 10));
  EXPECT_FALSE(accepts(10, 0, 10));
  EXPECT_FALSE(accepts(-1, 0, 10));
  EXPECT_FALSE(accepts(0, 1, 0));
  EXPECT_TRUE(accepts(0, 1, 10));
  EXPECT_TRUE(accepts(9, 100, 10));
  EXPECT_FALSE(accepts(10, 1, 10));
  EXPECT_TRUE(accepts(-5, 6, 10));
  EXPECT_FALSE(accepts(-5, 5, 10));
  EXPECT_TRUE(accepts(-5, 100, 10));
}
TEST(Window, TrimsBothEnds) {
  const TcpConfig config;
  Tcb tcb{config, Family::V4};
  tcb.begin_receive(Seq{99});
  tcb.rcv_adv = Seq{110};
  Segment segment;
  segment.seq = Seq{95};
  segment.payload_size = 30;
  segment.flags = flag::kFin;
  trim_to_window(tcb, segment);
  EXPECT_EQ(segment.seq, Seq{100});
  EXPECT_EQ(segment.payload_size, 10u);
  EXPECT_FALSE(segment.fin());
}

}  // namespace
}  // namespace stack::tcp::test
