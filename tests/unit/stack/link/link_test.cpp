// The Ethernet demultiplexer and the loopback queue.
#include <gtest/gtest.h>

#include "stack/link/ethernet_demux.hpp"
#include "stack/link/loopback.hpp"
#include "stack/packet/packet_pool.hpp"
#include "stack/wire/ethernet.hpp"

namespace stack::link {
namespace {

const MacAddress kOwn{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};
const MacAddress kOther{{std::byte{2}, {}, {}, {}, {}, std::byte{3}}};

class LinkTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pool.in_use(), 0u); }
  Packet frame(const MacAddress& to, std::uint16_t type) {
    Packet packet = pool.allocate(60);
    wire::EthernetFields{.destination = to, .source = kOther, .ether_type = type}.emit(packet.make_private(14));
    return packet;
  }
  PacketPool pool;
};

TEST_F(LinkTest, KnowsTheProtocols) {
  const std::pair<std::uint16_t, FrameKind> kinds[] = {{wire::kEtherTypeIpv4, FrameKind::Ipv4},
                                                       {wire::kEtherTypeIpv6, FrameKind::Ipv6},
                                                       {wire::kEtherTypeArp, FrameKind::Arp}};
  for (const auto& [type, kind] : kinds) {
    Packet packet = frame(kOwn, type);
    const auto what = demux(packet, kOwn);
    ASSERT_TRUE(what);
    EXPECT_EQ(what->kind, kind);
    EXPECT_FALSE(what->to_group);
  }
}

TEST_F(LinkTest, TellsGroupsAndRefusesOthers) {
  Packet packet = frame(MacAddress::broadcast(), wire::kEtherTypeIpv4);
  EXPECT_TRUE(demux(packet, kOwn)->to_group);
  packet = frame(kOther, wire::kEtherTypeIpv4);
  EXPECT_EQ(demux(packet, kOwn).drop(), Drop::NotForUs);
  packet = frame(kOwn, 0x8100);
  EXPECT_EQ(demux(packet, kOwn).drop(), Drop::UnknownEtherType);
  packet.trim(13);
  EXPECT_EQ(demux(packet, kOwn).drop(), Drop::TruncatedHeader);
}

TEST_F(LinkTest, LoopbackTurnsPacketsAround) {
  Loopback loopback;
  Packet packet = pool.allocate(10);
  packet.meta().direction = Direction::Outbound;
  packet.meta().link_broadcast = true;  // as it came in before it was sent on
  packet.set_checksum({.transport_partial = true});
  EXPECT_TRUE(loopback.push(packet));
  EXPECT_FALSE(packet);
  packet = loopback.pop();
  EXPECT_EQ(packet.meta().direction, Direction::Inbound);
  EXPECT_TRUE(packet.meta().loopback);
  EXPECT_FALSE(packet.meta().link_broadcast);
  EXPECT_TRUE(packet.checksum().ip_verified && packet.checksum().transport_verified);
  EXPECT_TRUE(packet.checksum().transport_partial) << "the field is as it was, should the packet be sent on";
  packet.set_checksum({});
  loopback.push(packet);
  EXPECT_FALSE(loopback.pop().checksum().transport_verified) << "a finished checksum is checked";
  EXPECT_FALSE(loopback.pop());
}

TEST_F(LinkTest, LoopbackIsBounded) {
  Loopback loopback;
  for (std::size_t i = 0; i < Loopback::kLimit; ++i) {
    Packet packet = pool.allocate(1);
    ASSERT_TRUE(loopback.push(packet));
  }
  Packet extra = pool.allocate(1);
  EXPECT_FALSE(loopback.push(extra));
  EXPECT_TRUE(extra) << "still the caller's";
}

}  // namespace
}  // namespace stack::link
