// From a SYN to a connection under load: backlogs, SYN cookies, limits, and a listener that goes away.
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Admission = TcpScript;

TEST_F(Admission, ClosingTheListenerResetsWhatWaits) {
  start();
  auto listened = tcp->listen(local, nullptr);
  receive(syn());
  iss = expect_one().seq;
  receive(ack(1));
  listened.listener->close();
  poll();
  EXPECT_TRUE(expect_one().has(flag::kRst));
  EXPECT_EQ(tcp->connection_count(), 0u);
}
// checklist: TCP-129, TCP-130
TEST_F(Admission, CookiesWhenTheBacklogIsFull) {
  config.syn_backlog = 10;
  listen();
  const auto me = remote;
  for (int i = 0; i < 2'000; ++i) {
    remote = {IpAddress::v4(0x0a000100U + static_cast<std::uint32_t>(i)), static_cast<std::uint16_t>(1'000 + i)};
    receive({.seq = 0, .flags = flag::kSyn, .options = syn_options({})});
  }
  EXPECT_EQ(tcp->connection_count(), 10u);
  take_all();
  remote = me;
  receive({.seq = 0,
           .flags = flag::kSyn,
           .options = syn_options({.mss = 1'460, .sack = true, .timestamp = 50, .window_scale = 3})});
  const Sent cookie = expect_one();
  EXPECT_EQ(cookie.facts.origin, Origin::TcpCookie);
  EXPECT_EQ(tcp->connection_count(), 10u);
  iss = cookie.seq;
  In forged = ack(2);
  forged.options.timestamps = wire::Timestamps{51, cookie.options.timestamps->value};
  receive(forged);
  EXPECT_EQ(expect_one().flags, flag::kRst);
  In good = ack(1);
  good.payload = pattern(10);
  good.window = 1'000;
  good.options.timestamps = wire::Timestamps{51, cookie.options.timestamps->value};
  receive(good);
  poll();
  ASSERT_EQ(accepted_count, 1);
  EXPECT_EQ(endpoint->tcb().snd_wnd, 8'000u);
  EXPECT_TRUE(endpoint->tcb().sack_ok);
  EXPECT_EQ(endpoint->tcb().peer_mss, 1'460u);
  EXPECT_EQ(read_all(), pattern(10));
}
TEST_F(Admission, ConnectionsAreBounded) {
  config.connection_limit = 5;
  config.syn_cookies = false;
  listen();
  for (std::uint16_t i = 0; i < 50; ++i) {
    remote.port = static_cast<std::uint16_t>(1'000 + i);
    receive({.seq = 0, .flags = flag::kSyn, .options = syn_options({})});
  }
  EXPECT_EQ(tcp->connection_count(), 5u);
  EXPECT_EQ(stats.dropped(Drop::ListenQueueFull), 45u);
}
TEST_F(Admission, RandomSegmentsNeitherCrashNorLeak) {
  SeededRandom chaos{4};
  listen();
  for (int i = 0; i < 30'000; ++i) {
    In in;
    const bool near = chaos.below(4) != 0;
    in.seq = near ? chaos.below(5'000) : chaos.next_u32();
    in.ack = near ? chaos.below(5) : chaos.next_u32();
    in.flags = static_cast<std::uint8_t>(chaos.below(64));
    if (chaos.below(2) == 0) in.flags = flag::kAck;
    in.window = chaos.below(65'536);
    if (chaos.below(3) == 0) in.payload = pattern(chaos.below(1'400));
    remote.port = static_cast<std::uint16_t>(40'000 + chaos.below(20));
    receive(in);
    if (chaos.below(50) == 0) advance(Duration{chaos.below(2'000'000'000)});
    if (endpoint && chaos.below(20) == 0) read_all();
    if (endpoint && chaos.below(20) == 0) endpoint->write(pattern(5'000));
    if (endpoint && chaos.below(200) == 0) endpoint->close(), endpoint.reset();
    sender.segments.clear();
  }
}

TEST_F(Admission, CookieCarriesTextAndFin) {
  config.syn_backlog = 0;
  listen();
  receive(syn());
  iss = expect_one().seq;
  In last = fin(1);  // the plain ACK was lost on its way
  last.payload = pattern(10);
  receive(last);
  poll();
  ASSERT_EQ(accepted_count, 1);
  EXPECT_EQ(read_all(), pattern(10));
  EXPECT_EQ(endpoint->state(), State::CloseWait);
}
TEST_F(Admission, NoCookieInThePlaceOfABlock) {
  established({});
  endpoint->close();
  poll();
  receive(fin(1, 2));
  take_all();
  for (std::uint16_t i = 0; i < config.syn_backlog; ++i) {
    remote.port = static_cast<std::uint16_t>(1'000 + i);
    receive(syn());
  }
  take_all();
  remote.port = 40'000;
  receive(syn(100));  // would take the block's place
  expect_nothing();
  EXPECT_EQ(stats.dropped(Drop::ListenQueueFull), 1u);
  EXPECT_EQ(tcp->time_wait_count(), 1u);
}
TEST_F(Admission, AcceptBacklogIsBounded) {
  config.accept_backlog = 3;
  start();
  listener = tcp->listen(local, nullptr).listener;  // nobody takes what it accepts
  for (std::uint16_t i = 0; i < 10; ++i) {
    remote.port = static_cast<std::uint16_t>(1'000 + i);
    receive(syn());
    const auto sent = take_all();
    if (sent.empty()) continue;
    iss = sent[0].seq;
    receive(ack(1));
  }
  EXPECT_EQ(listener->waiting_count(), 3u);
  EXPECT_EQ(stats.dropped(Drop::ListenQueueFull), 7u);
  listener->close();
  poll();
}
TEST_F(Admission, ListenersAreBoundedAndNeedAnAddressOfOurs) {
  config.listener_limit = 2;
  start();
  EXPECT_EQ(tcp->listen({*IpAddress::parse("10.0.0.77"), 80}, nullptr).error, Error::AddressNotAvailable);
  const auto one = tcp->listen({IpAddress::any(Family::V4), 80}, nullptr);
  EXPECT_EQ(tcp->listen({IpAddress::any(Family::V4), 80}, nullptr).error, Error::AddressInUse);
  const auto two = tcp->listen({local.address, 0}, nullptr);
  EXPECT_GE(two.listener->local().port, 49'152);
  EXPECT_EQ(tcp->listen({local.address, 0}, nullptr).error, Error::NoBuffers);
  one.listener->close();
  two.listener->close();
}

TEST_F(Admission, WhatWasResetBeforeAcceptIsNotHandedOut) {
  start();
  listener = tcp->listen(local, nullptr).listener;
  receive(syn());
  iss = expect_one().seq;
  receive(ack(1));
  receive(rst(1));
  listener->set_accept_handler([this](const std::shared_ptr<Endpoint>&) { ++accepted_count; });
  poll();
  EXPECT_EQ(accepted_count, 0);
  EXPECT_EQ(listener->waiting_count(), 0u);
}

}  // namespace
}  // namespace stack::tcp::test
