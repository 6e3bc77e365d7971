#include "stack/ip/input.hpp"

#include "stack/ip/packet_context.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

class InputTest : public IpFixture {
 protected:
  ByteVector tcp_segment(std::size_t payload, std::uint8_t flags = wire::tcp_flag::kAck) {
    ByteVector bytes(20 + payload, std::byte{'d'});
    wire::TcpFields{.src_port = 1000, .dst_port = 80, .seq = Seq{1}, .flags = flags, .window = 100}.emit(bytes);
    return bytes;
  }
  ByteVector from_peer(ByteVector transport, std::uint8_t protocol = 6) {
    return make_ip(address("10.77.0.1"), address("10.77.0.2"), protocol, std::move(transport));
  }
  ByteVector from_peer6(ByteVector transport, std::uint8_t protocol = 6) {
    return make_ip(address("fd77::1"), address("fd77::2"), protocol, std::move(transport));
  }
};

// checklist: TCP-212
TEST_F(InputTest, DeliversWithDataAtTheTransportHeaderAndMetaFilled) {
  for (const auto& bytes : {from_peer(tcp_segment(5)), from_peer6(tcp_segment(5))}) {
    ByteVector padded = bytes;
    padded.resize(bytes.size() + 7);  // an Ethernet frame's padding
    receive(padded);
    ASSERT_EQ(tcp.received.size(), 1u);
    const Packet& packet = tcp.received[0];
    EXPECT_EQ(packet.size(), 25u);
    EXPECT_EQ(packet.meta().protocol, 6);
    EXPECT_EQ(packet.meta().ip_header_size, bytes.size() - 25);
    EXPECT_EQ(packet.meta().hop_limit, 64);
    tcp.received.clear();
  }
}

TEST_F(InputTest, ShowsIpInWithTheHeaderPulled) {
  arm_all();
  receive(from_peer(tcp_segment(3)));
  ASSERT_EQ(recorder.seen.size(), 1u);
  EXPECT_EQ(recorder.seen[0].context.hook, Hook::IpIn);
  EXPECT_EQ(recorder.seen[0].bytes.size(), 23u);
  EXPECT_EQ(recorder.seen[0].context.ip_header_size, 20u);
  EXPECT_EQ(recorder.seen[0].context.local.to_string(), "10.77.0.2");
  EXPECT_EQ(recorder.seen[0].context.remote.to_string(), "10.77.0.1");
  EXPECT_EQ(recorder.seen[0].context.local_interface_index, 2u);
}

TEST_F(InputTest, ShowsIpInWithPortsFlagsAndIcmpNumbersOfWhatItCarries) {
  arm_all();
  receive(from_peer(tcp_segment(3, wire::tcp_flag::kSyn)));
  ASSERT_EQ(recorder.seen.size(), 1u);
  EXPECT_EQ(recorder.seen[0].context.local_port, 80);
  EXPECT_EQ(recorder.seen[0].context.remote_port, 1000);
  EXPECT_EQ(recorder.seen[0].context.tcp_flags, wire::tcp_flag::kSyn);

  receive(
      from_peer({std::byte{wire::icmpv4::kEcho}, {}, {}, {}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}},
                wire::kProtocolIcmp));
  ASSERT_GE(recorder.seen.size(), 2u);  // the answer follows
  EXPECT_EQ(recorder.seen[1].context.icmp_type, wire::icmpv4::kEcho);
  EXPECT_EQ(recorder.seen[1].context.icmp_id_and_sequence, 0x01020304u);
}

TEST_F(InputTest, WhatTheHookKeepsGoesNoFurther) {
  arm_all();
  recorder.block = [](const PacketContext&) { return true; };
  receive(from_peer(tcp_segment(3)));
  EXPECT_TRUE(tcp.received.empty());
}

