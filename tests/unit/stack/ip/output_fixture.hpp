// What the tests of the send path share: packets that are ready to go, and what a receiver would say of them.
#pragma once

#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {

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
  // As a driver injects it: with its IP header and a finished checksum; over IPv4 not to be fragmented.
  Packet with_header(const char* to, std::size_t payload, std::uint8_t protocol = wire::kProtocolTcp) {
    const Ready r = ready(to, payload, protocol);
    ByteVector bytes = make_ip(r.facts.source, r.facts.destination, protocol, bytes_of(r.packet));
    if (r.facts.source.is_v4() && protocol == wire::kProtocolTcp) {
      store_be16(bytes, 6, 0x4000);
      store_be16(bytes, 10, 0);
      store_be16(bytes, 10, wire::checksum_of(Bytes{bytes}.first(20)));
    }
    Packet packet = packet_of(pool, bytes);
    packet.meta().origin = Origin::Injected;
    return packet;
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
  // TCP segments that went out: valid, none larger than `mtu`, in order from sequence number 100, not fragments, and
  // over IPv4 not to be fragmented. Returns their payload bytes.
  std::size_t expect_segments(std::uint32_t mtu) {
    std::size_t payload = 0;
    for (Packet& packet : card.sent) {
      EXPECT_LE(packet.size(), mtu);
      EXPECT_EQ(packet.large_send().segment_size, 0u);
      expect_valid(packet);
      const ByteVector bytes = bytes_of(packet);
      const bool v4 = load_u8(bytes, 0) >> 4 == 4;
      EXPECT_EQ(load_u8(bytes, v4 ? 9 : 6), 6) << "the TCP header follows the IP header";
      if (v4) {
        EXPECT_EQ(load_be16(bytes, 6), 0x4000);
      }
      const auto view = wire::TcpView::parse(Bytes{bytes}.subspan(v4 ? 20 : 40));
      EXPECT_EQ(view->seq(), Seq{100} + static_cast<std::uint32_t>(payload));
      payload += bytes.size() - (v4 ? 40 : 60);
    }
    card.sent.clear();
    return payload;
  }
  // What stands in the checksum field of the only packet that went out: the pseudo header's sum, for the link.
  void expect_left_to_the_link() {
    ASSERT_EQ(card.sent.size(), 1u);
    Packet& packet = card.sent[0];
    EXPECT_TRUE(packet.checksum().transport_partial);
    const PacketMeta& meta = packet.meta();
    const std::size_t at = meta.ip_header_size + ip::checksum_offset(meta.protocol);
    EXPECT_EQ(load_be16(bytes_of(packet), at), ip::partial_checksum(meta, packet.size() - meta.ip_header_size));
  }
};

}  // namespace stack::test
