// What SYN_RCVD, ESTABLISHED and later states make of each kind of segment (RFC 9293 3.10.7.4, RFC 5961, RFC 7323).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using SynReceived = TcpScript;
using Synchronized = TcpScript;

// checklist: TCP-017, TCP-120
TEST_F(SynReceived, ResetInSynReceivedIsSilent) {
  listen();
  receive(syn());
  take_all();
  receive(rst(6));  // in the window, not exact
  EXPECT_EQ(expect_one().flags, flag::kAck);
  receive(rst(1'000'000));  // outside of it
  expect_nothing();
  EXPECT_EQ(tcp->connection_count(), 1u);
  receive(rst(1));
  expect_nothing();
  EXPECT_EQ(tcp->connection_count(), 0u);
  receive(syn());
  EXPECT_TRUE(expect_one().has(flag::kSyn | flag::kAck));
}
// checklist: TCP-273
TEST_F(SynReceived, WrongAckInSynReceivedIsReset) {
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(ack(2));
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst);
  EXPECT_EQ(reset.seq - iss, 2u);
  receive(ack(1));
  poll();
  EXPECT_EQ(accepted_count, 1);
}
TEST_F(SynReceived, RepeatedSynMakesOneConnection) {
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(syn());
  const Sent again = expect_one();
  EXPECT_TRUE(again.has(flag::kSyn | flag::kAck));
  EXPECT_EQ(again.seq, iss);
  receive(ack(1));
  poll();
  EXPECT_EQ(accepted_count, 1);
}
// checklist: TCP-026, TCP-113, TCP-114, TCP-115, TCP-116, TCP-119
TEST_F(Synchronized, ChallengeAcks) {
  established({});
  receive(rst(2));  // RFC 5961 3.2: in the window but not exact
  expect_ack(1);
  receive(rst(0));  // outside
  expect_nothing();
  receive(syn(0));
  expect_ack(1);
  receive(syn(5));
  expect_ack(1);
  EXPECT_EQ(endpoint->state(), State::Established);
  for (int i = 0; i < 1'000; ++i) receive(rst(3));
  EXPECT_LE(take_all().size(), config.challenge_acks_per_second);
  advance(1s);
  receive(rst(3));
  expect_ack(1);
  receive(rst(1));
  poll();
  EXPECT_EQ(observer->error, Error::ConnectionReset);
  EXPECT_EQ(observer->failed, 1);
  expect_nothing();
}
// checklist: TCP-083, TCP-117, TCP-118
TEST_F(Synchronized, AckOfUnsentDataAndAncientAck) {
  established({.window = 1'000});
  receive(data(1, 10, 2));  // acknowledges what was never sent
  expect_ack(1);
  EXPECT_EQ(endpoint->readable_bytes(), 0u);
  In old = data(1, 10, 1);
  old.ack = 1 - 1'001U;
  receive(old);
  expect_ack(1);
  EXPECT_EQ(endpoint->readable_bytes(), 0u);
  old.ack = 1 - 1'000U;
  receive(old);
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
}
// checklist: TCP-084
TEST_F(Synchronized, NoAckBitIsDropped) {
  established({});
  In in = data(1, 10);
  in.flags = 0;
  receive(in);
  expect_nothing();
  EXPECT_EQ(endpoint->readable_bytes(), 0u);
}
// checklist: TCP-080
TEST_F(Synchronized, OutsideTheWindowIsAcknowledged) {
  established({});
  receive(data(1'000'000'000, 10));
  expect_ack(1);
  receive(data(1, 100));
  receive(data(1, 100));  // again
  EXPECT_EQ(take_all().back().ack - irs, 101u);
  EXPECT_EQ(read_all(), pattern(100));
}
// checklist: TCP-086
TEST_F(Synchronized, OverlapIsDeliveredOnceAndWraps) {
  established({});
  receive(data(1, 1'000));
  receive(data(501, 1'000));
  receive(data(2'001, 500));
  receive(data(1'401, 700));
  EXPECT_EQ(read_all(), pattern(2'500));
}
// checklist: TCP-082
TEST_F(Synchronized, FinIsTakenInOrder) {
  established({});
  In late = data(101, 100);
  late.flags |= flag::kFin;
  receive(late);
  expect_ack(1);
  EXPECT_EQ(endpoint->state(), State::Established);
  receive(data(1, 100));
  expect_ack(202);
  EXPECT_EQ(endpoint->state(), State::CloseWait);
  EXPECT_EQ(read_all(), pattern(200));
}
// checklist: TCP-064, TCP-065
TEST_F(Synchronized, DelayedAck) {
  established({});
  receive(data(1, 1'000));
  expect_nothing();
  advance(39ms);
  expect_nothing();
  advance(1ms);
  expect_ack(1'001);
  receive(data(1'001, 1'000));
  expect_nothing();
  receive(data(2'001, 1'000));  // every second full segment
  expect_ack(3'001);
  In coalesced = data(3'001, 4'000);
  coalesced.segment_count = 4;
  receive(coalesced);
  expect_ack(7'001);
}
// checklist: TCP-152, TCP-156, TCP-159
TEST_F(Synchronized, OutOfOrderIsAcknowledgedAtOnce) {
  established({.sack = true});
  receive(data(1'001, 1'000));
  Sent duplicate = expect_one();
  EXPECT_EQ(duplicate.ack - irs, 1u);
  ASSERT_EQ(duplicate.options.sack_count, 1);
  EXPECT_EQ(duplicate.options.sack_storage[0], (wire::SackBlock{irs + 1'001, irs + 2'001}));
  receive(data(1, 1'000));
  const Sent filled = expect_one();
  EXPECT_EQ(filled.ack - irs, 2'001u);
  EXPECT_EQ(filled.options.sack_count, 0);
  receive(data(1, 500));  // RFC 2883
  EXPECT_EQ(expect_one().options.sack_storage[0], (wire::SackBlock{irs + 1, irs + 501}));
}
TEST_F(Synchronized, NoSackUnlessAgreed) {
  established({});
  receive(data(1'001, 1'000));
  EXPECT_EQ(expect_one().options.sack_count, 0);
}
// checklist: TCP-188, TCP-192, TCP-193
TEST_F(Synchronized, Paws) {
  established({.timestamp = 1'000});
  peer_timestamp = 1'010;
  receive(data(1, 10));
  peer_timestamp = 1'005;
  receive(data(11, 10));
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
  EXPECT_EQ(take_all().back().ack - irs, 11u);
  EXPECT_EQ(stats.dropped(Drop::TcpPaws), 1u);
  In bare = data(11, 10);
  bare.is_raw_timestamp = true;
  receive(bare);  // without the option: dropped, silently
  expect_nothing();
  EXPECT_EQ(stats.dropped(Drop::TcpTimestampMissing), 1u);
  In reset = rst(11);
  reset.options.timestamps = wire::Timestamps{1, 0};  // not applied to RST
  receive(reset);
  EXPECT_EQ(endpoint->error(), Error::ConnectionReset);
}
// Hosts and middleboxes that agree on timestamps and send none are heard, until they have sent one.
TEST_F(Synchronized, TimestampsMayStayAwayFromTheBeginning) {
  listen();
  receive({.seq = 0, .flags = flag::kSyn, .options = syn_options({.timestamp = 1'000})});
  const Sent syn_ack = expect_one();
  iss = syn_ack.seq;
  EXPECT_TRUE(syn_ack.options.timestamps.has_value());
  receive({});  // the third ACK, bare
  poll();
  ASSERT_NE(endpoint, nullptr);
  EXPECT_EQ(endpoint->state(), State::Established);
  receive(data(1, 10));
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
  write_bytes(100);
  EXPECT_EQ(take_all().back().options.timestamps->echo, 1'000u);  // of the SYN
  receive({.seq = 11, .ack = 101});
  EXPECT_EQ(endpoint->tcb().snd_una - iss, 101u);
  In stamped = data(11, 10, 101);
  stamped.options.timestamps = wire::Timestamps{1'001, 0};
  receive(stamped);
  receive(data(21, 10, 101));  // now it may not: RFC 7323 3.2
  EXPECT_EQ(endpoint->readable_bytes(), 20u);
  EXPECT_EQ(stats.dropped(Drop::TcpTimestampMissing), 1u);
  EXPECT_EQ(stats.dropped(Drop::TcpPaws), 0u);
}
TEST_F(Synchronized, PawsComesBeforeTheSequenceTest) {
  established({.timestamp = 1'000});
  peer_timestamp = 900;
  receive(data(1'000'000'000, 10));  // both old and outside the window
  EXPECT_EQ(take_all().size(), 1u);
  EXPECT_EQ(stats.dropped(Drop::TcpPaws), 1u);
  EXPECT_EQ(stats.dropped(Drop::TcpUnacceptable), 0u);
}
// checklist: TCP-194
TEST_F(Synchronized, PawsForgetsAfter24Days) {
  established({.timestamp = 1'000});
  advance(25 * 24h);
  peer_timestamp = 5;
  receive(data(1, 10));
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
}
// checklist: TCP-190
TEST_F(Synchronized, EchoesTheEarliestUnacknowledged) {
  established({.timestamp = 1'000});
  peer_timestamp = 1'001;
  receive(data(1, 1'000));
  peer_timestamp = 1'002;
  receive(data(1'001, 1'000));
  EXPECT_EQ(expect_one().options.timestamps->echo, 1'001u);
  peer_timestamp = 1'050;
  receive(data(3'001, 1'000));  // out of order: not echoed
  EXPECT_EQ(expect_one().options.timestamps->echo, 1'001u);
  peer_timestamp = 1'060;
  receive(data(2'001, 1'000));
  EXPECT_EQ(expect_one().options.timestamps->echo, 1'060u);
}

TEST_F(Synchronized, SynWithTextIsChallengedAndNotRead) {
  established({});
  receive(data(1, 100));
  In in = data(50, 200);
  in.flags |= flag::kSyn;
  receive(in);
  expect_ack(101);
  EXPECT_EQ(endpoint->readable_bytes(), 100u);
}
TEST_F(Synchronized, SynWithoutTimestampsIsChallenged) {
  established({.timestamp = 1'000});
  In in = syn(90'000);
  in.is_raw_timestamp = true;
  receive(in);
  expect_ack(1);
}
// checklist: TCP-025
TEST_F(Synchronized, ResetIsJudgedByItsSequenceNumberAlone) {
  established({});
  receive(data(1, 100));
  In in = rst(91);
  in.payload = pattern(20);  // begins before the window and ends in it
  receive(in);
  advance(1s);
  EXPECT_EQ(take_all().size(), 1u);  // the delayed ACK, no challenge
  in = rst(101);
  in.payload = pattern(20);
  receive(in);
  EXPECT_EQ(endpoint->error(), Error::ConnectionReset);
}
TEST_F(Synchronized, OutsideTheWindowNothingIsLearnedFromTimestamps) {
  established({.timestamp = 1'000});
  advance(25 * 24h);
  peer_timestamp = 5;
  receive(data(1'000'000'000, 10));
  EXPECT_EQ(endpoint->tcb().ts_recent, 1'000u);
}

// A blind segment that straddles what is expected would otherwise make every later timestamp an old one.
TEST_F(Synchronized, WhoAcknowledgesWhatWasNeverSentTeachesNoTimestamp) {
  established({.timestamp = 1'000});
  peer_timestamp = 1'000'000'000;
  In in = data(1, 10);
  in.ack = 5'000;
  receive(in);
  in.flags = 0;
  receive(in);
  EXPECT_EQ(endpoint->tcb().ts_recent, 1'000u);
  peer_timestamp = 1'001;
  receive(data(1, 10));
  EXPECT_EQ(endpoint->tcb().ts_recent, 1'001u);
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
}

TEST_F(Synchronized, PawsRemembersAsLongAsItHears) {
  established({.timestamp = 1'000});
  advance(23 * 24h);
  peer_timestamp = 2'000;
  receive(data(1, 10));
  advance(2 * 24h);
  peer_timestamp = 1'500;
  receive(data(11, 10));
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
  EXPECT_EQ(stats.dropped(Drop::TcpPaws), 1u);
}
TEST_F(Synchronized, OutOfOrderSegmentsAreBounded) {
  established({});
  const auto most = static_cast<std::uint32_t>(OutOfOrder::kMaxPieces);
  for (std::uint32_t i = 0; i < most + 3; ++i) receive(data(3 + 2 * i, 1));
  EXPECT_EQ(stats.dropped(Drop::TcpOutOfOrderLimit), 3u);
  EXPECT_EQ(endpoint->tcb().out_of_order.piece_count(), most);
}

}  // namespace
}  // namespace stack::tcp::test
