// Losses found by acknowledgements: fast retransmit, NewReno (RFC 6582) and SACK recovery (RFC 6675).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Recover = TcpScript;

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
TEST_F(Recover, DuplicatesOfARepairedFlightAreNoLoss) {
  established({});
  write_bytes(10'000);
  take_all();
  advance(250ms);  // all of it counts as lost, although only the first is
  receive(ack(10'001));
  take_all();
  write_bytes(5'000);
  take_all();
  for (int i = 0; i < 5; ++i) receive(ack(10'001));  // answers to what was sent twice (RFC 6582 4.1)
  expect_nothing();
  receive(ack(11'001));
  for (int i = 0; i < 3; ++i) receive(ack(11'001));
  EXPECT_EQ(take_all().at(0).seq - iss, 11'001u);
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
