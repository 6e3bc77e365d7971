#include "src/node/vnet_translation.hpp"

#include <gtest/gtest.h>

#include "stack/packet/packet_pool.hpp"
#include "stack/wire/checksum.hpp"

namespace node {
namespace {

using stack::Family;

class VnetTranslationTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pool_.in_use(), 0U); }
  stack::Packet outbound(Family family, std::uint8_t protocol) {
    auto packet = pool_.allocate(1000);
    auto& meta = packet.meta();
    meta.family = family;
    meta.protocol = protocol;
    meta.link_header_size = 14;
    meta.ip_header_size = family == Family::V4 ? 20 : 40;
    meta.transport_header_size = 32;
    return packet;
  }
  stack::PacketPool pool_{8};
};

TEST_F(VnetTranslationTest, ACompletePacketNeedsNothing) {
  EXPECT_EQ(make_vnet_header(outbound(Family::V4, 6)), tap::VnetHeader{});
}

TEST_F(VnetTranslationTest, AnOpenChecksumNamesItsField) {
  auto packet = outbound(Family::V6, 17);
  packet.set_checksum({.transport_partial = true});
  const auto header = make_vnet_header(packet);
  EXPECT_EQ(header.checksum, tap::ChecksumState::Needed);
  EXPECT_EQ(header.checksum_start, 54);
  EXPECT_EQ(header.checksum_offset, 6);
  EXPECT_EQ(header.gso_type, tap::GsoType::None);
  EXPECT_EQ(tap::check(header, packet.size()), tap::VnetHeaderFault::None);
}

TEST_F(VnetTranslationTest, ALargeSendBecomesGso) {
  for (const Family family : {Family::V4, Family::V6}) {
    auto packet = outbound(family, 6);
    packet.set_checksum({.transport_partial = true});
    packet.set_large_send({.segment_size = 400});
    const auto header = make_vnet_header(packet);
    EXPECT_EQ(header.gso_type, family == Family::V4 ? tap::GsoType::Tcp4 : tap::GsoType::Tcp6);
    EXPECT_EQ(header.gso_size, 400);
    EXPECT_EQ(header.header_length, 14 + (family == Family::V4 ? 20 : 40) + 32);
    EXPECT_EQ(tap::check(header, packet.size()), tap::VnetHeaderFault::None);
  }
}

TEST_F(VnetTranslationTest, AReceivedSuperFrameIsCoalesced) {
  auto frame = pool_.allocate(66 + 3000);
  apply_received(
      {.gso_type = tap::GsoType::Tcp4, .checksum = tap::ChecksumState::Needed, .header_length = 66, .gso_size = 1448},
      frame);
  EXPECT_TRUE(frame.checksum().transport_verified);
  EXPECT_TRUE(frame.checksum().transport_partial) << "the field is still open, should the packet be sent on";
  EXPECT_EQ(frame.coalesced().segment_count, 3);
  EXPECT_EQ(frame.coalesced().segment_size, 1448);
}

TEST_F(VnetTranslationTest, AnOrdinaryFrameIsVerifiedByTheStack) {
  auto frame = pool_.allocate(100);
  apply_received({}, frame);
  EXPECT_FALSE(frame.checksum().transport_verified);
  EXPECT_EQ(frame.coalesced().segment_count, 0);
}

TEST_F(VnetTranslationTest, FinishingTurnsThePseudoSumIntoAChecksum) {
  std::array<std::byte, 14 + 20 + 8 + 5> frame{};
  for (std::size_t i = 34; i < frame.size(); ++i) frame[i] = static_cast<std::byte>(i);
  const auto source = *stack::IpAddress::parse("10.0.0.1"), destination = *stack::IpAddress::parse("10.0.0.2");
  const auto pseudo = stack::wire::pseudo_header(source, destination, 17, 13);
  stack::store_be16(frame, 40, pseudo.sum());
  finish_frame_checksum({.checksum = tap::ChecksumState::Needed, .checksum_start = 34, .checksum_offset = 6}, frame);
  auto whole = pseudo;
  whole.add(stack::Bytes{frame}.subspan(34));
  EXPECT_TRUE(whole.is_valid());
}

TEST_F(VnetTranslationTest, AUdpChecksumOfZeroIsWrittenAsAllOnes) {
  std::array<std::byte, 14 + 20 + 8> frame{};
  stack::store_be16(frame, 34, 0x1234);
  stack::store_be16(frame, 40, 0xedcb);  // the pseudo header's sum, the complement of all the rest
  finish_frame_checksum({.checksum = tap::ChecksumState::Needed, .checksum_start = 34, .checksum_offset = 6}, frame);
  EXPECT_EQ(stack::load_be16(frame, 40), 0xffff);
}

}  // namespace
}  // namespace node