// checklist: TCP-089, TCP-090
TEST_F(InputTest, RefusesBadPackets) {
  const auto refused = [this](ByteVector bytes, Drop reason) {
    const auto before = stats.dropped(reason);
    receive(bytes);
    EXPECT_EQ(stats.dropped(reason), before + 1) << name_of(reason);
    EXPECT_TRUE(tcp.received.empty());
  };
  const ByteVector good = from_peer(tcp_segment(3));
  refused({}, Drop::TruncatedHeader);
  refused({good.begin(), good.begin() + 10}, Drop::TruncatedHeader);
  refused({good.begin(), good.end() - 1}, Drop::BadLength);
  ByteVector bad = good;
  store_u8(bad, 0, 0x55);
  refused(bad, Drop::BadVersion);
  bad = good;
  store_u8(bad, 8, 1);
  refused(bad, Drop::BadChecksum);
  refused(make_ip(address("224.0.0.1"), address("10.77.0.2"), 6, tcp_segment(0)), Drop::BadSourceAddress);
  refused(make_ip(address("10.77.0.255"), address("10.77.0.2"), 6, tcp_segment(0)), Drop::BadSourceAddress);
  refused(make_ip(address("127.0.0.1"), address("10.77.0.2"), 6, tcp_segment(0)), Drop::BadSourceAddress);
  refused(make_ip(address("10.77.0.1"), address("127.0.0.1"), 6, tcp_segment(0)), Drop::BadSourceAddress);
  refused(make_ip(address("10.77.0.2"), address("10.77.0.2"), 6, tcp_segment(0)), Drop::BadSourceAddress);
  refused(make_ip(address("::"), address("fd77::2"), 6, tcp_segment(0)), Drop::BadSourceAddress);
  refused(make_ip(address("10.77.0.1"), address("10.77.0.3"), 6, tcp_segment(0)), Drop::NotForUs);
  refused(make_ip(address("fd77::1"), address("ff02::99"), 6, tcp_segment(0)), Drop::NotForUs);
}

TEST_F(InputTest, PacketsForOthersAreShownToDiscard) {
  arm_all();
  receive(make_ip(address("10.77.0.1"), address("10.99.0.3"), 6, tcp_segment(0)));
  ASSERT_EQ(recorder.discards.size(), 1u);
  EXPECT_EQ(recorder.discards[0].reason, Drop::NotForUs);
  EXPECT_EQ(recorder.discards[0].context.hook, Hook::IpIn);
  EXPECT_EQ(recorder.discards[0].context.remote_port, 1000);
  EXPECT_TRUE(recorder.seen.empty());
}

// checklist: TCP-096
TEST_F(InputTest, UnknownProtocolsAreAnswered) {
  receive(from_peer(ByteVector(10), 200));
  receive(from_peer6(ByteVector(10), 200));
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2 > 10.77.0.1 ICMP protocol unreachable",
                                                   "IP6 fd77::2 > fd77::1 ICMPv6 type 4 code 1"}));
  arm_all();
  recorder.silence = true;
  receive(from_peer(ByteVector(10), 200));
  EXPECT_TRUE(take_sent().empty()) << "a veto at discard silences the error";
}

TEST_F(InputTest, ParameterProblemsPointAtTheOctet) {
  ByteVector options(8);
  store_u8(options, 0, 6);     // next header
  store_u8(options, 2, 0xde);  // unknown: report it unless sent to a group
  store_u8(options, 3, 4);
  const auto segment = tcp_segment(0);
  options.insert(options.end(), segment.begin(), segment.end());
  receive(from_peer6(options, 60));
  ASSERT_EQ(card.sent.size(), 1u);
  const ByteVector error = bytes_of(card.sent[0]);
  EXPECT_EQ(load_u8(error, 40), wire::icmpv6::kParameterProblem);
  EXPECT_EQ(load_u8(error, 41), 2);
  EXPECT_EQ(load_be32(error, 44), 42u);
}

