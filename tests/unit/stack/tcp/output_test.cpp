// What leaves, and when: segment sizes, Nagle, the peer's window, zero-window probes, large segments.
#include "stack/tcp/ack.hpp"
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

// For steps that are tried on a Tcb alone.
class NoActions final : public Actions {
 public:
  void enter(State) override {}
  bool established(Segment&) override { return true; }
  void reset_peer(Seq) override {}
  void close(Error) override {}
  void abort(Error) override {}
  void readable() override {}
  void writable() override {}
  void drop(Segment&, Drop) override {}
};

using Sending = TcpScript;
using Probing = TcpScript;
using Large = TcpScript;

// checklist: TCP-038, TCP-039, TCP-067
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
// checklist: TCP-045, TCP-143, TCP-144, TCP-287
TEST_F(Sending, InitialWindowThenSlowStart) {
  established({});
  write_bytes(60'000);
  EXPECT_EQ(take_all().size(), 10u);
  receive(ack(1'001));
  EXPECT_EQ(take_all().size(), 2u);
  receive(ack(3'001));  // two segments acknowledged at once
  EXPECT_EQ(take_all().size(), 4u);
}
// checklist: TCP-042, TCP-043
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
// checklist: TCP-057, TCP-062, TCP-287
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
// checklist: TCP-085
TEST_F(Sending, StaleWindowIsIgnored) {
  established({.window = 10'000});
  receive({.seq = 1, .payload = pattern(100)});
  receive({.seq = 101, .window = 5'000});
  receive({.seq = 1, .window = 60'000});  // older segment
  EXPECT_EQ(endpoint->tcb().snd_wnd, 5'000u);
}
// checklist: TCP-151
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
// RFC 9293 3.7.1: the peer's MSS holds, options within it (RFC 6691 3), down to the floor of kSmallestMss.
TEST_F(Sending, HonoursASmallMss) {
  established({.mss = 64});
  write_bytes(300);
  for (const Sent& s : take_all()) EXPECT_LE(s.payload.size(), 64u);
}
TEST_F(Sending, HonoursASmallMssWithTimestampsAndLargeSends) {
  sender.large_send_max = 60'000;
  established({.mss = 64, .timestamp = 1'000});
  write_bytes(500);
  std::size_t bytes = 0;
  for (const Sent& s : take_all()) {
    EXPECT_LE(s.segment_size == 0 ? s.payload.size() : s.segment_size, 52u);
    bytes += s.payload.size();
  }
  EXPECT_GT(bytes, 0u);
}
TEST_F(Sending, AnMssBelowTheFloorGetsTheFloor) {
  established({.mss = 1});
  write_bytes(200);
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].payload.size(), Tcb::kSmallestMss);
}
TEST_F(Sending, NoBufferIsRetried) {
  established({});
  sender.has_route = false;
  sender.generation = 2;
  write_bytes(100);  // the old route serves on
  EXPECT_EQ(take_all().size(), 1u);
}
// checklist: TCP-059, TCP-061, TCP-131
TEST_F(Probing, ZeroWindowProbesForHoursThenGoesOn) {
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
  EXPECT_EQ(bytes, 3'000u);  // the probe's byte, too: it was refused
  EXPECT_EQ(endpoint->tcb().snd_nxt - iss, 5'001u);
}
// checklist: TCP-060
TEST_F(Probing, FirstProbeAfterTheTimeoutThenBackoff) {
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
// RFC 9293 3.10.7.4: a peer whose window is closed takes nothing but RCV.NXT, and drops a RST with another number.
TEST_F(Probing, ResetsAndAcksStayWithinAClosedWindow) {
  established({.window = 1'000});
  write_bytes(3'000);
  take_all();
  receive({.ack = 1'001, .window = 0});
  advance(1s);
  ASSERT_EQ(endpoint->tcb().snd_nxt - iss, 1'002u);  // a probe is out
  take_all();
  In late = data(1, 10, 1'001);
  late.window = 0;
  receive(late);
  receive(late);  // answered at once
  EXPECT_EQ(take_all().at(0).seq - iss, 1'001u);
  endpoint->abort();
  poll();
  const Sent reset = expect_one();
  EXPECT_TRUE(reset.has(flag::kRst));
  EXPECT_EQ(reset.seq - iss, 1'001u);
}
TEST_F(Probing, AWindowThatShrankBoundsTheResetToo) {
  established({.window = 5'000});
  write_bytes(5'000);
  take_all();
  receive({.ack = 1'001, .window = 1'500});
  endpoint->abort();
  poll();
  EXPECT_EQ(expect_one().seq - iss, 2'501u);
}
TEST_F(Probing, AResetWithinTheWindowHasTheNextNumber) {
  established({.timestamp = 1'000});
  write_bytes(3'000);
  take_all();
  endpoint->abort();
  poll();
  const Sent reset = expect_one();
  EXPECT_EQ(reset.seq - iss, 3'001u);
  ASSERT_TRUE(reset.options.timestamps);  // RFC 7323 3.2: an ordinary one
  EXPECT_EQ(reset.options.timestamps->echo, 1'000u);
  EXPECT_NE(reset.options.timestamps->value, 0u);
}
TEST_F(Probing, AFinBehindAClosedWindowDoesNotMoveTheReset) {
  established({.window = 1'000});
  write_bytes(1'000);
  receive({.ack = 1'001, .window = 0});
  endpoint->shutdown_write();
  poll();
  advance(500ms);
  ASSERT_EQ(endpoint->tcb().snd_nxt - iss, 1'002u);
  take_all();
  endpoint->abort();
  poll();
  EXPECT_EQ(expect_one().seq - iss, 1'001u);
}
TEST_F(Probing, UnansweredProbesEnd) {
  established({.window = 1'000});
  write_bytes(3'000);
  receive({.ack = 1'001, .window = 0});
  advance(400s);
  EXPECT_EQ(observer->error, Error::TimedOut);
}
TEST_F(Probing, SmallWindowIsUsedByOverride) {
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
// checklist: TCP-131
TEST_F(Probing, OrphanBehindAClosedWindowIsReaped) {
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

// The last small segment may lie gigabytes back: Nagle's rule must not take it for one that is still to come.
TEST(Nagle, ForgetsASmallSegmentThatIsLongAcknowledged) {
  const TcpConfig config;
  Tcb tcb{config, Family::V4, unlimited()};
  NoActions actions;
  tcb.state = State::Established;
  tcb.begin_send(Seq{7});
  tcb.snd_small_end = Seq{10};
  const Instant now = Instant::from_ns(1);
  for (int i = 0; i < 5; ++i) {
    const Seq end = tcb.snd_nxt + 1'000'000'000;
    tcb.scoreboard.on_sent(tcb.snd_nxt, end, now);
    tcb.snd_nxt = end;
    Segment ack;
    ack.flags = flag::kAck;
    ack.ack_number = end;
    process_ack(tcb, ack, actions, now);
    EXPECT_TRUE(tcb.snd_una.at_or_after(tcb.snd_small_end)) << i;
  }
}
TEST_F(Sending, ReportsOfWhatArrivedLeaveTheSegmentItsSize) {
  established({.sack = true});
  for (const std::uint32_t at : {1'001U, 3'001U, 5'001U, 7'001U}) receive(data(at, 100));
  take_all();
  write_bytes(5'000);
  for (const Sent& s : take_all()) {
    EXPECT_EQ(s.segment_size, 0u);
    EXPECT_LE(s.payload.size() + s.options.size(), 1'000u);
  }
}
TEST_F(Sending, WriterIsToldWhenOthersGiveBlocksBack) {
  config.send_memory = 1 << 20;
  established({});
  const auto first = endpoint;
  remote.port = 41'000;
  established({});
  std::size_t first_count = 0, second_count = 0;
  for (std::size_t count = 1; count > 0; first_count += count) count = first->write(pattern(100'000)).count;
  for (std::size_t count = 1; count > 0; second_count += count) count = endpoint->write(pattern(4'000)).count;
  EXPECT_GT(second_count, first_count / 2) << "whoever came first leaves room";
  EXPECT_LT(first_count + second_count, std::size_t{1} << 19);
  EXPECT_EQ(endpoint->write(pattern(4'000)).error, Error::WouldBlock);
  poll();
  advance(100ms);
  EXPECT_GE(observer->writable, 1);  // asks again now and then
  EXPECT_EQ(endpoint->write(pattern(4'000)).error, Error::WouldBlock);
  first->abort();
  poll();
  const int before = observer->writable;
  advance(20ms);
  EXPECT_GT(observer->writable, before);
  EXPECT_EQ(endpoint->write(pattern(4'000)).count, 4'000u);
}
TEST_F(Probing, OneByteATimeoutEvenWhenMoreWasLost) {
  established({});
  write_bytes(10'000);
  take_all();
  advance(250ms);  // the timer: everything counts as lost
  take_all();
  receive({.ack = 1'001, .window = 0});
  advance(20s);
  const auto probes = take_all();
  EXPECT_GE(probes.size(), 3u);
  EXPECT_LE(probes.size(), 8u);
  for (const Sent& s : probes) {
    EXPECT_EQ(s.seq - iss, 1'001u);
    EXPECT_EQ(s.payload.size(), 1u);
  }
  receive({.ack = 1'001, .window = 60'000});
  EXPECT_EQ(take_all()[0].payload.size(), 1'000u);
}

TEST_F(Sending, HalfOfTheLargestWindowIsWorthASegment) {
  established({.window = 600});
  write_bytes(2'000);
  expect_sent({{1, 600}});
  receive({.ack = 601, .window = 200});
  expect_nothing();
  receive({.ack = 601, .window = 300});
  expect_sent({{601, 300}});
}
TEST_F(Sending, ALongBurstGoesOnByItself) {
  config.initial_window_segments = 200;
  established({.mss = 500});
  write_bytes(60'000);
  EXPECT_EQ(take_all().size(), 120u);
}
TEST_F(Large, NothingIsWaitedForWhenNothingIsUnderWay) {
  sender.large_send_max = 60'000;
  established({.window = 1'500});
  write_bytes(10'000);
  expect_sent({{1, 1'000}});
}

}  // namespace
}  // namespace stack::tcp::test
