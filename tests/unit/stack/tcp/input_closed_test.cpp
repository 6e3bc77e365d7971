// A segment for which there is no connection (RFC 9293 3.10.7.1), and what is refused before anybody looks for one.
#include "stack/tcp/input_closed.hpp"

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using NoConnection = TcpScript;

// checklist: TCP-020, TCP-022, TCP-023
TEST_F(NoConnection, ClosedPort) {
  start();
  receive(syn());
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst | flag::kAck);
  EXPECT_EQ(reset.seq, Seq{0});
  EXPECT_EQ(reset.ack, irs + 1);
  EXPECT_EQ(reset.facts.origin, Origin::TcpReset);
  EXPECT_EQ(reset.facts.endpoint.match, EndpointMatch::None);
  receive(rst(1));
  expect_nothing();
}
// checklist: TCP-002
TEST_F(NoConnection, BadChecksumChangesNothing) {
  listen();
  Packet packet = make_packet(syn());
  auto bytes = packet.make_private(20);
  bytes[15] ^= std::byte{1};
  tcp->receive(std::move(packet), now);
  expect_nothing();
  EXPECT_EQ(stats.dropped(Drop::BadChecksum), 1u);
}
// checklist: TCP-069, TCP-077
TEST_F(NoConnection, GroupsAreRefused) {
  start();
  EXPECT_EQ(tcp->connect({*IpAddress::parse("224.0.0.1"), 80}, nullptr).error, Error::Invalid);
  EXPECT_EQ(tcp->connect({*IpAddress::parse("255.255.255.255"), 80}, nullptr).error, Error::Invalid);
  EXPECT_EQ(tcp->connect({*IpAddress::parse("ff02::1"), 80}, nullptr).error, Error::Invalid);
  listen();
  remote.address = *IpAddress::parse("224.0.0.1");
  receive(syn());
  expect_nothing();
  remote.address = *IpAddress::parse("10.0.0.255");
  receive(syn());
  expect_nothing();
}
// checklist: TCP-187; the RST of an abort is in output_test.cpp
TEST_F(NoConnection, WithoutTimestampsTheResetHasNone) {
  for (const bool used : {true, false}) {
    config.timestamps = used;
    start();
    In in = syn();
    in.options.timestamps = wire::Timestamps{77, 0};
    receive(in);
    const Sent reset = expect_one();
    EXPECT_EQ(reset.options.timestamps.has_value(), used);
    if (used) {
      EXPECT_EQ(reset.options.timestamps->echo, 77u);
      EXPECT_EQ(reset.options.timestamps->value, 0u);
    }
    tcp.reset();
  }
}
// checklist: TCP-021, TCP-022, TCP-023
TEST(ResetFor, FollowsTheSegment) {
  Segment with_ack;
  with_ack.flags = flag::kAck;
  with_ack.ack_number = Seq{55};
  EXPECT_EQ(reset_for(with_ack, true)->seq, Seq{55});
  EXPECT_EQ(reset_for(with_ack, true)->flags, flag::kRst);
  Segment fin;
  fin.flags = flag::kFin;
  fin.seq = Seq{10};
  fin.payload_size = 5;
  EXPECT_EQ(reset_for(fin, true)->ack_number, Seq{16});
  EXPECT_EQ(reset_for(fin, true)->flags, flag::kRst | flag::kAck);
  Segment rst;
  rst.flags = flag::kRst;
  EXPECT_FALSE(reset_for(rst, true));
}

TEST_F(NoConnection, GroupsGetNoReset) {
  start();
  for (const char* source : {"10.0.0.255", "224.0.0.1", "255.255.255.255"}) {
    remote.address = *IpAddress::parse(source);
    receive(ack(1));
    expect_nothing();
  }
}
TEST_F(NoConnection, FramesToAGroupOpenNothing) {
  listen();
  Packet packet = make_packet(syn());
  packet.meta().link_broadcast = true;
  tcp->receive(std::move(packet), now);
  expect_nothing();
  EXPECT_EQ(stats.dropped(Drop::NotForUs), 1u);
}

}  // namespace
}  // namespace stack::tcp::test