TEST_F(InputTest, IcmpOfTheOtherFamilyIsNobodys) {
  receive(from_peer(make_icmp(wire::icmpv6::kEcho, 0, 1), 58));
  receive(from_peer6(make_icmp(wire::icmpv4::kEcho, 0, 1), 1));
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2 > 10.77.0.1 ICMP protocol unreachable",
                                                   "IP6 fd77::2 > fd77::1 ICMPv6 type 4 code 1"}));
  receive(make_ip(address("0.0.0.0"), address("10.77.0.2"), 58, ByteVector(8)));
  EXPECT_EQ(stats.dropped(Drop::BadSourceAddress), 1u) << "no duplicate detection over IPv4";
}

TEST_F(InputTest, NoNextHeaderIsNoFault) {  // RFC 8200 4.7
  receive(from_peer6(ByteVector(10), 59));
  EXPECT_EQ(stats.dropped(Drop::UnknownProtocol), 1u);
  EXPECT_TRUE(take_sent().empty());
  receive(from_peer(ByteVector(10), 59));
  EXPECT_EQ(take_sent().size(), 1u) << "IPv4 knows no such thing";
}

// RFC 1122 3.2.2, RFC 4443 2.4 (e), also where the packet is refused before anybody knows what it carries.
// checklist: TCP-095
TEST_F(InputTest, RefusedErrorsAndLaterFragmentsAreNotAnswered) {
  const auto with_option = [this](std::uint8_t protocol, std::uint16_t fragment_bits, ByteVector payload) {
    const ByteVector bad{std::byte{7}, std::byte{9}, std::byte{4}, std::byte{0}};  // longer than its place
    ByteVector bytes(24);
    wire::Ipv4Fields{.payload_size = payload.size(),
                     .protocol = protocol,
                     .source = address("10.77.0.1"),
                     .destination = address("10.77.0.2"),
                     .options = bad}
        .emit(bytes);
    store_be16(bytes, 6, fragment_bits);
    store_be16(bytes, 10, 0);
    store_be16(bytes, 10, wire::checksum_of(bytes));
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    receive(bytes);
    return take_sent().size();
  };
  EXPECT_EQ(with_option(17, 0, make_udp(1, 2, 8)), 1u);
  EXPECT_EQ(with_option(17, 0x2000, make_udp(1, 2, 8)), 1u) << "a first fragment";
  EXPECT_EQ(with_option(17, 0x0001, make_udp(1, 2, 8)), 0u) << "a later one";
  EXPECT_EQ(with_option(1, 0, make_icmp(wire::icmpv4::kEcho, 0, 0)), 1u);
  EXPECT_EQ(with_option(1, 0, make_icmp(wire::icmpv4::kUnreachable, 0, 0)), 0u);
  EXPECT_EQ(with_option(1, 0, {}), 0u) << "it may have been one";
  const auto with_destination_option = [this](std::uint8_t type) {
    ByteVector bytes{std::byte{58}, std::byte{0}, std::byte{0x80}, std::byte{4}};
    bytes.resize(8);
    const auto message = make_icmp(type, 0, 0);
    bytes.insert(bytes.end(), message.begin(), message.end());
    receive(from_peer6(bytes, 60));
    return take_sent().size();
  };
  EXPECT_EQ(with_destination_option(wire::icmpv6::kEcho), 1u);
  EXPECT_EQ(with_destination_option(wire::icmpv6::kUnreachable), 0u);
}

TEST_F(InputTest, SourceRoutesAreRefused) {
  auto bytes = from_peer(tcp_segment(0));
  const ByteVector route{std::byte{131}, std::byte{7}, std::byte{4}, std::byte{1},
                         std::byte{2},   std::byte{3}, std::byte{4}, std::byte{0}};
  ByteVector with(28);
  wire::Ipv4Fields{.payload_size = 20,
                   .protocol = 6,
                   .source = address("10.77.0.1"),
                   .destination = address("10.77.0.2"),
                   .options = route}
      .emit(with);
  with.insert(with.end(), bytes.begin() + 20, bytes.end());
  receive(with);
  EXPECT_EQ(stats.dropped(Drop::SourceRouted), 1u);
}

