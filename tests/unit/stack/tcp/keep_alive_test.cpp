// Keep-alives (RFC 9293 3.8.4).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using KeepAlive = TcpScript;

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

}  // namespace
}  // namespace stack::tcp::test
