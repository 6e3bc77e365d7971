// Losses found by acknowledgements: fast retransmit, NewReno (RFC 6582) and SACK recovery (RFC 6675).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

class Recover : public TcpScript {
 protected:
  std::uint32_t cwnd_segments() const { return endpoint->tcb().congestion->cwnd_bytes() / 1'000; }
};

// checklist: TCP-149, TCP-153, TCP-288
TEST_F(Recover, ThreeDuplicateAcksTriggerOneFastRetransmit) {
  established({});
  write_bytes(10'000);
  take_all();
  write_bytes(5'000);
  expect_nothing();
  receive(ack(1));
  expect_sent({{10'001, 1'000}});  // RFC 3042
  receive(ack(1));
  expect_sent({{11'001, 1'000}});
  receive(ack(1));
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].seq - iss, 1u);
  EXPECT_EQ(sent[0].payload.size(), 1'000u);
  EXPECT_EQ(endpoint->tcb().congestion->ssthresh_bytes(), 5'000u);  // without what limited transmit added
  for (int i = 0; i < 3; ++i) receive(ack(1));
  for (const Sent& s : take_all()) EXPECT_NE(s.seq - iss, 1u);
}
TEST_F(Recover, ChangedWindowsAreNoDuplicates) {
  established({});
  write_bytes(5'000);
  take_all();
  for (std::uint32_t i = 0; i < 5; ++i) receive({.ack = 1, .window = 60'000 + i});
  expect_nothing();
}
// checklist: TCP-154
TEST_F(Recover, NewRenoPartialAckRetransmitsTheNextHole) {
  established({});
  write_bytes(10'000);
  take_all();
  for (int i = 0; i < 8; ++i) receive(ack(1));
  EXPECT_EQ(take_all()[0].seq - iss, 1u);
  receive(ack(3'001));
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].seq - iss, 3'001u);
  EXPECT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Fast);
  receive(ack(10'001));
  EXPECT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Open);
  EXPECT_EQ(endpoint->tcb().congestion->cwnd_bytes(), 5'000u);
}
TEST_F(Recover, SackRetransmitsOnlyTheHoles) {
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  receive(ack_sack(1, {{1'001, 2'001}}));
  receive(ack_sack(1, {{1'001, 2'001}, {3'001, 4'001}}));
  expect_nothing();
  receive(ack_sack(1, {{5'001, 10'001}, {3'001, 4'001}, {1'001, 2'001}}));
  expect_sent({{1, 1'000}, {2'001, 1'000}, {4'001, 1'000}});
  receive(ack_sack(2'001, {{5'001, 10'001}, {3'001, 4'001}}));
  expect_nothing();
  receive(ack(10'001));
  EXPECT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Open);
  EXPECT_TRUE(endpoint->tcb().scoreboard.empty());
}
// checklist: TCP-153
TEST_F(Recover, DuplicatesWithoutNewSackSayNothing) {
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  write_bytes(5'000);
  for (int i = 0; i < 6; ++i) receive(ack(1));
  expect_nothing();
}
TEST_F(Recover, OneReductionForALossWindow) {
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  receive(ack_sack(1, {{3'001, 7'001}}));
  const auto ssthresh = endpoint->tcb().congestion->ssthresh_bytes();
  receive(ack_sack(1, {{3'001, 10'001}}));
  EXPECT_EQ(endpoint->tcb().congestion->ssthresh_bytes(), ssthresh);
}
TEST_F(Recover, LyingSackBlocksAreIgnored) {
  established({.sack = true});
  write_bytes(5'000);
  take_all();
  receive(ack_sack(1, {{90'000, 95'000}, {4'001, 2'001}, {4'001, 5'002}}));
  receive(ack_sack(1'001, {{501, 2'001}}));  // astride of what it acknowledges
  EXPECT_EQ(endpoint->tcb().scoreboard.sacked_bytes(), 0u);
}

TEST_F(Recover, HolesInDoubtAreSentWhenNothingElseMay) {
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  receive(ack_sack(1, {{1'001, 6'001}, {7'001, 8'001}, {9'001, 10'001}}));
  // RFC 6675 4: only the first is lost for certain; (3) sends the others while the window takes them.
  expect_sent({{1, 1'000}, {6'001, 1'000}, {8'001, 1'000}});
  EXPECT_EQ(endpoint->tcb().in_flight(), 5'000u);  // two of them may be under way twice
  receive(ack(10'001));
  EXPECT_EQ(endpoint->tcb().in_flight(), 0u);
  EXPECT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Open);
}
TEST_F(Recover, HolesInDoubtWaitForTheWindow) {
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  receive(ack_sack(1, {{1'001, 4'001}}));
  take_all();  // the first segment again; the window is full
  receive(ack_sack(1, {{9'001, 10'001}, {1'001, 4'001}}));
  EXPECT_EQ(endpoint->tcb().congestion->cwnd_bytes(), 5'000u);
  EXPECT_LE(endpoint->tcb().in_flight(), 6'000u);
  for (const Sent& s : take_all()) EXPECT_NE(s.seq - iss, 1u);
}

TEST_F(Recover, PartialAckTakesOffItsDuplicates) {
  established({});
  write_bytes(10'000);
  take_all();
  for (int i = 0; i < 8; ++i) receive(ack(1));  // the first and the sixth are missing
  take_all();
  receive(ack(5'001));
  EXPECT_EQ(expect_one().seq - iss, 5'001u);
  EXPECT_EQ(endpoint->tcb().in_flight(), 1'000u);  // four of the five behind it have arrived
}
// checklist: TCP-154
TEST_F(Recover, DuplicatesOfARepairedFlightAreNoLoss) {
  established({});
  write_bytes(10'000);
  take_all();
  advance(250ms);  // all of it counts as lost, although only the first is
  receive(ack(10'001));
  take_all();
  write_bytes(5'000);
  expect_sent({{10'001, 1'000}, {11'001, 1'000}});
  for (int i = 0; i < 5; ++i) receive(ack(10'001));  // answers to what was sent twice (RFC 6582 4.1)
  expect_sent({{12'001, 1'000}, {13'001, 1'000}});   // limited transmit takes two for departures, and no more
  receive(ack(11'001));
  for (int i = 0; i < 3; ++i) receive(ack(11'001));
  EXPECT_EQ(take_all().back().seq - iss, 11'001u);
}

// What the peer has reported left the network long ago: it does not count as flight when a loss reduces the window.
class LongRecovery : public TcpScript {
 protected:
  std::uint32_t cwnd() const { return endpoint->tcb().congestion->cwnd_bytes(); }
  std::uint32_t outstanding() const { return endpoint->tcb().snd_nxt - endpoint->tcb().snd_una; }
  // After a timeout the tenth segment stays away and the eleventh is lost, while everything behind arrives: with a
  // window of seven segments, 85 are out and 78 of them reported.
  void fill() {
    established({.window = 0xffff, .sack = true, .window_scale = 7});
    write_bytes(10'000);
    advance(250ms);
    for (std::uint32_t i = 1; i <= 9; ++i) receive(ack(i * 1'000 + 1));
    write_bytes(200'000);
    std::uint32_t reported = 11'001;
    while (outstanding() < 85'000) receive(ack_sack(9'001, {{11'001, reported += 1'000}}));
    while (endpoint->tcb().scoreboard.sacked_bytes() < 78'000)
      receive(ack_sack(9'001, {{11'001, reported += 1'000}}));
    end_of_reported = reported;
    take_all();
  }
  std::uint32_t end_of_reported = 0;
};
TEST_F(LongRecovery, ALossAfterItReducesTheWindow) {
  for (const auto algorithm : {CongestionAlgorithm::Cubic, CongestionAlgorithm::NewReno}) {
    config.congestion = algorithm;
    fill();
    const std::uint32_t before = cwnd();
    ASSERT_LE(before, 8'000u);
    receive(ack_sack(10'001, {{11'001, end_of_reported}}));  // the late one: what is missing now is a new loss
    EXPECT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Fast);
    EXPECT_LT(cwnd(), before);
    EXPECT_LT(endpoint->tcb().congestion->ssthresh_bytes(), before);
    const auto sent = take_all();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].seq - iss, 10'001u);
    EXPECT_LE(sent.size(), 2u) << describe(sent);
    endpoint->abort();
    poll();
    take_all();
    endpoint.reset();
    listener.reset();
    tcp.reset();
    written = 0;
  }
}
TEST_F(LongRecovery, ATimeoutAfterItDoesNotRaiseTheThreshold) {
  fill();
  const std::uint32_t before = cwnd();
  advance(10s);
  EXPECT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Timeout);
  EXPECT_EQ(cwnd(), 1'000u);
  EXPECT_LT(endpoint->tcb().congestion->ssthresh_bytes(), before);
}
// RFC 6582 3.2 step 1: data sent during a recovery that is lost belongs to another window.
TEST_F(Recover, ALossOfWhatARecoverySentIsAnotherLoss) {
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  write_bytes(20'000);
  receive(ack_sack(1, {{1'001, 8'001}}));
  ASSERT_EQ(cwnd_segments(), 5u);
  expect_sent({{1, 1'000}, {10'001, 1'000}, {11'001, 1'000}});
  receive(ack_sack(1, {{1'001, 10'001}, {11'001, 12'001}}));  // the eleventh is missing
  expect_sent({{12'001, 1'000}, {13'001, 1'000}, {14'001, 1'000}});
  receive(ack_sack(1, {{11'001, 15'001}, {1'001, 10'001}}));
  EXPECT_EQ(take_all().at(0).seq - iss, 10'001u);
  EXPECT_EQ(cwnd_segments(), 5u);
  receive(ack_sack(10'001, {{11'001, 15'001}}));  // the first recovery is over
  EXPECT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Fast);
  EXPECT_LT(cwnd_segments(), 5u);
  for (const Sent& s : take_all()) EXPECT_NE(s.seq - iss, 10'001u) << "sent again already";
}

// RFC 3465 2.3: after a timeout the window grows by a segment an acknowledgement, however much that covers.
TEST_F(Recover, AfterATimeoutAnAckReleasesTwoSegments) {
  established({.sack = true});
  write_bytes(10'000);
  advance(250ms);
  ASSERT_EQ(cwnd_segments(), 1u);
  take_all();
  write_bytes(20'000);
  receive(ack(9'001));
  EXPECT_EQ(cwnd_segments(), 2u);
  EXPECT_EQ(take_all().size(), 2u);
}
TEST_F(Recover, WhatWasReportedBeforeATimeoutDoesNotCountAgain) {
  established({.sack = true});
  write_bytes(10'000);
  receive(ack_sack(1, {{1'001, 9'001}}));
  advance(250ms);
  take_all();
  write_bytes(20'000);
  ASSERT_EQ(endpoint->tcb().recovery.phase(), Recovery::Phase::Timeout);
  ASSERT_EQ(cwnd_segments(), 1u);
  receive(ack(501));  // the peer had kept half a segment more than it said
  const std::uint32_t before = endpoint->tcb().congestion->cwnd_bytes();
  EXPECT_EQ(before, 1'500u);
  receive(ack(9'001));
  EXPECT_EQ(endpoint->tcb().congestion->cwnd_bytes(), before + 500);
}

TEST_F(Recover, RescueSendsTheEndOfTheFlightOnce) {
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  receive(ack_sack(1, {{1'001, 9'001}}));
  expect_sent({{1, 1'000}, {9'001, 1'000}});
  receive(ack_sack(1, {{1'001, 9'501}}));
  expect_nothing();
}

}  // namespace
}  // namespace stack::tcp::test
