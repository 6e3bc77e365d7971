// A listener: what opens a connection, what it agrees on, and what is answered otherwise (RFC 9293 3.10.7.2).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Listening = TcpScript;

// checklist: TCP-040
TEST_F(Listening, PassiveOpenAgreesOnOptions) {
  listen();
  receive(
      {.seq = 0, .flags = flag::kSyn, .options = syn_options({.sack = true, .timestamp = 9, .window_scale = 15})});
  const Sent syn_ack = expect_one();
  EXPECT_EQ(syn_ack.ack, irs + 1);
  EXPECT_EQ(syn_ack.options.mss, 1460);
  EXPECT_TRUE(syn_ack.options.sack_permitted);
  EXPECT_EQ(syn_ack.options.window_scale, 7);
  EXPECT_EQ(syn_ack.options.timestamps->echo, 9u);
  EXPECT_EQ(syn_ack.window, 65'535u);
  EXPECT_EQ(syn_ack.facts.origin, Origin::TcpSyn);
  iss = syn_ack.seq;
  receive({.window = 2, .options = {.timestamps = wire::Timestamps{10, syn_ack.options.timestamps->value}}});
  poll();
  EXPECT_EQ(endpoint->tcb().snd_wnd, 2u << 14);  // a shift of 15 counts as 14 (RFC 7323 2.3)
}
TEST_F(Listening, PassiveOpenOffersNothingUnasked) {
  listen();
  receive(syn());
  const Sent syn_ack = expect_one();
  EXPECT_FALSE(syn_ack.options.sack_permitted);
  EXPECT_FALSE(syn_ack.options.window_scale);
  EXPECT_FALSE(syn_ack.options.timestamps);
}
// checklist: TCP-037
TEST_F(Listening, DefaultMssWithoutOption) {
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(ack(1));
  poll();
  write_bytes(2'000);
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].payload.size(), 536u);
}
// checklist: TCP-037
TEST_F(Listening, DefaultMssOverIpv6) {
  local.address = *IpAddress::parse("fd00::2");
  remote.address = *IpAddress::parse("fd00::1");
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(ack(1));
  poll();
  write_bytes(4'000);
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].payload.size(), 1'220u);
}
// checklist: TCP-079
TEST_F(Listening, ListenerAnswersOnlyWhatItMust) {
  listen();
  receive({.seq = 5, .ack = 9});
  EXPECT_EQ(expect_one().flags, flag::kRst);
  receive(rst(5));
  receive({.seq = 5, .flags = flag::kFin});
  receive({.seq = 5, .flags = 0, .payload = pattern(5)});
  expect_nothing();
}
TEST_F(Listening, SynAckGivesUp) {
  listen();
  receive(syn());
  advance(200s);
  EXPECT_EQ(take_all().size(), 6u);
  EXPECT_EQ(tcp->connection_count(), 0u);
}

}  // namespace
}  // namespace stack::tcp::test
