// Keep-alives (RFC 9293 3.8.4).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using KeepAlive = TcpScript;

// checklist: TCP-051
TEST_F(KeepAlive, OffByDefaultProbesWhenIdleAndGivesUp) {
  established({});
  advance(3h);
  expect_nothing();
  endpoint->set_keep_alive_times(10s, 5s, 3);
  endpoint->set_keep_alive(true);
  poll();
  take_all();
  receive(ack(1));
  advance(10s);
  const auto probes = take_all();
  ASSERT_EQ(probes.size(), 1u);
  EXPECT_EQ(probes[0].seq - iss, 0u);
  EXPECT_TRUE(probes[0].payload.empty());
  receive(ack(1));
  advance(10s);
  EXPECT_EQ(take_all().size(), 1u);
  advance(30s);
  EXPECT_EQ(observer->error, Error::TimedOut);
}

// checklist: TCP-052
TEST_F(KeepAlive, NoneWhileSomethingIsOutstanding) {
  established({});
  endpoint->set_keep_alive_times(2s, 1s, 3);
  endpoint->set_keep_alive(true);
  write_bytes(100);
  advance(60s);
  for (const Sent& s : take_all()) EXPECT_EQ(s.payload.size(), 100u);
  EXPECT_EQ(observer->failed, 0);
}

TEST_F(KeepAlive, AskedForBeforeTheHandshake) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  endpoint->set_keep_alive_times(10s, 5s, 3);
  endpoint->set_keep_alive(true);
  poll();
  iss = expect_one().seq;
  receive({.seq = 0, .flags = flag::kSyn | flag::kAck, .options = syn_options({})});
  take_all();
  advance(11s);
  EXPECT_EQ(expect_one().seq - iss, 0u);
}

}  // namespace
}  // namespace stack::tcp::test