TEST_F(InputTest, SuperFramesAreCutOnlyWhenHooksAsk) {
  const auto send_coalesced = [this] {
    Packet packet = packet_of(pool, from_peer(tcp_segment(250, wire::tcp_flag::kAck | wire::tcp_flag::kPsh)));
    packet.meta().interface_index = 2;
    packet.set_coalesced({.segment_count = 3, .segment_size = 100});
    packet.set_checksum({.ip_verified = true, .transport_verified = true});
    input.receive(std::move(packet), at(1s));
  };
  send_coalesced();
  ASSERT_EQ(tcp.received.size(), 1u);
  EXPECT_EQ(tcp.received[0].size(), 270u);
  tcp.received.clear();
  arm_all();
  hooks.refuse_offload(Direction::Inbound, Family::V4, true);
  send_coalesced();
  ASSERT_EQ(tcp.received.size(), 3u);
  EXPECT_EQ(recorder.seen.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto view = wire::TcpView::parse(tcp.received[i].head(20));
    EXPECT_EQ(view->seq(), Seq{static_cast<std::uint32_t>(1 + 100 * i)});
    EXPECT_EQ(view->psh(), i == 2);
    EXPECT_TRUE(tcp.received[i].checksum().transport_verified);
  }
  EXPECT_EQ(tcp.received[2].size(), 70u);
}

TEST_F(InputTest, AFragmentIsNoSuperFrame) {
  hooks.refuse_offload(Direction::Inbound, Family::V4, true);
  ByteVector bytes = from_peer(tcp_segment(228));
  store_be16(bytes, 6, 0x2000);
  store_be16(bytes, 10, 0);
  store_be16(bytes, 10, wire::checksum_of(Bytes{bytes}.first(20)));
  Packet packet = packet_of(pool, bytes);
  packet.meta().interface_index = 2;
  packet.set_coalesced({.segment_count = 3, .segment_size = 100});
  input.receive(std::move(packet), at(1s));
  EXPECT_EQ(input.reassembly().fragments(), 1u);
  EXPECT_EQ(input.reassembly().bytes(), 248u);
}

TEST_F(InputTest, TheLocalInterfaceIsTheOneThatHasTheAddress) {
  PacketMeta meta;
  meta.destination = address("10.77.0.2");
  meta.interface_index = 1;
  EXPECT_EQ(ip::make_inbound_context(Hook::IpIn, meta, addresses).local_interface_index, 2u);
  meta.destination = address("224.0.0.1");
  EXPECT_EQ(ip::make_inbound_context(Hook::IpIn, meta, addresses).local_interface_index, 1u) << "nobody's alone";
}

TEST_F(InputTest, RandomBytesNeverHurt) {
  SeededRandom bytes{5};
  arm_all();
  for (int i = 0; i < 30'000; ++i) {
    ByteVector packet = i % 2 == 0 ? from_peer(tcp_segment(40)) : from_peer6(tcp_segment(40), i % 4 == 1 ? 44 : 60);
    for (int flips = 0; flips < 6; ++flips)
      packet[bytes.below(static_cast<std::uint32_t>(packet.size()))] = static_cast<std::byte>(bytes.below(256));
    if ((packet[0] >> 4) == std::byte{4}) {  // let it pass the checksum
      store_be16(packet, 10, 0);
      store_be16(packet, 10, wire::checksum_of(Bytes{packet}.first(20)));
    }
    receive(packet, at(Duration{1ms} * i));
    input.expire(at(Duration{1ms} * i));
    tcp.received.clear();
    card.sent.clear();
    recorder.seen.clear();
    recorder.discards.clear();
  }
}

}  // namespace
}  // namespace stack::test
