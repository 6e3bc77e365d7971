#include "stack/ip/icmp.hpp"

#include <utility>

#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

class IcmpTest : public IpFixture {
 protected:
  ByteVector echo(const char* from, const char* to, std::uint16_t id = 7) {
    const bool v4 = address(from).is_v4();
    return make_ip(address(from), address(to), v4 ? 1 : 58,
                   make_icmp(v4 ? 8 : 128, 0, std::uint32_t{id} << 16 | 3, ByteVector(56, std::byte{'p'})));
  }
  // An error of `type` that quotes a TCP segment of ours.
  ByteVector error(bool v4, std::uint8_t type, std::uint8_t code, std::uint32_t rest, std::size_t size = 1500) {
    ByteVector segment(20);
    wire::TcpFields{.src_port = 80, .dst_port = 4000, .seq = Seq{77}}.emit(segment);
    segment.resize(size - (v4 ? 20 : 40));
    const IpAddress us = address(v4 ? "10.77.0.2" : "fd77::2"), peer = address(v4 ? "10.77.0.1" : "fd77::1");
    ByteVector quoted = make_ip(us, peer, 6, segment);
    quoted.resize(v4 ? 28 : 48);
    return make_ip(address(v4 ? "10.77.0.254" : "fd77::fe"), us, v4 ? 1 : 58, make_icmp(type, code, rest, quoted));
  }
};

// checklist: TCP-097
TEST_F(IcmpTest, AnswersEchoOfBothFamilies) {
  receive(echo("10.77.0.1", "10.77.0.2"));
  receive(echo("fd77::1", "fd77::2"));
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2 > 10.77.0.1 ICMP echo reply id 7 seq 3 len 56",
                                                   "IP6 fd77::2 > fd77::1 ICMPv6 echo reply id 7 seq 3 len 56"}));
}

// checklist: TCP-097
TEST_F(IcmpTest, TheReplyIsAValidPacketWithTheSameBytes) {
  const auto asked = echo("fd77::1", "fd77::2");
  receive(asked);
  Packet& reply = card.sent.at(0);
  std::optional<ip::ParameterProblem> problem;
  const auto header = ip::parse_ip_header(reply, problem);
  ip::fill_meta(reply.meta(), *header);
  reply.pull(header->header_size);
  reply.set_checksum({});
  EXPECT_TRUE(ip::is_transport_checksum_valid(reply));
  EXPECT_TRUE(std::ranges::equal(Bytes{bytes_of(reply)}.subspan(8), Bytes{asked}.subspan(48)));
}

TEST_F(IcmpTest, LargeEchoesComeAndGoInFragments) {
  for (const bool v4 : {true, false}) {
    const IpAddress us = address(v4 ? "10.77.0.2" : "fd77::2"), peer = address(v4 ? "10.77.0.1" : "fd77::1");
    Packet whole = packet_of(pool, make_ip(peer, us, v4 ? 1 : 58,
                                           make_icmp(v4 ? 8 : 128, 0, 0x00090001, ByteVector(5000, std::byte{'e'}))));
    std::optional<ip::ParameterProblem> problem;
    const auto header = ip::parse_ip_header(whole, problem);
    ip::cut_into_fragments(pool, whole, *header, 1500, 77, [this](Packet piece) { receive(bytes_of(piece)); });
    ASSERT_EQ(card.sent.size(), 4u);
    // The reply's fragments, as the peer would put them together.
    Packet reply;
    ip::Reassembly peer_side{pool, teller, hooks, SipKey{}, {}, [](const Packet&, Instant) {}};
    for (Packet& piece : card.sent) {
      const auto piece_header = ip::parse_ip_header(piece, problem);
      ip::fill_meta(piece.meta(), *piece_header);
      piece.pull(piece_header->header_size);
      reply = peer_side.add(std::move(piece), *piece_header, at(1s));
    }
    card.sent.clear();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply.size(), (v4 ? 20u : 40u) + 5008);
  }
}

