// Connections that we begin: SYN_SENT (RFC 9293 3.10.7.3), simultaneous opens, refusals, local ports.
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using SynSent = TcpScript;

// checklist: TCP-015
TEST_F(SynSent, ActiveOpen) {
  connect({.sack = true, .timestamp = 1});
  EXPECT_EQ(observer->connected, 1);
}
TEST_F(SynSent, ActiveOpenOverIpv6) {
  local.address = *IpAddress::parse("fd00::2");
  remote.address = *IpAddress::parse("fd00::1");
  connect({});
}
// checklist: TCP-047
TEST_F(SynSent, SynIsRetransmittedForThreeMinutes) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  observer = std::make_shared<RecordingObserver>();
  endpoint->set_observer(observer);
  const Instant begin = now;
  poll();
  std::vector<std::int64_t> seconds;
  advance(179s);
  for (const Sent& s : take_all()) seconds.push_back((s.at - begin) / 1s);
  EXPECT_EQ(seconds, (std::vector<std::int64_t>{0, 1, 3, 7, 15, 31, 63, 123}));
  EXPECT_EQ(observer->failed, 0);
  advance(20s);
  EXPECT_EQ(observer->error, Error::TimedOut);
}
// checklist: TCP-024
TEST_F(SynSent, RefusedByResetWithTheRightAckOnly) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  observer = std::make_shared<RecordingObserver>();
  endpoint->set_observer(observer);
  poll();
  iss = expect_one().seq;
  receive({.seq = 0, .flags = flag::kRst});
  receive({.seq = 0, .ack = 77, .flags = flag::kRst | flag::kAck});
  poll();
  expect_nothing();
  EXPECT_EQ(observer->failed, 0);
  receive({.seq = 0, .ack = 1, .flags = flag::kRst | flag::kAck});
  poll();
  EXPECT_EQ(observer->error, Error::ConnectionRefused);
  EXPECT_EQ(endpoint->write(pattern(1)).error, Error::ConnectionRefused);
}
// checklist: TCP-019
TEST_F(SynSent, HalfOpenPeerIsReset) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  iss = expect_one().seq;
  receive({.seq = 500, .ack = 300});
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst);
  EXPECT_EQ(reset.seq - iss, 300u);
  EXPECT_EQ(endpoint->state(), State::SynSent);
}
// checklist: TCP-016
TEST_F(SynSent, SimultaneousOpen) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  observer = std::make_shared<RecordingObserver>();
  endpoint->set_observer(observer);
  poll();
  iss = expect_one().seq;
  receive(syn());
  const Sent syn_ack = expect_one();
  EXPECT_EQ(syn_ack.flags, flag::kSyn | flag::kAck);
  EXPECT_EQ(syn_ack.seq, iss);
  receive({.seq = 0, .ack = 1, .flags = flag::kSyn | flag::kAck});
  poll();
  EXPECT_EQ(endpoint->state(), State::Established);
  EXPECT_EQ(observer->connected, 1);
  take_all();
  write_bytes(10);
  expect_sent({{1, 10}});
}
// checklist: TCP-018
TEST_F(SynSent, RefusedAfterSimultaneousSyn) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  iss = expect_one().seq;
  receive(syn());
  take_all();
  receive(rst(1));
  EXPECT_EQ(endpoint->error(), Error::ConnectionRefused);
}
// checklist: TCP-128
TEST_F(SynSent, EphemeralPortsAreRandom) {
  start();
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 50; ++i) {
    auto made = tcp->connect(remote, nullptr);
    poll();
    ports.push_back(expect_one().local_port);
    made.endpoint->abort();
    poll();
  }
  int steps = 0;
  for (std::size_t i = 1; i < ports.size(); ++i) steps += ports[i] == ports[i - 1] + 1 ? 1 : 0;
  EXPECT_LT(steps, 3);
  for (const auto port : ports) EXPECT_GE(port, 49'152);
}

// checklist: TCP-184
TEST_F(SynSent, SimultaneousSynAckHasAnUnscaledWindow) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  iss = expect_one().seq;
  receive({.seq = 0, .flags = flag::kSyn, .window = 900, .options = syn_options({.window_scale = 7})});
  take_all();
  receive({.seq = 0, .ack = 1, .flags = flag::kSyn | flag::kAck, .window = 1'000});
  ASSERT_EQ(endpoint->state(), State::Established);
  EXPECT_EQ(endpoint->tcb().snd_wnd, 1'000u);
  receive({.window = 1'000});
  EXPECT_EQ(endpoint->tcb().snd_wnd, 128'000u);
}

TEST_F(SynSent, LocalPortsAreNotSharedWithOneRemote) {
  config.ephemeral_first = 50'000;
  config.ephemeral_last = 50'001;
  start();
  std::vector<std::shared_ptr<Endpoint>> made;
  for (int i = 0; i < 3; ++i) {
    made.push_back(tcp->connect(remote, nullptr).endpoint);
    poll();
  }
  EXPECT_EQ(take_all().size(), 2u);
  EXPECT_NE(made[0]->tuple().local.port, made[1]->tuple().local.port);
  EXPECT_EQ(made[2]->error(), Error::AddressNotAvailable);
  const auto same = tcp->connect(remote, nullptr, made[0]->tuple().local).endpoint;
  poll();
  EXPECT_EQ(same->error(), Error::AddressInUse);
  for (const auto& one : made) one->abort();
  poll();
}
// checklist: TCP-146
TEST_F(SynSent, OneSegmentAtFirstWhenTheSynWasLostTwice) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  advance(4s);
  const auto syns = take_all();
  ASSERT_EQ(syns.size(), 3u);
  iss = syns[0].seq;
  receive({.seq = 0, .flags = flag::kSyn | flag::kAck, .options = syn_options({})});
  take_all();
  write_bytes(10'000);
  EXPECT_EQ(take_all().size(), 1u);
}

}  // namespace
}  // namespace stack::tcp::test
