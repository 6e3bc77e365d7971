// Below the IP-out hook: checksums, segments, fragments, for endpoints' packets and for injected ones.
#include <array>
#include <utility>

#include "stack/link/loopback.hpp"
#include "tests/unit/stack/ip/output_fixture.hpp"

namespace stack::test {
namespace {

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

TEST_F(OutputTest, LeavesTheChecksumToALinkThatMakesIt) {
  card.offload.checksum = true;
  send(ready("10.77.0.1", 11));
  EXPECT_TRUE(card.sent[0].checksum().transport_partial);
}

TEST_F(OutputTest, FragmentIdentificationsCannotBeCounted) {
  send(ready("10.77.0.1", 10));
  send(ready("10.77.0.1", 10));
  const int first = load_be16(bytes_of(card.sent[0]), 4), second = load_be16(bytes_of(card.sent[1]), 4);
  EXPECT_NE(first, second);
  EXPECT_NE(first + 1, second);
}

// --- packets that bring their IP header: what a driver injects, whose endpoint may be gone ---

const std::array kPeers{"10.77.0.1", "fd77::1"};

TEST_F(OutputTest, AnInjectedLargeSendIsCutInSoftware) {
  for (const char* to : kPeers) {
    Packet packet = with_header(to, 3500);
    packet.set_large_send({.segment_size = 1400});
    output.send_with_header(std::move(packet), at(1s));
    EXPECT_EQ(card.sent.size(), 3u);
    EXPECT_EQ(expect_segments(1500), 3500u);
  }
  EXPECT_EQ(stats.dropped(), 0u);
}

TEST_F(OutputTest, AnInjectedLargeSendIsCutByALinkThatCan) {
  card.offload = {.checksum = true, .tso4 = true, .tso6 = true};
  for (const char* to : kPeers) {
    Packet packet = with_header(to, 3500);  // with a finished checksum, as FwpsConstructIpHeader leaves it
    packet.set_large_send({.segment_size = 1400});
    output.send_with_header(std::move(packet), at(1s));
    expect_left_to_the_link();
    EXPECT_EQ(card.sent.at(0).large_send().segment_size, 1400u);
    EXPECT_EQ(card.sent.at(0).meta().transport_header_size, 20u);
    card.sent.clear();
  }
}

TEST_F(OutputTest, ALargeSendFollowsAPathThatBecameNarrower) {
  path_mtus.on_too_big(address("10.77.0.1"), 1000, 1500, at(0s));
  path_mtus.on_too_big(address("fd77::1"), 1300, 1500, at(0s));
  for (const char* to : kPeers) {
    const std::uint32_t mtu = address(to).is_v4() ? 1000 : 1300;
    card.offload = {};
    Packet packet = with_header(to, 3500);
    packet.set_large_send({.segment_size = 1400});
    output.send_with_header(std::move(packet), at(1s));
    EXPECT_EQ(expect_segments(mtu), 3500u);
    card.offload = {.checksum = true, .tso4 = true, .tso6 = true};
    Ready r = ready(to, 3500, wire::kProtocolTcp);
    r.packet.set_large_send({.segment_size = 1400});
    send(std::move(r));
    expect_left_to_the_link();
    EXPECT_EQ(card.sent.at(0).large_send().segment_size, mtu - (address(to).is_v4() ? 40 : 60));
    card.sent.clear();
  }
}

TEST_F(OutputTest, LargerThanTheLinkTakesIsCutHere) {
  card.offload = {.checksum = true, .tso4 = true, .tso6 = true, .gso_max_bytes = 3000};
  for (const char* to : kPeers) {
    Ready r = ready(to, 3500, wire::kProtocolTcp);
    r.packet.set_large_send({.segment_size = 1400});
    send(std::move(r));
    EXPECT_EQ(card.sent.size(), 3u);
    card.sent.clear();
  }
}

TEST_F(OutputTest, WhatIsNoLargeSendIsNotTreatedAsOne) {
  card.offload = {.checksum = true, .tso4 = true, .tso6 = true};
  for (const char* to : kPeers) {
    Ready small = ready(to, 1000, wire::kProtocolTcp);  // one segment
    small.packet.set_large_send({.segment_size = 1400});
    send(std::move(small));
    ASSERT_EQ(card.sent.size(), 1u);
    EXPECT_EQ(card.sent[0].large_send().segment_size, 0u);
    card.sent.clear();
    Ready udp = ready(to, 4000);
    udp.packet.set_large_send({.segment_size = 1400});
    send(std::move(udp));
    EXPECT_EQ(card.sent.size(), 3u) << "fragments";
    for (Packet& packet : card.sent) {
      EXPECT_EQ(packet.large_send().segment_size, 0u);
      std::optional<ip::ParameterProblem> problem;
      EXPECT_TRUE(ip::parse_ip_header(packet, problem)->fragment);
    }
    card.sent.clear();
  }
}

TEST_F(OutputTest, AFragmentIsNoLargeSend) {
  card.offload = {.checksum = true, .tso4 = true, .tso6 = true};
  ByteVector bytes = make_ip(address("10.77.0.2"), address("10.77.0.1"), 6, ByteVector(1480, std::byte{0x55}));
  store_be16(bytes, 6, 0x2000);  // a first one, whose payload reads as a TCP header
  store_be16(bytes, 10, 0);
  store_be16(bytes, 10, wire::checksum_of(Bytes{bytes}.first(20)));
  Packet packet = packet_of(pool, bytes);
  packet.set_large_send({.segment_size = 500});
  output.send_with_header(std::move(packet), at(1s));
  ASSERT_EQ(card.sent.size(), 1u);
  EXPECT_EQ(card.sent[0].large_send().segment_size, 0u);
  EXPECT_EQ(bytes_of(card.sent[0]), bytes);
}

TEST_F(OutputTest, OnlyCopiedOptionsGoIntoLaterFragments) {                            // RFC 791 3.1
  const ByteVector options{std::byte{68},  std::byte{4}, std::byte{5}, std::byte{0},   // a timestamp, for the first
                           std::byte{1},                                               //
                           std::byte{148}, std::byte{4}, std::byte{0}, std::byte{0}};  // a router alert, for all
  ByteVector bytes(32 + 2000);
  wire::Ipv4Fields{.payload_size = 2000,
                   .protocol = 17,
                   .source = address("10.77.0.2"),
                   .destination = address("10.77.0.1"),
                   .options = options}
      .emit(bytes);
  output.send_with_header(packet_of(pool, bytes), at(1s));
  ASSERT_EQ(card.sent.size(), 2u);
  const ByteVector first = bytes_of(card.sent[0]), later = bytes_of(card.sent[1]);
  EXPECT_TRUE(std::equal(options.begin(), options.end(), first.begin() + 20));
  EXPECT_EQ(load_u8(later, 0), 0x46);
  EXPECT_TRUE(std::equal(options.begin() + 5, options.end(), later.begin() + 20));
  EXPECT_EQ(wire::sum_of(Bytes{later}.first(24)), 0xffff);
}

TEST_F(OutputTest, AFragmentBecomesSmallerOnesOfTheSameDatagram) {
  ByteVector bytes = make_ip(address("10.77.0.2"), address("10.77.0.1"), 17, ByteVector(2000, std::byte{1}));
  store_be16(bytes, 4, 0x1234);
  store_be16(bytes, 6, 0x2000 | 100);  // at 800, more to come
  output.send_with_header(packet_of(pool, bytes), at(1s));
  ASSERT_EQ(card.sent.size(), 2u);
  std::size_t offset = 800;
  for (Packet& packet : card.sent) {
    std::optional<ip::ParameterProblem> problem;
    const auto header = ip::parse_ip_header(packet, problem);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->fragment->id, 0x1234u);
    EXPECT_EQ(header->fragment->offset, offset);
    EXPECT_TRUE(header->fragment->more);
    offset += header->total_size - header->header_size;
  }
  EXPECT_EQ(offset, 2800u);
}

TEST_F(OutputTest, APathTooNarrowForAnyFragmentIsTooNarrow) {
  card.mtu_bytes = 20 + 15;
  send(ready("10.77.0.1", 100));
  EXPECT_EQ(stats.dropped(Drop::PacketTooBig), 1u);
  card.mtu_bytes = 20 + 16;
  send(ready("10.77.0.1", 100));
  EXPECT_EQ(card.sent.size(), 7u) << "of 16 bytes each";
}

// A TCP packet that is too large and says nothing of segments is the driver's mistake; nobody guesses for it.
TEST_F(OutputTest, ALargePacketWithoutItsFactsIsRefusedOrFragmented) {
  output.send_with_header(with_header("10.77.0.1", 3500), at(1s));
  EXPECT_TRUE(card.sent.empty()) << "it must not be fragmented";
  EXPECT_EQ(stats.dropped(Drop::PacketTooBig), 1u);
  output.send_with_header(with_header("fd77::1", 3500), at(1s));
  ASSERT_EQ(card.sent.size(), 3u) << "IPv6 has no such bit";
  std::size_t payload = 0;
  for (Packet& packet : card.sent) {
    EXPECT_LE(packet.size(), 1500u);
    std::optional<ip::ParameterProblem> problem;
    const auto header = ip::parse_ip_header(packet, problem);
    ASSERT_TRUE(header->fragment);
    EXPECT_EQ(header->fragment->offset, payload);
    payload += header->total_size - header->header_size;
  }
  EXPECT_EQ(payload, 3520u);
  card.sent.clear();
  send(ready("fd77::1", 3500, wire::kProtocolTcp));
  EXPECT_TRUE(card.sent.empty()) << "a TCP of ours cuts its segments itself";
  EXPECT_EQ(stats.dropped(Drop::PacketTooBig), 2u);
  executor.run();
  EXPECT_EQ(tcp.events.size(), 2u);
}

// --- partial checksums, on every path ---

TEST_F(OutputTest, APartialChecksumIsFinishedForALinkThatDoesNot) {
  for (const char* to : kPeers) {
    for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{6, 17}) {
      for (const std::size_t payload : {5u, 3000u}) {  // also before it is fragmented
        Packet packet = with_header(to, payload, protocol);
        const std::size_t ip_size = address(to).is_v4() ? 20 : 40;
        packet.pull(ip_size);
        packet.meta().protocol = protocol;
        packet.meta().source = output.route(address(to), std::nullopt)->source;
        packet.meta().destination = address(to);
        ASSERT_TRUE(ip::set_partial_checksum(packet));
        packet.restore(ip_size);
        if (ip_size == 20) store_be16(packet.make_private(20), 10, 0);  // nor is the header's own made yet
        if (protocol == 6) packet.set_large_send({.segment_size = 1000});
        packet.meta() = PacketMeta{};
        output.send_with_header(std::move(packet), at(1s));
        ASSERT_EQ(card.sent.size(), payload == 5 ? 1u : 3u) << stats.dropped(Drop::InjectionInvalid);
        ip::Reassembly peer{pool, teller, hooks, SipKey{}, {}, [](const Packet&, Instant) {}};
        for (Packet& sent : card.sent) {
          EXPECT_FALSE(sent.checksum().transport_partial);
          std::optional<ip::ParameterProblem> problem;
          const auto header = ip::parse_ip_header(sent, problem);
          ASSERT_TRUE(header) << name_of(header.drop());
          if (!header->fragment) {
            expect_valid(sent);
            continue;
          }
          sent.pull(header->header_size);
          if (Packet whole = peer.add(std::move(sent), *header, at(1s))) expect_valid(whole);
        }
        EXPECT_EQ(peer.datagrams(), 0u);
        card.sent.clear();
      }
    }
  }
}

