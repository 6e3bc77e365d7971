#include "stack/packet/packet.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "stack/packet/packet_pool.hpp"

namespace stack {
namespace {

class PacketTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pool_.in_use(), 0U) << "a packet was not given back"; }

  Packet counting(std::size_t size) {
    Packet packet = pool_.allocate(size);
    auto bytes = packet.make_private(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
    return packet;
  }
  static BufferRef counting_block(std::size_t size) {
    auto block = make_buffer(size);
    for (std::size_t i = 0; i < size; ++i) block.bytes()[i] = static_cast<std::byte>(i);
    return block;
  }
  static std::vector<std::uint8_t> contents(const Packet& packet) {
    std::vector<std::uint8_t> all(packet.size());
    EXPECT_EQ(packet.copy_out(0, std::as_writable_bytes(std::span{all})), all.size());
    return all;
  }
  static std::vector<std::uint8_t> range(std::uint8_t first, std::size_t count) {
    std::vector<std::uint8_t> all(count);
    std::iota(all.begin(), all.end(), first);
    return all;
  }

  PacketPool pool_{64};
};

TEST_F(PacketTest, PulledHeaderBytesComeBack) {
  Packet packet = counting(100);
  packet.pull(20);
  EXPECT_EQ(contents(packet), range(20, 80));
  packet.restore(20);
  EXPECT_EQ(contents(packet), range(0, 100));
}

TEST_F(PacketTest, PushWritesInTheHeadroomInOnePiece) {
  Packet packet = counting(10);
  auto header = packet.push(20);
  ASSERT_EQ(header.size(), 20U);
  store_u8(header, 19, 0xee);
  EXPECT_EQ(packet.size(), 30U);
  EXPECT_EQ(packet.contiguous().size(), 30U);
  EXPECT_EQ(load_u8(packet.head(20), 19), 0xee);
}

TEST_F(PacketTest, PushWithoutHeadroomTakesNewMemory) {
  Packet packet = pool_.adopt(counting_block(50), 0, 50);
  auto header = packet.push(40);
  ASSERT_EQ(header.size(), 40U);
  EXPECT_EQ(packet.size(), 90U);
  packet.pull(40);
  EXPECT_EQ(contents(packet), range(0, 50));
}

TEST_F(PacketTest, AppendSharesTheBlockAndHoldsIt) {
  Packet packet = counting(10);
  {
    auto block = counting_block(200);
    ASSERT_TRUE(packet.append(block, 50, 30));
  }
  EXPECT_EQ(packet.size(), 40U);
  EXPECT_TRUE(packet.contiguous().empty());
  auto expected = range(0, 10);
  for (auto byte : range(50, 30)) expected.push_back(byte);
  EXPECT_EQ(contents(packet), expected);
  Bytes ranges[4];
  EXPECT_EQ(packet.ranges(ranges, 4), 2U);
  EXPECT_EQ(ranges[1].size(), 30U);
}

TEST_F(PacketTest, HeadBringsStraddlingBytesTogether) {
  Packet packet = counting(10);
  ASSERT_TRUE(packet.append(counting_block(200), 50, 30));
  const auto head = packet.head(15);
  ASSERT_EQ(head.size(), 15U);
  EXPECT_EQ(load_u8(head, 9), 9);
  EXPECT_EQ(load_u8(head, 10), 50);
  EXPECT_EQ(packet.size(), 40U);
}

TEST_F(PacketTest, MakePrivateLeavesTheSharedBytesAlone) {
  auto block = counting_block(64);
  Packet packet = pool_.adopt(block, 0, 64);
  auto bytes = packet.make_private(8);
  ASSERT_EQ(bytes.size(), 8U);
  bytes[0] = std::byte{0xff};
  EXPECT_EQ(load_u8(block.bytes(), 0), 0);
  EXPECT_EQ(load_u8(packet.head(1), 0), 0xff);
  EXPECT_EQ(packet.size(), 64U);
}

