#include "wfp/inject/ip_header.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "nt/ntstatus.h"
#include "wfp/inject/checksum.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/clone.hpp"
#include "wfp/ndis/nbl_pool.hpp"
#include "wfp/ndis/offsets.hpp"
#include "ws2def.h"

namespace wfp::inject {
namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmp = 1, kIcmpV6 = 58;
constexpr std::array<std::uint8_t, 16> kSource{10, 77, 0, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr std::array<std::uint8_t, 16> kDestination{10, 77, 0, 1, 0xfe, 0x80, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13};

using Data = std::vector<std::byte>;

class IpHeaderTest : public testing::Test {
 protected:
  ~IpHeaderTest() override { EXPECT_EQ(pool.in_use(), 0u); }

  // Transport headers and payload of random bytes, in pieces of `piece` bytes.
  NET_BUFFER_LIST* make(const Data& data, std::size_t headroom, std::size_t piece = 65535) {
    const std::size_t first = std::min(piece, data.size());
    NET_BUFFER_LIST* const nbl = pool.allocate(headroom, first);
    ndis::copy_in(*nbl, 0, std::span(data).first(first));
    for (std::size_t at = first; at < data.size(); at += piece) {
      const std::size_t size = std::min(piece, data.size() - at);
      ndis::BlockRef block = ndis::make_block(size);
      std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(at), size, block->data());
      EXPECT_TRUE(ndis::append(*nbl, block, 0, size));
    }
    return nbl;
  }
  Data random_data(std::size_t size) {
    Data data(size);
    for (auto& byte : data) byte = static_cast<std::byte>(random() & 0xff);
    return data;
  }
  static Data bytes_of(const NET_BUFFER_LIST& nbl) {
    Data data(ndis::data_length(nbl));
    EXPECT_EQ(ndis::copy_out(nbl, 0, data), data.size());
    return data;
  }
  static IpHeaderFacts facts(std::uint16_t family, std::uint8_t protocol, std::size_t old_size = 0) {
    return {.address_family = family,
            .source = kSource.data(),
            .destination = kDestination.data(),
            .protocol = protocol,
            .old_header_size = old_size};
  }
  // The receiver's view: a sum over everything, checksum included, is zero.
  static bool is_transport_valid(const Data& packet, std::size_t header, std::uint16_t family,
                                 std::uint8_t protocol) {
    Data all;
    if (protocol != kIcmp) {
      const std::size_t size = family == AF_INET ? 4 : 16;
      for (const auto* address : {&kSource, &kDestination})
        for (std::size_t i = 0; i < size; ++i) all.push_back(std::byte{(*address)[i]});
      const std::size_t length = packet.size() - header;
      for (const std::size_t byte : {std::size_t{0}, std::size_t{protocol}, length >> 8, length & 0xff})
        all.push_back(static_cast<std::byte>(byte));
    }
    all.insert(all.end(), packet.begin() + static_cast<std::ptrdiff_t>(header), packet.end());
    Checksum sum;
    sum.add(all);
    return sum.finish() == 0;
  }
  static unsigned at(const Data& data, std::size_t index) { return std::to_integer<unsigned>(data[index]); }
  static unsigned be16(const Data& data, std::size_t index) { return at(data, index) << 8 | at(data, index + 1); }

  ndis::NblPool pool{400};  // pieces of 7 bytes need many MDLs
  IpHeaderBuilder builder{42};
  std::mt19937 random{7};
};

TEST_F(IpHeaderTest, Ipv4InFrontOfAnySizeAndAnyPieces) {
  for (const std::uint8_t protocol : {kTcp, kUdp, kIcmp})
    for (const std::size_t size : {20u, 21u, 23u, 99u, 1480u, 1481u, 4001u})
      for (const std::size_t piece : {65535u, 1000u, 20u, 13u, 7u}) {
        const Data data = random_data(size);
        NET_BUFFER_LIST* const nbl = make(data, piece % 2 == 0 ? 64 : 0, piece);
        ASSERT_EQ(builder.build(*nbl, facts(AF_INET, protocol)), STATUS_SUCCESS) << size << " by " << piece;
        const Data packet = bytes_of(*nbl);
        ASSERT_EQ(packet.size(), size + 20);
        EXPECT_EQ(at(packet, 0), 0x45u);
        EXPECT_EQ(be16(packet, 2), size + 20);
        EXPECT_EQ(be16(packet, 6), protocol == kTcp ? 0x4000u : 0u);
        EXPECT_EQ(at(packet, 8), kDefaultHopLimit);
        EXPECT_EQ(at(packet, 9), protocol);
        EXPECT_TRUE(std::equal(kSource.begin(), kSource.begin() + 4, packet.begin() + 12,
                               [](std::uint8_t a, std::byte b) { return std::byte{a} == b; }));
        Checksum header;
        header.add(std::span(packet).first(20));
        EXPECT_EQ(header.finish(), 0u);
        EXPECT_TRUE(is_transport_valid(packet, 20, AF_INET, protocol));
        ndis::release(*nbl);
      }
}

TEST_F(IpHeaderTest, Ipv6InFrontOfAnySizeAndAnyPieces) {
  for (const std::uint8_t protocol : {kTcp, kUdp, kIcmpV6})
    for (const std::size_t size : {20u, 21u, 1440u, 1441u, 65535u})
      for (const std::size_t piece : {65535u, 1001u}) {
        const Data data = random_data(size);
        NET_BUFFER_LIST* const nbl = make(data, 10, piece);
        ASSERT_EQ(builder.build(*nbl, facts(AF_INET6, protocol)), STATUS_SUCCESS);
        const Data packet = bytes_of(*nbl);
        ASSERT_EQ(packet.size(), size + 40);
        EXPECT_EQ(at(packet, 0), 0x60u);
        EXPECT_EQ(be16(packet, 4), size);
        EXPECT_EQ(at(packet, 6), protocol);
        EXPECT_EQ(at(packet, 7), kDefaultHopLimit);
        EXPECT_TRUE(is_transport_valid(packet, 40, AF_INET6, protocol));
        ndis::release(*nbl);
      }
}

TEST_F(IpHeaderTest, OnlyTheChecksumOfTheTransportChanges) {
  const Data data = random_data(101);
  NET_BUFFER_LIST* const nbl = make(data, 64);
  ASSERT_EQ(builder.build(*nbl, facts(AF_INET, kUdp)), STATUS_SUCCESS);
  const Data packet = bytes_of(*nbl);
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i != 6 && i != 7) {
      EXPECT_EQ(packet[20 + i], data[i]) << i;
    }
  }
  ndis::release(*nbl);
}

