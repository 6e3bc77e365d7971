#include "tests/unit/stack/ip/output_fixture.hpp"

namespace stack::test {
namespace {

TEST_F(OutputTest, RoutesByPrefixGatewayAndOwnAddress) {
  auto route = output.route(address("10.77.0.9"), std::nullopt);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->next_hop.to_string(), "10.77.0.9");
  EXPECT_EQ(route->source.to_string(), "10.77.0.2");
  EXPECT_TRUE(route->on_link);
  route = output.route(address("192.0.2.1"), std::nullopt);
  EXPECT_EQ(route->next_hop.to_string(), "10.77.0.254");
  route = output.route(address("10.77.0.2"), std::nullopt);
  EXPECT_TRUE(route->loopback);
  EXPECT_EQ(route->interface_index, 1u);
  route = output.route(address("::1"), std::nullopt);
  EXPECT_TRUE(route->loopback);
  EXPECT_EQ(route->source.to_string(), "::1");
  route = output.route(address("ff02::1"), std::nullopt);
  EXPECT_EQ(route->source.to_string(), "fe80::2");
  EXPECT_EQ(route->remote_kind, AddressKind::Multicast);
  route = output.route(address("fe80::1"), address("fe80::2"));
  EXPECT_EQ(route->next_hop.to_string(), "fe80::1") << "on the link of its source, whatever the default route says";
  EXPECT_TRUE(route->on_link);
  EXPECT_EQ(output.route(address("0.0.0.0"), std::nullopt).drop(), Drop::BadDestinationAddress);
  EXPECT_EQ(output.route(address("10.77.0.1"), address("127.0.0.1")).drop(), Drop::NoSourceAddress);
  EXPECT_EQ(output.route(address("fd77::1"), address("::1")).drop(), Drop::NoSourceAddress);
  EXPECT_TRUE(output.route(address("10.77.0.2"), address("127.0.0.1"))->loopback);
  routes.remove({*IpPrefix::parse("0.0.0.0/0"), address("10.77.0.254"), 2});
  EXPECT_EQ(output.route(address("192.0.2.1"), std::nullopt).drop(), Drop::NoRoute);
}

TEST_F(OutputTest, SendsWithHeaderAndFinishedChecksum) {
  for (const char* to : {"10.77.0.1", "fd77::1"}) {
    send(ready(to, 11));
    ASSERT_EQ(card.sent.size(), 1u);
    expect_valid(card.sent[0]);
    card.sent.clear();
  }
}

TEST_F(OutputTest, GroupsGetAHopLimitOfOneUnlessAskedOtherwise) {  // RFC 1112 6.1
  for (const char* to : {"224.0.0.9", "ff02::9"}) {
    send(ready(to, 5));
    Ready asked = ready(to, 5);
    asked.facts.hop_limit = 7;
    send(std::move(asked));
    const std::size_t at = address(to).is_v4() ? 8 : 7;
    EXPECT_EQ(load_u8(bytes_of(card.sent.at(0)), at), 1);
    EXPECT_EQ(load_u8(bytes_of(card.sent.at(1)), at), 7);
    card.sent.clear();
  }
}

TEST_F(OutputTest, HooksSeeTransportThenIp) {
  arm_all();
  send(ready("10.77.0.1", 11));
  ASSERT_EQ(hooks_seen(), (std::vector{Hook::TransportOut, Hook::IpOut}));
  EXPECT_EQ(recorder.seen[0].bytes.size(), 19u) << "no IP header yet";
  EXPECT_EQ(recorder.seen[0].context.ip_header_size, 0u);
  EXPECT_EQ(recorder.seen[1].bytes.size(), 39u);
  EXPECT_EQ(recorder.seen[1].context.ip_header_size, 20u);
  EXPECT_EQ(recorder.seen[1].context.path_mtu, 1500u);
}

TEST_F(OutputTest, PacketsWithTheirHeaderPassBothHooks) {
  arm_all();
  ByteVector bytes = make_ip(address("10.77.0.2"), address("10.77.0.1"), 17, make_udp(1, 2, 5));
  store_be16(bytes, 10, 0);  // as a driver may leave it
  Packet packet = packet_of(pool, bytes);
  packet.meta().origin = Origin::Injected;
  output.send_with_header(std::move(packet), at(1s));
  EXPECT_EQ(hooks_seen(), (std::vector{Hook::TransportOut, Hook::IpOut}));
  EXPECT_EQ(recorder.seen[0].bytes.size(), 13u);
  EXPECT_EQ(recorder.seen[0].context.local_port, 1);
  EXPECT_EQ(recorder.seen[0].context.endpoint.match, EndpointMatch::None);
  ASSERT_EQ(card.sent.size(), 1u);
  expect_valid(card.sent[0]);
  recorder.seen.clear();
  for (const std::uint8_t type : {wire::icmpv4::kEcho, wire::icmpv4::kUnreachable})
    output.send_with_header(
        packet_of(pool, make_ip(address("10.77.0.2"), address("10.77.0.1"), 1, make_icmp(type, 0, 0x00050006))),
        at(1s));
  EXPECT_TRUE(recorder.seen.at(0).context.has_icmp_id);
  EXPECT_EQ(recorder.seen.at(0).context.icmp_id_and_sequence, 0x00050006u);
  EXPECT_FALSE(recorder.seen.at(2).context.has_icmp_id) << "an error has no id";
  output.send_with_header(packet_of(pool, ByteVector(30)), at(1s));
  EXPECT_EQ(stats.dropped(Drop::InjectionInvalid), 1u);
}

TEST_F(OutputTest, UnreachableNeighboursAreToldToTheTransport) {
  Ready r = ready("10.77.0.1", 10, wire::kProtocolTcp);
  send(std::move(r));
  Packet waited = std::move(card.sent[0]);
  card.sent.clear();
  arm_all();
  output.on_unreachable(std::move(waited), at(4s));
  executor.run();
  ASSERT_EQ(tcp.events.size(), 1u);
  EXPECT_EQ(tcp.events[0].kind, ip::PathEvent::Kind::HostUnreachable);
  ASSERT_EQ(recorder.discards.size(), 1u);
  EXPECT_EQ(recorder.discards[0].reason, Drop::NeighborUnreachable);
  output.on_unreachable(packet_of(pool, make_ip(address("10.77.0.2"), address("10.77.0.1"), 6, ByteVector(7))),
                        at(4s));
  executor.run();
  EXPECT_EQ(tcp.events.size(), 1u) << "too little to say whose it was";
}

}  // namespace
}  // namespace stack::test