TEST_F(IcmpTest, EchoPassesHooksInOrderWithTheDataAtTheIcmpHeader) {
  arm_all();
  hooks.set_authorizer(&authorizer);
  receive(echo("10.77.0.1", "10.77.0.2"));
  ASSERT_EQ(hooks_seen(), (std::vector{Hook::IpIn, Hook::TransportIn, Hook::TransportOut, Hook::IpOut}));
  EXPECT_TRUE(recorder.seen[1].context.needs_authorization);
  EXPECT_EQ(recorder.seen[1].bytes.size(), 64u);
  EXPECT_EQ(recorder.seen[1].context.icmp_type, 8);
  EXPECT_TRUE(recorder.seen[1].context.has_icmp_id);
  EXPECT_EQ(recorder.seen[1].context.endpoint.match, EndpointMatch::Live);
  EXPECT_TRUE(recorder.seen[1].context.endpoint.endpoint);
  EXPECT_EQ(authorizer.names(), (std::vector<std::string>{"accept", "established"}));
  EXPECT_NE(recorder.seen[2].context.endpoint.flow, 0u);
  EXPECT_EQ(recorder.seen[2].context.origin, Origin::IcmpEcho);
  recorder.seen.clear();
  receive(echo("10.77.0.1", "10.77.0.2"));
  EXPECT_FALSE(recorder.seen[1].context.needs_authorization) << "the conversation is known";
  receive(echo("10.77.0.1", "10.77.0.2", 8));
  EXPECT_EQ(authorizer.asked.size(), 4u) << "another id is another conversation";
  hooks.set_authorizer(nullptr);
}

TEST_F(IcmpTest, DeniedAndPendedEchoesAreNotAnswered) {
  hooks.set_authorizer(&authorizer);
  authorizer.accept_answer = Decision::Deny;
  receive(echo("10.77.0.1", "10.77.0.2"));
  EXPECT_TRUE(card.sent.empty());
  authorizer.accept_answer = Decision::Later;
  receive(echo("10.77.0.1", "10.77.0.2"));
  receive(echo("10.77.0.1", "10.77.0.2"));
  EXPECT_EQ(stats.dropped(Drop::PendRetransmission), 1u);
  authorizer.accept_answer = Decision::Allow;
  Packet back = packet_of(pool, echo("10.77.0.1", "10.77.0.2"));
  back.meta().interface_index = 2;
  back.meta().origin = Origin::Injected;
  input.receive(std::move(back), at(2s));
  EXPECT_TRUE(authorizer.asked[authorizer.asked.size() - 2].operation.injected);
  EXPECT_EQ(take_sent().size(), 1u);
  EXPECT_EQ(icmp.flows().pended(), 0u);
  icmp.flows().expire(at(10min));
  EXPECT_EQ(authorizer.ended.size(), 1u) << "idle conversations end, once";
  hooks.set_authorizer(nullptr);
}

// checklist: TCP-098
TEST_F(IcmpTest, BroadcastEchoBadChecksumsAndStrayRepliesAreDropped) {
  receive(make_ip(address("10.77.0.1"), address("10.77.0.255"), 1, make_icmp(8, 0, 1)));
  receive(make_ip(address("10.77.0.1"), address("10.77.0.2"), 1, make_icmp(0, 0, 1)));
  EXPECT_EQ(stats.dropped(Drop::NoEndpoint), 2u);
  auto bad = echo("10.77.0.1", "10.77.0.2");
  store_u8(bad, 60, 1);
  receive(bad);
  EXPECT_EQ(stats.dropped(Drop::BadChecksum), 1u);
  receive(make_ip(address("10.77.0.1"), address("10.77.0.2"), 1, ByteVector(7)));
  EXPECT_EQ(stats.dropped(Drop::TruncatedHeader), 1u);
  EXPECT_TRUE(card.sent.empty());
}

// checklist: TCP-278
TEST_F(IcmpTest, ErrorsReachTheTransportByTheInnerTuple) {
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kPort, 0));
  receive(error(false, wire::icmpv6::kUnreachable, wire::icmpv6::kAdminProhibited, 0));
  ASSERT_EQ(tcp.events.size(), 2u);
  EXPECT_EQ(tcp.events[0].kind, ip::PathEvent::Kind::PortUnreachable);
  EXPECT_TRUE(tcp.events[0].is_hard);
  EXPECT_EQ(tcp.events[0].local.to_string(), "10.77.0.2");
  EXPECT_EQ(tcp.events[0].remote.to_string(), "10.77.0.1");
  EXPECT_EQ(load_be16(tcp.quoted[0], 2), 4000);
  EXPECT_EQ(tcp.events[1].kind, ip::PathEvent::Kind::AdminProhibited);
}

TEST_F(IcmpTest, ErrorsPassTheIcmpErrorHookAtTheInnerHeader) {
  arm_all();
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kHost, 0));
  EXPECT_EQ(hooks_seen(), (std::vector{Hook::IpIn, Hook::TransportIn, Hook::IcmpErrorIn}));
  EXPECT_EQ(recorder.seen[2].bytes.size(), 28u);
  EXPECT_EQ(load_u8(recorder.seen[2].bytes, 0), 0x45);
}

