#include "stack/ip/output.hpp"

#include "stack/wire/icmpv4.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

class OutputTest : public IpFixture {
 protected:
  // A UDP or TCP packet with `payload` bytes, ready for Output::send.
  struct Ready {
    Packet packet;
    ip::SendFacts facts;
    ip::Route route;
  };
  Ready ready(const char* to, std::size_t payload, std::uint8_t protocol = wire::kProtocolUdp) {
    Ready r;
    const auto route = output.route(address(to), std::nullopt);
    EXPECT_TRUE(route);
    r.route = *route;
    r.facts.source = r.route.source;
    r.facts.destination = address(to);
    r.facts.protocol = protocol;
    r.facts.dont_fragment = protocol == wire::kProtocolTcp;
    ByteVector bytes = make_udp(5000, 6000, payload);
    if (protocol == wire::kProtocolTcp) {
      bytes.assign(20 + payload, std::byte{'t'});
      wire::TcpFields{
          .src_port = 5000,
          .dst_port = 6000,
          .seq = Seq{100},
          .flags = wire::tcp_flag::kAck | wire::tcp_flag::kPsh | wire::tcp_flag::kFin | wire::tcp_flag::kCwr}
          .emit(bytes);
      r.facts.transport_header_size = 20;
    }
    r.packet = packet_of(pool, bytes);
    r.packet.meta().protocol = protocol;
    r.packet.meta().source = r.facts.source;
    r.packet.meta().destination = r.facts.destination;
    EXPECT_TRUE(ip::set_partial_checksum(r.packet));
    return r;
  }
  void send(Ready r) { output.send(std::move(r.packet), r.facts, r.route, at(1s)); }
  // The packet as a receiver sees it: IP and transport checksums right.
  void expect_valid(Packet& packet) {
    std::optional<ip::ParameterProblem> problem;
    const auto header = ip::parse_ip_header(packet, problem);
    ASSERT_TRUE(header) << name_of(header.drop());
    EXPECT_EQ(header->total_size, packet.size());
    if (header->fragment) return;
    ip::fill_meta(packet.meta(), *header);
    packet.pull(header->header_size);
    packet.set_checksum({});
    EXPECT_TRUE(ip::is_transport_checksum_valid(packet))
        << wire::format_transport(header->protocol, bytes_of(packet));
    packet.restore(header->header_size);
  }
};

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
  EXPECT_EQ(output.route(address("0.0.0.0"), std::nullopt).drop(), Drop::BadDestinationAddress);
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

TEST_F(OutputTest, LeavesTheChecksumToALinkThatMakesIt) {
  card.offload.checksum = true;
  send(ready("10.77.0.1", 11));
  EXPECT_TRUE(card.sent[0].checksum().transport_partial);
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

TEST_F(OutputTest, FragmentsAfterTheIpHook) {
  for (const char* to : {"10.77.0.1", "fd77::1"}) {
    arm_all();
    recorder.seen.clear();
    send(ready(to, 4000));
    EXPECT_EQ(recorder.seen.size(), 2u);
    ASSERT_EQ(card.sent.size(), 3u);
    std::size_t payload = 0;
    for (Packet& packet : card.sent) {
      EXPECT_LE(packet.size(), 1500u);
      expect_valid(packet);
      std::optional<ip::ParameterProblem> problem;
      const auto header = ip::parse_ip_header(packet, problem);
      ASSERT_TRUE(header->fragment);
      EXPECT_EQ(header->fragment->offset, payload);
      payload += header->total_size - header->header_size;
      EXPECT_EQ(header->fragment->more, payload < 4008);
    }
    EXPECT_EQ(payload, 4008u);
    card.sent.clear();
  }
}

TEST_F(OutputTest, TooBigForDontFragmentTellsTheTransport) {
  Ready r = ready("10.77.0.1", 2000, wire::kProtocolTcp);
  send(std::move(r));
  EXPECT_TRUE(card.sent.empty());
  EXPECT_EQ(stats.dropped(Drop::PacketTooBig), 1u);
  EXPECT_TRUE(tcp.events.empty()) << "not while the transport is sending";
  executor.run();
  ASSERT_EQ(tcp.events.size(), 1u);
  EXPECT_EQ(tcp.events[0].kind, ip::PathEvent::Kind::PacketTooBig);
  EXPECT_EQ(tcp.events[0].mtu, 1500u);
  EXPECT_EQ(load_be16(tcp.quoted[0], 0), 5000);
}

TEST_F(OutputTest, SegmentsLargeSendsInSoftware) {
  for (const char* to : {"10.77.0.1", "fd77::1"}) {
    Ready r = ready(to, 3500, wire::kProtocolTcp);
    r.packet.set_large_send({.segment_size = 1400});
    send(std::move(r));
    ASSERT_EQ(card.sent.size(), 3u);
    std::uint32_t seq = 100;
    for (std::size_t i = 0; i < 3; ++i) {
      Packet& packet = card.sent[i];
      expect_valid(packet);
      const ByteVector bytes = bytes_of(packet);
      const std::size_t header = address(to).is_v4() ? 20 : 40;
      const auto view = wire::TcpView::parse(Bytes{bytes}.subspan(header));
      EXPECT_EQ(view->seq(), Seq{seq});
      EXPECT_EQ(view->fin(), i == 2);
      EXPECT_EQ(view->psh(), i == 2);
      EXPECT_EQ(view->cwr(), i == 0);
      if (header == 20) {
        EXPECT_EQ(load_be16(bytes, 4), i);
      }
      seq += static_cast<std::uint32_t>(bytes.size() - header - 20);
    }
    EXPECT_EQ(seq, 3600u);
    card.sent.clear();
  }
}

TEST_F(OutputTest, LargeSendsStayWholeWhereTheLinkCutsThem) {
  card.offload = {.checksum = true, .tso4 = true, .tso6 = false};
  Ready r = ready("10.77.0.1", 3500, wire::kProtocolTcp);
  r.packet.set_large_send({.segment_size = 1400});
  send(std::move(r));
  ASSERT_EQ(card.sent.size(), 1u);
  EXPECT_EQ(card.sent[0].large_send().segment_size, 1400u);
  Ready six = ready("fd77::1", 3500, wire::kProtocolTcp);
  six.packet.set_large_send({.segment_size = 1400});
  send(std::move(six));
  EXPECT_EQ(card.sent.size(), 4u);
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
}

TEST_F(OutputTest, FragmentIdentificationsCannotBeCounted) {
  send(ready("10.77.0.1", 10));
  send(ready("10.77.0.1", 10));
  const int first = load_be16(bytes_of(card.sent[0]), 4), second = load_be16(bytes_of(card.sent[1]), 4);
  EXPECT_NE(first, second);
  EXPECT_NE(first + 1, second);
}

}  // namespace
}  // namespace stack::test