TEST_F(IpHeaderTest, BytesOfTheOriginalAreNeverWritten) {
  for (const std::size_t old_size : {0u, 20u}) {
    Data data = random_data(300);
    data[0] = std::byte{0x45};
    NET_BUFFER_LIST* const original = make(data, 64);
    NET_BUFFER_LIST* const copy = ndis::clone(*original, pool);
    ASSERT_EQ(builder.build(*copy, facts(AF_INET, kTcp, old_size)), STATUS_SUCCESS);
    EXPECT_EQ(bytes_of(*original), data);
    EXPECT_TRUE(is_transport_valid(bytes_of(*copy), 20, AF_INET, kTcp));
    ndis::release(*copy);
    ndis::release(*original);
  }
}

TEST_F(IpHeaderTest, ARebuildKeepsOptionsAndWhatTheOldHeaderSaid) {
  Data data = random_data(24 + 8 + 61);
  data[0] = std::byte{0x46};  // one word of options, then 8 bytes of AH, say
  data[1] = std::byte{0xb8};
  data[8] = std::byte{33};
  NET_BUFFER_LIST* const nbl = make(data, 0, 50);
  ASSERT_EQ(builder.build(*nbl, facts(AF_INET, kTcp, 32)), STATUS_SUCCESS);
  const Data packet = bytes_of(*nbl);
  ASSERT_EQ(packet.size(), 24u + 61u);
  EXPECT_EQ(at(packet, 0), 0x46u);
  EXPECT_EQ(at(packet, 1), 0xb8u);
  EXPECT_EQ(be16(packet, 2), packet.size());
  EXPECT_EQ(at(packet, 8), 33u);
  EXPECT_TRUE(std::equal(packet.begin() + 20, packet.begin() + 24, data.begin() + 20));
  EXPECT_TRUE(is_transport_valid(packet, 24, AF_INET, kTcp));
  ndis::release(*nbl);
}

TEST_F(IpHeaderTest, ARebuildDropsIpv6ExtensionHeaders) {
  Data data = random_data(48 + 100);
  data[0] = std::byte{0x61};
  data[1] = std::byte{0x23};
  data[7] = std::byte{9};
  NET_BUFFER_LIST* const nbl = make(data, 0, 33);
  ASSERT_EQ(builder.build(*nbl, facts(AF_INET6, kUdp, 48)), STATUS_SUCCESS);
  const Data packet = bytes_of(*nbl);
  ASSERT_EQ(packet.size(), 140u);
  EXPECT_TRUE(std::equal(packet.begin(), packet.begin() + 4, data.begin()));
  EXPECT_EQ(be16(packet, 4), 100u);
  EXPECT_EQ(at(packet, 6), kUdp);
  EXPECT_EQ(at(packet, 7), 9u);
  EXPECT_TRUE(is_transport_valid(packet, 40, AF_INET6, kUdp));
  ndis::release(*nbl);
}

