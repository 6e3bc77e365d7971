// The round-trip estimator (RFC 6298).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

RttEstimator estimator() { return RttEstimator{{1s, 200ms, 60s}}; }

// checklist: TCP-133, TCP-134, TCP-135
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
}
// checklist: TCP-137, TCP-291
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
// checklist: TCP-142
TEST(Rtt, SynLossRaisesToThreeSeconds) {
  auto rtt = estimator();
  rtt.raise_after_syn_loss();
  EXPECT_EQ(rtt.rto(), 3s);
  auto sampled = estimator();
  sampled.on_sample(100ms);
  sampled.raise_after_syn_loss();
  EXPECT_LT(sampled.rto(), 1s);
}

}  // namespace
}  // namespace stack::tcp::test
