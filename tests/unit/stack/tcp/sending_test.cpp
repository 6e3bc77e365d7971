// What leaves, and when: Nagle, windows, congestion control, retransmission, recovery, large segments, path MTU.
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Sending = TcpScript;
using Recover = TcpScript;
using Timeout = TcpScript;
using Large = TcpScript;
using Path = TcpScript;

std::vector<std::uint32_t> begins(const std::vector<Sent>& all, Seq iss) {
  std::vector<std::uint32_t> list;
  for (const Sent& s : all) list.push_back(s.seq - iss);
  return list;
}

TEST_F(Sending, SegmentsOfTheAgreedSizeAndPush) {
  established({.mss = 700, .timestamp = 1});
  write_bytes(2'000);
  const auto sent = take_all();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].payload.size(), 688u);  // options count
  EXPECT_FALSE(sent[0].has(flag::kPsh));
  EXPECT_TRUE(sent[2].has(flag::kPsh));
  for (const Sent& s : sent) EXPECT_FALSE(s.options.mss);
}
TEST_F(Sending, InitialWindowThenSlowStart) {
  established({});
  write_bytes(60'000);
  EXPECT_EQ(take_all().size(), 10u);
  receive(ack(1'001));
  EXPECT_EQ(take_all().size(), 2u);
  receive(ack(3'001));  // two segments acknowledged at once
  EXPECT_EQ(take_all().size(), 4u);
}
TEST_F(Sending, NagleHoldsOneSmallSegment) {
  established({});
  write_bytes(10);
  write_bytes(10);
  expect_sent({{1, 10}});
  receive(ack(11));
  expect_sent({{11, 10}});
  receive(ack(21));
  endpoint->set_no_delay(true);
  write_bytes(5);
  write_bytes(5);
  expect_sent({{21, 5}, {26, 5}});
}
TEST_F(Sending, NeverBeyondTheWindow) {
  established({.window = 2'500});
  write_bytes(10'000);
  expect_sent({{1, 1'000}, {1'001, 1'000}});  // 500 more would be silly
  receive({.ack = 1'001, .window = 2'500});
  expect_sent({{2'001, 1'000}});
  receive({.ack = 1'001, .window = 1'000});  // shrunk: nothing new
  expect_nothing();
  receive({.ack = 3'001, .window = 2'500});
  EXPECT_EQ(take_all().size(), 2u);
}
TEST_F(Sending, StaleWindowIsIgnored) {
  established({.window = 10'000});
  receive({.seq = 1, .payload = pattern(100)});
  receive({.seq = 101, .window = 5'000});
  receive({.seq = 1, .window = 60'000});  // older segment
  EXPECT_EQ(endpoint->tcb().snd_wnd, 5'000u);
}
TEST_F(Sending, ZeroWindowProbesForHoursThenGoesOn) {
  established({.window = 2'000});
  write_bytes(5'000);
  take_all();
  receive({.ack = 2'001, .window = 0});
  expect_nothing();
  const Instant begin = now;
  int probes = 0;
  for (int i = 0; i < 100; ++i) {
    advance(60s);
    for (const Sent& s : take_all()) {
      EXPECT_LE(s.payload.size(), 1u);
      ++probes;
      receive({.ack = 2'001, .window = 0});
    }
  }
  EXPECT_GT(probes, 90);
  EXPECT_LT(probes, 115);
  EXPECT_GT(now - begin, 1h);
  EXPECT_EQ(observer->failed, 0);
  receive({.ack = 2'001, .window = 60'000});
  std::size_t bytes = 0;
  for (const Sent& s : take_all()) bytes += s.payload.size();
  EXPECT_GE(bytes, 2'999u);
  EXPECT_EQ(endpoint->tcb().snd_nxt - iss, 5'001u);
}
TEST_F(Sending, FirstProbeAfterTheTimeoutThenBackoff) {
  established({.window = 1'000});
  write_bytes(3'000);
  receive({.ack = 1'001, .window = 0});
  take_all();
  const Instant begin = now;
  advance(20s);
  const auto probes = take_all();
  ASSERT_GE(probes.size(), 3u);
  const Duration first = probes[0].at - begin;
  EXPECT_GE(first, 200ms);
  EXPECT_NEAR(static_cast<double>((probes[1].at - begin) / 1ms), 3.0 * static_cast<double>(first / 1ms), 10);
  EXPECT_NEAR(static_cast<double>((probes[2].at - begin) / 1ms), 7.0 * static_cast<double>(first / 1ms), 20);
}
TEST_F(Sending, UnansweredProbesEnd) {
  established({.window = 1'000});
  write_bytes(3'000);
  receive({.ack = 1'001, .window = 0});
  advance(400s);
  EXPECT_EQ(observer->error, Error::TimedOut);
}
TEST_F(Sending, SmallWindowIsUsedByOverride) {
  established({.window = 5'000});
  write_bytes(5'000);
  take_all();
  receive({.ack = 5'001, .window = 300});
  write_bytes(2'000);
  expect_nothing();
  advance(1s);
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].payload.size(), 300u);
}
TEST_F(Sending, OrphanBehindAClosedWindowIsReaped) {
  established({.window = 1'000});
  write_bytes(5'000);
  receive({.ack = 1'001, .window = 0});
  endpoint->close();
  poll();
  for (int i = 0; i < 100 && tcp->connection_count() > 0; ++i) {
    advance(5s);
    if (!take_all().empty() && tcp->connection_count() > 0) receive({.ack = 1'001, .window = 0});
  }
  EXPECT_EQ(tcp->connection_count(), 0u);
}
TEST_F(Sending, IdleRestartsFromTheInitialWindow) {
  established({});
  for (int i = 0; i < 5; ++i) {
    write_bytes(20'000);
    for (int k = 0; k < 40; ++k) {
      const auto sent = take_all();
      if (sent.empty()) break;
      receive(ack(sent.back().seq - iss + static_cast<std::uint32_t>(sent.back().payload.size())));
    }
  }
  EXPECT_GT(endpoint->tcb().congestion->cwnd_bytes(), 20'000u);
  advance(10s);
  write_bytes(40'000);
  EXPECT_EQ(take_all().size(), 10u);
}
TEST_F(Sending, WritableIsToldOnceThereIsRoom) {
  config.send_buffer = 10'000;
  established({});
  EXPECT_EQ(endpoint->write(pattern(15'000)).count, 10'000u);
  EXPECT_EQ(endpoint->write(pattern(1)).error, Error::WouldBlock);
  poll();
  receive(ack(1'001));
  poll();
  EXPECT_EQ(observer->writable, 0);
  receive(ack(4'001));
  poll();
  EXPECT_EQ(observer->writable, 1);
}
TEST_F(Sending, NoBufferIsRetried) {
  established({});
  sender.has_route = false;
  sender.generation = 2;
  write_bytes(100);  // the old route serves on
  EXPECT_EQ(take_all().size(), 1u);
}

// --- recovery ---

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
  receive(ack_sack(1, {{90'000, 95'000}, {4'001, 2'001}}));
  EXPECT_EQ(endpoint->tcb().scoreboard.sacked_bytes(), 0u);
}

// --- timeouts ---

TEST_F(Timeout, DoublesAndResendsTheFirstSegment) {
  established({});
  write_bytes(10'000);
  take_all();
  const Instant begin = now;
  advance(10s);
  const auto sent = take_all();
  ASSERT_GE(sent.size(), 3u);
  const Duration rto = sent[0].at - begin;
  EXPECT_GE(rto, 200ms);
  for (const Sent& s : sent) EXPECT_EQ(s.seq - iss, 1u);
  EXPECT_EQ((sent[1].at - sent[0].at) / 1ms, 2 * (rto / 1ms));
  EXPECT_EQ((sent[2].at - sent[1].at) / 1ms, 4 * (rto / 1ms));
  EXPECT_EQ(endpoint->tcb().congestion->cwnd_bytes(), 1'000u);
  EXPECT_EQ(endpoint->tcb().congestion->ssthresh_bytes(), 5'000u);  // once
}
TEST_F(Timeout, SlowStartsThroughWhatWasOut) {
  established({});
  write_bytes(6'000);
  take_all();
  advance(250ms);
  expect_sent({{1, 1'000}});
  receive(ack(1'001));
  EXPECT_EQ(begins(take_all(), iss), (std::vector<std::uint32_t>{1'001, 2'001}));
}
TEST_F(Timeout, ForgetsSackAndResendsTheLeftEdge) {
  established({.sack = true});
  write_bytes(3'000);
  take_all();
  receive(ack_sack(1, {{1'001, 3'001}}));
  advance(3s);
  EXPECT_EQ(take_all()[0].seq - iss, 1u);
  receive(ack(1'001));  // the peer gave up what it had promised
  EXPECT_EQ(begins(take_all(), iss), (std::vector<std::uint32_t>{1'001, 2'001}));
}
TEST_F(Timeout, KarnKeepsTheBackoff) {
  established({});
  write_bytes(1'000);
  take_all();
  advance(250ms);
  take_all();
  receive(ack(1'001));  // ambiguous
  write_bytes(1'000);
  take_all();
  advance(390ms);
  expect_nothing();  // twice the timeout still holds
  advance(20ms);
  EXPECT_EQ(take_all().size(), 1u);
}
TEST_F(Timeout, RestartsOnProgress) {
  established({});
  write_bytes(3'000);
  take_all();
  advance(190ms);
  receive(ack(1'001));
  advance(150ms);
  expect_nothing();
  advance(400ms);
  EXPECT_FALSE(take_all().empty());
}
TEST_F(Timeout, GivesUpAfterR2) {
  established({});
  write_bytes(1'000);
  advance(119s);
  EXPECT_EQ(observer->failed, 0);
  const auto sent = take_all();
  EXPECT_GE(sent.size(), 6u);
  EXPECT_LE(sent.size(), 12u);
  advance(2s);
  EXPECT_EQ(observer->error, Error::TimedOut);
}
TEST_F(Timeout, UserTimeout) {
  established({});
  endpoint->set_give_up_after(3s);
  write_bytes(1'000);
  advance(2'900ms);
  EXPECT_EQ(observer->failed, 0);
  advance(200ms);
  EXPECT_EQ(observer->error, Error::TimedOut);
}

// --- large segments ---

TEST_F(Large, OnePacketOfWholeSegmentsSharesTheBlocks) {
  sender.large_send_max = 60'000;
  established({});
  write_bytes(9'500);
  const auto sent = take_all();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].segment_size, 1'000u);
  EXPECT_EQ(sent[0].payload, pattern(9'500));
  receive(ack(3'001));  // part of the packet
  EXPECT_EQ(endpoint->tcb().in_flight(), 6'500u);
  receive(ack(9'501));
  EXPECT_TRUE(endpoint->tcb().scoreboard.empty());
}
TEST_F(Large, SackOfPartsRetransmitsTheRest) {
  sender.large_send_max = 60'000;
  established({.sack = true});
  write_bytes(10'000);
  take_all();
  receive(ack_sack(1, {{2'001, 4'001}, {6'001, 10'001}}));
  const auto sent = take_all();
  EXPECT_EQ(begins(sent, iss), (std::vector<std::uint32_t>{1, 4'001}));
  EXPECT_EQ(sent[0].payload.size(), 2'000u);
  EXPECT_EQ(sent[0].segment_size, 1'000u);
  EXPECT_EQ(sent[1].payload, pattern(2'000, 4'000));
}
TEST_F(Large, RetransmissionAfterAKeptPacketIsRight) {
  sender.large_send_max = 60'000;
  sender.keep = true;  // somebody holds on to what was sent
  established({});
  write_bytes(5'000);
  take_all();
  advance(300ms);
  const auto again = take_all();
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again[0].payload, pattern(1'000));
  receive(ack(5'001));
  EXPECT_EQ(sender.kept.back().size(), again.back().payload.size() + 20);
}

// --- path ---

ip::PathEvent event_of(ip::PathEvent::Kind kind, Bytes header) {
  return {.kind = kind,
          .local = *IpAddress::parse("10.0.0.2"),
          .remote = *IpAddress::parse("10.0.0.1"),
          .protocol = 6,
          .transport_header = header};
}
std::array<std::byte, 8> quoted(Seq seq) {
  std::array<std::byte, 8> header{};
  store_be16(header, 0, 80);
  store_be16(header, 2, 40'000);
  store_be32(header, 4, seq.value());
  return header;
}

TEST_F(Path, SmallerMtuResendsOnceWithoutBlame) {
  established({.mss = 1'460});
  write_bytes(5'000);
  take_all();
  const auto cwnd = endpoint->tcb().congestion->cwnd_bytes();
  const auto header = quoted(iss + 1);
  auto event = event_of(ip::PathEvent::Kind::PacketTooBig, header);
  event.mtu = 1'000;
  sender.mtu = 1'000;
  sender.generation = 2;
  tcp->path_event(event, now);
  poll();
  auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  std::size_t bytes = 0;
  for (const Sent& s : sent) {
    EXPECT_LE(s.payload.size(), 960u);
    bytes += s.payload.size();
  }
  EXPECT_EQ(bytes, 5'000u);
  EXPECT_EQ(endpoint->tcb().congestion->cwnd_bytes(), cwnd);
  tcp->path_event(event, now);
  poll();
  expect_nothing();
}
TEST_F(Path, ErrorsAboutOtherNumbersAreIgnored) {
  established({});
  write_bytes(1'000);
  take_all();
  const auto header = quoted(iss + 90'000);
  auto event = event_of(ip::PathEvent::Kind::PacketTooBig, header);
  event.mtu = 600;
  tcp->path_event(event, now);
  poll();
  expect_nothing();
}
TEST_F(Path, HardErrorRefusesAConnectionAttemptOnly) {
  start();
  auto attempt = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  const Seq first = expect_one().seq;
  const auto header = quoted(first);
  auto event = event_of(ip::PathEvent::Kind::PortUnreachable, header);
  event.is_hard = true;
  tcp->path_event(event, now);
  poll();
  EXPECT_EQ(attempt->error(), Error::ConnectionRefused);
  established({});
  write_bytes(100);
  take_all();
  const auto later_header = quoted(iss + 1);
  auto later_event = event_of(ip::PathEvent::Kind::PortUnreachable, later_header);
  later_event.is_hard = true;
  tcp->path_event(later_event, now);
  poll();
  EXPECT_EQ(endpoint->state(), State::Established);
  EXPECT_EQ(endpoint->take_soft_error(), Error::ConnectionRefused);
}

}  // namespace
}  // namespace stack::tcp::test