TEST_F(IpHeaderTest, AUdpChecksumIsNeverZero) {
  int found = 0;
  for (unsigned value = 0; value < 0x10000; ++value) {
    Data data(10, std::byte{0});
    data[8] = static_cast<std::byte>(value >> 8);
    data[9] = static_cast<std::byte>(value & 0xff);
    NET_BUFFER_LIST* const nbl = make(data, 64);
    ASSERT_EQ(builder.build(*nbl, facts(AF_INET, kUdp)), STATUS_SUCCESS);
    const unsigned sum = be16(bytes_of(*nbl), 26);
    ASSERT_NE(sum, 0u);
    found += sum == 0xffff ? 1 : 0;
    ndis::release(*nbl);
  }
  EXPECT_GE(found, 1);
}

TEST_F(IpHeaderTest, WhatCannotBeBuiltLeavesThePacketAsItWas) {
  const Data data = random_data(100);
  NET_BUFFER_LIST* const nbl = make(data, 64);
  EXPECT_EQ(builder.build(*nbl, facts(2222, kTcp)), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(builder.build(*nbl, facts(AF_INET, kTcp, 101)), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(builder.build(*nbl, facts(AF_INET, kTcp, 19)), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(builder.build(*nbl, facts(AF_INET6, kTcp, 39)), STATUS_INVALID_PARAMETER);
  IpHeaderFacts no_address = facts(AF_INET, kTcp);
  no_address.source = nullptr;
  EXPECT_EQ(builder.build(*nbl, no_address), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(bytes_of(*nbl), data);
  ndis::release(*nbl);

  NET_BUFFER_LIST* const small = make(random_data(19), 64);
  EXPECT_EQ(builder.build(*small, facts(AF_INET, kTcp)), STATUS_INVALID_PARAMETER);
  ndis::release(*small);
  NET_BUFFER_LIST* const large = make(random_data(65516), 64);
  EXPECT_EQ(builder.build(*large, facts(AF_INET, kTcp)), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(builder.build(*large, facts(AF_INET6, kTcp)), STATUS_SUCCESS);
  ndis::release(*large);
}

TEST_F(IpHeaderTest, OffloadsGoExceptForASendThatIsTooLarge) {
  const auto large_send_after = [&](std::size_t size) {
    auto data = random_data(size);
    data[12] = std::byte{0x80};  // 32 bytes of TCP header
    NET_BUFFER_LIST* const nbl = make(data, 64);
    NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO info{};
    info.LsoV2Transmit.MSS = 1460;
    nbl->NetBufferListInfo[TcpLargeSendNetBufferListInfo] = info.Value;
    nbl->NetBufferListInfo[TcpIpChecksumNetBufferListInfo] = info.Value;
    EXPECT_EQ(builder.build(*nbl, facts(AF_INET, kTcp)), STATUS_SUCCESS);
    EXPECT_EQ(nbl->NetBufferListInfo[TcpIpChecksumNetBufferListInfo], nullptr);
    info.Value = nbl->NetBufferListInfo[TcpLargeSendNetBufferListInfo];
    ndis::release(*nbl);
    return std::pair(unsigned{info.LsoV2Transmit.MSS}, unsigned{info.LsoV2Transmit.TcpHeaderOffset});
  };
  EXPECT_EQ(large_send_after(32 + 1460).first, 0u);
  EXPECT_EQ(large_send_after(32 + 1461).first, 1460u);  // one byte more cannot be sent in one piece
  EXPECT_EQ(large_send_after(30'000), (std::pair<unsigned, unsigned>(1460, 20)));
}

// One slot holds the count of joined segments of what was received and the segment size of what is sent by UDP.
TEST_F(IpHeaderTest, ACountOfJoinedSegmentsIsNoSegmentSize) {
  const auto slot_after = [&](std::uint8_t protocol) {
    NET_BUFFER_LIST* const nbl = make(random_data(5000), 64);
    NDIS_RSC_NBL_INFO joined{};
    joined.Info.CoalescedSegCount = 4;
    nbl->NetBufferListInfo[TcpRecvSegCoalesceInfo] = joined.Value;
    EXPECT_EQ(builder.build(*nbl, facts(AF_INET, protocol)), STATUS_SUCCESS);
    void* const after = nbl->NetBufferListInfo[UdpSegmentationOffloadInfo];
    ndis::release(*nbl);
    return after;
  };
  EXPECT_EQ(slot_after(kTcp), nullptr);
  EXPECT_NE(slot_after(kUdp), nullptr);
}

TEST_F(IpHeaderTest, IdentificationsOfFollowingPacketsDiffer) {
  std::vector<unsigned> seen;
  for (int i = 0; i < 3; ++i) {
    NET_BUFFER_LIST* const nbl = make(random_data(28), 64);
    ASSERT_EQ(builder.build(*nbl, facts(AF_INET, kUdp)), STATUS_SUCCESS);
    seen.push_back(be16(bytes_of(*nbl), 4));
    ndis::release(*nbl);
  }
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_NE(seen[1], seen[2]);
}

}  // namespace
}  // namespace wfp::inject