// checklist: TCP-265
TEST_F(IcmpTest, TooBigLowersThePathMtuWithinReason) {
  const auto before = output.route_generation();
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kFragmentationNeeded, 1400));
  ASSERT_EQ(tcp.events.size(), 1u);
  EXPECT_EQ(tcp.events[0].mtu, 1400u);
  EXPECT_EQ(output.route(address("10.77.0.1"), std::nullopt)->mtu, 1400u);
  EXPECT_NE(output.route_generation(), before);
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kFragmentationNeeded, 68));
  EXPECT_EQ(output.route(address("10.77.0.1"), std::nullopt)->mtu, ip::PathMtuCache::kMinV4);
  receive(error(false, wire::icmpv6::kPacketTooBig, 0, 1400));
  EXPECT_EQ(output.route(address("fd77::1"), std::nullopt)->mtu, 1400u);
  receive(error(false, wire::icmpv6::kPacketTooBig, 0, 1279));
  EXPECT_EQ(stats.dropped(Drop::IcmpInvalid), 1u) << "RFC 8201 4: to be discarded";
  receive(error(false, wire::icmpv6::kPacketTooBig, 0, 9000));
  EXPECT_EQ(stats.dropped(Drop::IcmpInvalid), 2u) << "larger than what was sent";
  EXPECT_EQ(output.route(address("fd77::1"), std::nullopt)->mtu, 1400u);
}

TEST_F(IcmpTest, TcpPacketsOnAPathBelowTheFloorMayBeFragmented) {
  const auto sends_df = [this] {
    ByteVector segment(20);
    wire::TcpFields{.src_port = 80, .dst_port = 4000}.emit(segment);
    Packet packet = packet_of(pool, segment);
    packet.meta().protocol = 6;
    packet.meta().source = address("10.77.0.2");
    packet.meta().destination = address("10.77.0.1");
    EXPECT_TRUE(ip::set_partial_checksum(packet));
    ip::SendFacts facts;
    facts.source = address("10.77.0.2");
    facts.destination = address("10.77.0.1");
    facts.protocol = 6;
    output.send(std::move(packet), facts, *output.route(facts.destination, std::nullopt), at(1s));
    const auto bytes = bytes_of(card.sent.at(0));
    card.sent.clear();
    return wire::Ipv4View::parse(bytes)->dont_fragment();
  };
  EXPECT_TRUE(sends_df());
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kFragmentationNeeded, 576));
  EXPECT_TRUE(sends_df());
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kFragmentationNeeded, 296, 576));
  EXPECT_FALSE(sends_df());
}