TEST_F(PacketTest, PushInFrontOfASharedBlockDoesNotWriteIntoIt) {
  auto block = counting_block(64);
  Packet packet = pool_.adopt(block, 32, 32);
  auto header = packet.push(16);
  ASSERT_EQ(header.size(), 16U);
  std::memset(header.data(), 0xff, header.size());
  EXPECT_EQ(load_u8(block.bytes(), 31), 31);
  EXPECT_EQ(packet.size(), 48U);
}

TEST_F(PacketTest, SliceSharesBytesAcrossDescriptors) {
  Packet packet = counting(10);
  ASSERT_TRUE(packet.append(counting_block(200), 50, 30));
  packet.meta().protocol = 6;
  Packet slice = pool_.slice(packet, 5, 20, 64);
  packet.reset();
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice.meta().protocol, 6);
  auto expected = range(5, 5);
  for (auto byte : range(50, 15)) expected.push_back(byte);
  EXPECT_EQ(contents(slice), expected);
  EXPECT_EQ(slice.push(20).size(), 20U);
}

TEST_F(PacketTest, TrimCutsTheTail) {
  Packet packet = counting(10);
  ASSERT_TRUE(packet.append(counting_block(200), 50, 30));
  packet.trim(12);
  EXPECT_EQ(contents(packet).back(), 51);
  packet.trim(3);
  EXPECT_EQ(contents(packet), range(0, 3));
}

TEST_F(PacketTest, SharedPacketLivesUntilTheLastOwner) {
  Packet packet = counting(10);
  Packet second = packet.share();
  EXPECT_TRUE(packet.is_shared());
  packet.reset();
  EXPECT_EQ(contents(second), range(0, 10));
  EXPECT_FALSE(second.is_shared());
}

TEST_F(PacketTest, ExhaustionIsAnEmptyPacket) {
  std::vector<Packet> all;
  for (int i = 0; i < 64; ++i) all.push_back(pool_.allocate(10));
  EXPECT_FALSE(pool_.allocate(10));
  EXPECT_EQ(pool_.failures(), 1U);
  all.pop_back();
  EXPECT_TRUE(pool_.allocate(10));
}

TEST_F(PacketTest, OffloadFactsRoundTripThroughTheSlots) {
  for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{6, 17, 1, 58}) {
    for (const Family family : {Family::V4, Family::V6}) {
      Packet packet = pool_.allocate(10);
      packet.meta().protocol = protocol;
      packet.meta().family = family;
      packet.set_checksum({.transport_partial = true});
      EXPECT_TRUE(packet.checksum().transport_partial);
      EXPECT_FALSE(packet.checksum().transport_verified);
      packet.set_checksum({.ip_verified = true, .transport_verified = true});
      EXPECT_FALSE(packet.checksum().transport_partial);
      EXPECT_TRUE(packet.checksum().transport_verified);
      EXPECT_TRUE(packet.checksum().ip_verified);
      packet.set_large_send({.segment_size = 1448});
      EXPECT_EQ(packet.large_send().segment_size, 1448U);
      packet.set_coalesced({.segment_count = 44, .segment_size = 1448});
      EXPECT_EQ(packet.coalesced().segment_count, 44);
      EXPECT_EQ(packet.coalesced().segment_size, 1448);
    }
  }
}

TEST_F(PacketTest, MetadataOfARecycledPacketIsFresh) {
  Packet packet = pool_.allocate(10);
  packet.meta().ip_header_size = 20;
  packet.set_coalesced({.segment_count = 2, .segment_size = 9});
  packet.reset();
  Packet next = pool_.allocate(10);
  EXPECT_EQ(next.meta().ip_header_size, 0U);
  EXPECT_EQ(next.coalesced().segment_count, 0);
  EXPECT_EQ(next.large_send().segment_size, 0U);
}

}  // namespace
}  // namespace stack
