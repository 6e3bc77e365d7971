// Timeouts (RFC 6298, RFC 9293 3.8.3) and what the path says of itself (RFC 1191, RFC 5927).
#include "stack/tcp/cubic.hpp"
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Timeout = TcpScript;
using Path = TcpScript;

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

// checklist: TCP-045, TCP-141, TCP-147, TCP-148
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
// checklist: TCP-158
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
// checklist: TCP-044, TCP-138
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
// checklist: TCP-048
TEST_F(Timeout, UserTimeout) {
  established({});
  endpoint->set_give_up_after(3s);
  write_bytes(1'000);
  advance(2'900ms);
  EXPECT_EQ(observer->failed, 0);
  advance(200ms);
  EXPECT_EQ(observer->error, Error::TimedOut);
}
// checklist: TCP-302
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
// checklist: TCP-121
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
// checklist: TCP-122
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

TEST_F(Timeout, FastRetransmissionStartsItAnew) {
  established({});
  write_bytes(5'000);
  take_all();
  advance(190ms);
  for (int i = 0; i < 3; ++i) receive(ack(1));
  EXPECT_EQ(take_all().size(), 1u);
  advance(150ms);
  expect_nothing();
  advance(60ms);
  EXPECT_EQ(take_all().at(0).seq - iss, 1u);
}
TEST_F(Timeout, CubicForgetsTheOldWindowOnce) {
  config.congestion = CongestionAlgorithm::Cubic;
  established({});
  write_bytes(10'000);
  advance(2s);
  EXPECT_GE(take_all().size(), 4u);
  EXPECT_DOUBLE_EQ(dynamic_cast<const Cubic&>(*endpoint->tcb().congestion).w_max_segments(), 10);
}
TEST_F(Timeout, MadeUpEchoesAreNoSample) {
  established({.timestamp = 1});
  write_bytes(500);
  take_all();
  advance(250ms);  // the answer is ambiguous: only its echo could tell
  const auto rto = endpoint->tcb().rtt.rto();
  In in = ack(501);
  in.options.timestamps = wire::Timestamps{2, take_all().at(0).options.timestamps->value - 1'000'000};
  receive(in);
  EXPECT_EQ(endpoint->tcb().rtt.rto(), rto);
}

// checklist: TCP-302
TEST_F(Path, OthersOnThePathLearnFromTheRoute) {
  established({.mss = 1'460});
  write_bytes(5'000);
  take_all();
  sender.mtu = 1'000;  // somebody else was told
  sender.generation = 2;
  write_bytes(1);
  std::size_t bytes = 0;
  for (const Sent& s : take_all()) {
    EXPECT_LE(s.payload.size(), 960u);
    bytes += s.payload.size();
  }
  EXPECT_GE(bytes, 5'000u);
}

}  // namespace
}  // namespace stack::tcp::test