// RFC 1122 3.2.2.6: the way and the times of a ping go on with the one who answers.
TEST_F(IcmpTest, EchoesReturnRecordRouteAndTimestamp) {
  const auto ask = [this](std::initializer_list<int> options) {
    ByteVector request(20 + options.size());
    const auto plain = make_ip(address("10.77.0.1"), address("10.77.0.2"), 1, make_icmp(8, 0, 1));
    ByteVector option_bytes;
    for (const int value : options) option_bytes.push_back(static_cast<std::byte>(value));
    wire::Ipv4Fields{.payload_size = 8,
                     .protocol = 1,
                     .source = address("10.77.0.1"),
                     .destination = address("10.77.0.2"),
                     .options = option_bytes}
        .emit(request);
    request.insert(request.end(), plain.begin() + 20, plain.end());
    receive(request);
    EXPECT_EQ(card.sent.size(), 1u);
    if (card.sent.empty()) return ByteVector{};
    const auto reply = bytes_of(card.sent[0]);
    card.sent.clear();
    const auto ip = wire::Ipv4View::parse(reply);
    EXPECT_TRUE(ip && ip->is_checksum_valid() && ip->payload_size() == 8);
    return ByteVector(ip->option_bytes().begin(), ip->option_bytes().end());
  };
  const auto bytes = [](std::initializer_list<int> values) {
    ByteVector all;
    for (const int value : values) all.push_back(static_cast<std::byte>(value));
    return all;
  };
  EXPECT_EQ(ask({7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}), bytes({7, 11, 8, 10, 77, 0, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(ask({7, 7, 8, 1, 2, 3, 4, 0}), bytes({7, 7, 8, 1, 2, 3, 4, 0})) << "full";
  const auto times = ask({1, 1, 68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  ASSERT_EQ(times.size(), 12u);  // without the padding in front
  EXPECT_EQ(load_u8(times, 2), 9) << "the pointer";
  EXPECT_NE(load_be32(times, 4) & 0x8000'0000U, 0u) << "not the time of day";
  const auto with_address = ask({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(load_u8(with_address, 2), 13);
  EXPECT_EQ(load_be32(with_address, 4), 0x0a4d'0002u);
  EXPECT_EQ(load_u8(ask({68, 12, 5, 3, 10, 77, 0, 2, 0, 0, 0, 0}), 2), 13) << "asked for by name";
  EXPECT_EQ(load_u8(ask({68, 12, 5, 3, 10, 77, 0, 9, 0, 0, 0, 0}), 2), 5) << "somebody else's turn";
  EXPECT_EQ(load_u8(ask({68, 8, 9, 0x20, 1, 2, 3, 4}), 3), 0x30) << "overflow is counted";
  EXPECT_EQ(load_u8(ask({68, 8, 9, 0xf0, 1, 2, 3, 4}), 3), 0xf0) << "as far as four bits go";
  EXPECT_TRUE(ask({148, 4, 0, 0}).empty()) << "router alert is not the answer's business";
}

TEST_F(IcmpTest, ErrorsThatNoTransportBelievesChangeNothing) {  // RFC 5927: anybody can make one up
  tcp.believes = false;
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kFragmentationNeeded, 1400));
  receive(error(false, wire::icmpv6::kPacketTooBig, 0, 1300));
  receive(error(true, wire::icmpv4::kUnreachable, wire::icmpv4::kPort, 0));
  EXPECT_TRUE(tcp.events.empty());
  EXPECT_EQ(path_mtus.size(), 0u);
  EXPECT_EQ(stats.dropped(Drop::IcmpInvalid), 3u);
}

TEST_F(IcmpTest, TooBigIsBelievedAboutEchoRepliesAndNoOtherIcmp) {
  const auto too_big = [this](std::uint8_t type) {
    auto quoted = make_ip(address("fd77::2"), address("fd77::1"), 58, make_icmp(type, 0, 1, ByteVector(1400)));
    quoted.resize(48);
    receive(make_ip(address("fd77::fe"), address("fd77::2"), 58, make_icmp(2, 0, 1300, quoted)));
  };
  too_big(wire::icmpv6::kEcho);
  too_big(wire::icmpv6::kNeighborAdvert);
  EXPECT_EQ(path_mtus.size(), 0u);
  too_big(wire::icmpv6::kEchoReply);
  EXPECT_EQ(output.route(address("fd77::1"), std::nullopt)->mtu, 1300u);
}

// checklist: TCP-278
TEST_F(IcmpTest, ErrorsAboutOthersPacketsAreIgnored) {
  auto quoted = make_ip(address("192.0.2.9"), address("10.77.0.1"), 6, ByteVector(20));
  receive(make_ip(address("10.77.0.254"), address("10.77.0.2"), 1, make_icmp(3, 1, 0, quoted)));
  receive(make_ip(address("10.77.0.254"), address("10.77.0.2"), 1, make_icmp(3, 1, 0, ByteVector(10))));
  receive(make_ip(address("10.77.0.254"), address("10.77.0.2"), 1, make_icmp(3, 1, 0)));
  EXPECT_EQ(stats.dropped(Drop::IcmpInvalid), 3u);
  quoted = make_ip(address("10.77.0.2"), address("10.77.0.1"), 6, ByteVector(20));
  store_be16(quoted, 6, 1);  // a later fragment: what follows is no TCP header
  receive(make_ip(address("10.77.0.254"), address("10.77.0.2"), 1, make_icmp(3, 1, 0, quoted)));
  store_be16(quoted, 6, 0);
  quoted.resize(20 + 7);
  receive(make_ip(address("10.77.0.254"), address("10.77.0.2"), 1, make_icmp(3, 1, 0, quoted)));
  EXPECT_EQ(stats.dropped(Drop::IcmpInvalid), 5u);
  ByteVector fragment(8 + 20);
  wire::Ipv6FragmentFields{.next_header = 6, .offset = 8, .more = true, .id = 1}.emit(fragment);
  quoted = make_ip(address("fd77::2"), address("fd77::1"), 44, fragment);
  receive(make_ip(address("fd77::fe"), address("fd77::2"), 58, make_icmp(1, 0, 0, quoted)));
  EXPECT_EQ(stats.dropped(Drop::IcmpInvalid), 6u);
  EXPECT_TRUE(tcp.events.empty());
}

TEST_F(IcmpTest, NeighbourDiscoveryIsHandedOn) {
  ByteVector message(24);
  message[0] = std::byte{135};
  receive(make_ip(address("fe80::1"), address("ff02::1:ff00:2"), 58, message, 255));
  ASSERT_EQ(ndp.size(), 1u);
  EXPECT_EQ(ndp[0].size(), 24u);
}

// checklist: TCP-256
// RFC 6980 5: silently ignored, were it a fragment that is the whole (RFC 6946). Other headers are no fault.
TEST_F(IcmpTest, NeighbourDiscoveryInFragmentsIsIgnored) {
  const auto behind = [](std::uint8_t next_header, const ByteVector& header) {
    ByteVector message(1'000);
    message[0] = std::byte{136};
    auto bytes = make_ip(address("fe80::1"), address("ff02::1"), 58, message, 255);
    bytes.insert(bytes.begin() + 40, header.begin(), header.end());
    store_be16(bytes, 4, static_cast<std::uint16_t>(bytes.size() - 40));
    store_u8(bytes, 6, next_header);
    return bytes;
  };
  ByteVector options(8), atomic(8);
  options[0] = atomic[0] = std::byte{58};
  options[2] = std::byte{1};  // PadN
  options[3] = std::byte{4};
  receive(behind(60, options));
  EXPECT_EQ(ndp.size(), 1u);
  receive(behind(44, atomic));
  ByteVector message(1'000);
  message[0] = std::byte{135};
  Packet whole = packet_of(pool, make_ip(address("fe80::1"), address("ff02::1"), 58, message, 255));
  std::optional<ip::ParameterProblem> problem;
  const auto header = ip::parse_ip_header(whole, problem);
  ip::cut_into_fragments(pool, whole, *header, 600, 77, [this](Packet piece) { receive(bytes_of(piece)); });
  EXPECT_EQ(ndp.size(), 1u);
  EXPECT_EQ(stats.dropped(Drop::NeighborInvalid), 2u);
}

// --- errors that we send ---

// checklist: TCP-095
TEST_F(IcmpTest, ErrorsAreNeverSentAboutErrorsGroupsOrOddSources) {
  bool by_broadcast = false;
  const auto offend = [&](const ByteVector& bytes) {
    Packet packet = packet_of(pool, bytes);
    std::optional<ip::ParameterProblem> problem;
    const auto header = ip::parse_ip_header(packet, problem);
    ip::fill_meta(packet.meta(), *header);
    packet.meta().interface_index = 2;
    packet.meta().link_broadcast = by_broadcast;
    icmp_reply.send({.error = ip::IcmpError::PortUnreachable}, packet, at(1s));
    return take_sent().size() + std::exchange(loopback.sent, {}).size();
  };
  EXPECT_EQ(offend(make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, make_udp(1, 2, 1))), 1u);
  by_broadcast = true;
  EXPECT_EQ(offend(make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, make_udp(1, 2, 1))), 0u);
  by_broadcast = false;
  EXPECT_EQ(offend(make_ip(address("10.77.0.1"), address("10.77.0.2"), 1, make_icmp(3, 3, 0))), 0u);
  EXPECT_EQ(offend(make_ip(address("fd77::1"), address("fd77::2"), 58, make_icmp(1, 4, 0))), 0u);
  EXPECT_EQ(offend(make_ip(address("10.77.0.1"), address("10.77.0.255"), 17, make_udp(1, 2, 1))), 0u);
  EXPECT_EQ(offend(make_ip(address("fd77::1"), address("ff02::1"), 17, make_udp(1, 2, 1))), 0u);
  EXPECT_EQ(offend(make_ip(address("0.0.0.0"), address("10.77.0.2"), 17, make_udp(1, 2, 1))), 0u);
  EXPECT_EQ(offend(make_ip(address("127.0.0.1"), address("10.77.0.2"), 17, make_udp(1, 2, 1))), 0u);
}

// checklist: TCP-218
TEST_F(IcmpTest, ErrorsQuoteWithinTheirLimitAndAreLimitedInRate) {
  Packet packet = packet_of(pool, make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, make_udp(1, 2, 1400)));
  std::optional<ip::ParameterProblem> problem;
  ip::fill_meta(packet.meta(), *ip::parse_ip_header(packet, problem));
  packet.meta().interface_index = 2;
  for (int i = 0; i < 60; ++i) icmp_reply.send({.error = ip::IcmpError::PortUnreachable}, packet, at(1s));
  ASSERT_EQ(card.sent.size(), 50u);
  EXPECT_EQ(card.sent[0].size(), ip::IcmpReply::kMaxV4);
  EXPECT_EQ(stats.dropped(Drop::IcmpRateLimited), 10u);
  icmp_reply.send({.error = ip::IcmpError::PortUnreachable}, packet, at(1001ms));
  EXPECT_EQ(card.sent.size(), 51u);
}

}  // namespace
}  // namespace stack::test