TEST_F(OutputTest, APartialChecksumIsLeftToALinkThatFinishesIt) {
  card.offload.checksum = true;
  for (const char* to : kPeers) {
    Packet packet = with_header(to, 5);
    packet.pull(address(to).is_v4() ? 20 : 40);
    packet.meta().protocol = 6;
    packet.meta().source = output.route(address(to), std::nullopt)->source;
    packet.meta().destination = address(to);
    ASSERT_TRUE(ip::set_partial_checksum(packet));
    packet.restore(address(to).is_v4() ? 20 : 40);
    output.send_with_header(std::move(packet), at(1s));
    expect_left_to_the_link();
    card.sent.clear();
  }
}

// What comes from the kernel behind a TAP was never finished; a driver may send it on all the same.
TEST_F(OutputTest, APacketThatCameInPartialLeavesFinished) {
  for (const bool by_loopback : {false, true}) {
    card.sent.clear();
    card.offload.checksum = true;
    send(ready("10.77.0.1", 50));
    Packet packet = std::move(card.sent.at(0));
    card.sent.clear();
    card.offload.checksum = false;
    if (by_loopback) {
      link::Loopback queue;
      queue.push(packet);
      packet = queue.pop();
    } else {
      packet.set_checksum({.transport_verified = true, .transport_partial = true});
    }
    EXPECT_TRUE(packet.checksum().transport_verified && packet.checksum().transport_partial);
    output.send_with_header(std::move(packet), at(1s));
    ASSERT_EQ(card.sent.size(), 1u);
    expect_valid(card.sent[0]);
  }
}

TEST_F(OutputTest, APartialChecksumThatHasNoPlaceIsRefused) {
  const auto inject = [this](ByteVector bytes, std::uint8_t protocol) {
    Packet packet = packet_of(pool, bytes);
    packet.meta().protocol = protocol;
    packet.set_checksum({.transport_partial = true});
    output.send_with_header(std::move(packet), at(1s));
  };
  const IpAddress us = address("10.77.0.2"), peer = address("10.77.0.1");
  inject(make_ip(us, peer, 200, ByteVector(50)), 200);
  inject(make_ip(us, peer, 6, ByteVector(17)), 6);
  ByteVector fragment = make_ip(us, peer, 17, make_udp(1, 2, 16));
  store_be16(fragment, 6, 0x2000);
  inject(fragment, 17);
  EXPECT_EQ(stats.dropped(Drop::InjectionInvalid), 3u);
  EXPECT_TRUE(card.sent.empty());
}

// --- the edges ---

TEST_F(OutputTest, TheLargestPayloadIsTheFamilys) {
  send(ready("10.77.0.1", 65'535 - 20 - 8));
  send(ready("fd77::1", 65'535 - 8));
  EXPECT_EQ(stats.dropped(), 0u);
  card.sent.clear();
  send(ready("10.77.0.1", 65'535 - 20 - 8 + 1));
  Ready six = ready("fd77::1", 65'535 - 8);
  const BufferRef more = make_buffer(1);
  ASSERT_TRUE(six.packet.append(more, 0, 1));
  send(std::move(six));
  EXPECT_EQ(stats.dropped(Drop::PacketTooBig), 2u);
  EXPECT_TRUE(card.sent.empty());
}

TEST_F(OutputTest, WhatIsGivenUpBeforeItsHeaderIsShownAtTheTransportHook) {
  arm_all();
  send(ready("10.77.0.1", 65'535 - 20 - 8 + 1));
  Ready r = ready("10.77.0.1", 2000, wire::kProtocolTcp);
  send(std::move(r));
  ASSERT_EQ(recorder.discards.size(), 2u);
  EXPECT_EQ(recorder.discards[0].context.hook, Hook::TransportOut);
  EXPECT_EQ(recorder.discards[0].context.ip_header_size, 0u);
  EXPECT_EQ(recorder.discards[1].context.hook, Hook::IpOut);
  EXPECT_EQ(recorder.discards[1].context.ip_header_size, 20u);
  EXPECT_EQ(load_u8(recorder.discards[1].bytes, 0), 0x45);
}

TEST_F(OutputTest, OnlyTheFirstFragmentTellsWhoseItWas) {
  transports.set(17, &tcp);
  for (const char* to : kPeers) {
    tcp.events.clear();
    send(ready(to, 4000));
    for (Packet& packet : std::exchange(card.sent, {})) output.on_unreachable(std::move(packet), at(4s));
    executor.run();
    ASSERT_EQ(tcp.events.size(), 1u);
    EXPECT_EQ(tcp.events[0].local, output.route(address(to), std::nullopt)->source);
    EXPECT_EQ(load_be16(tcp.quoted.back(), 0), 5000);
  }
  EXPECT_EQ(stats.dropped(Drop::NeighborUnreachable), 6u);
}

}  // namespace
}  // namespace stack::test
