#include "tap/offload.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace tap {
namespace {

constexpr std::size_t kFrame = 65226;

VnetHeader tcp_super_frame() {
  return {.gso_type = GsoType::Tcp4,
          .ecn = true,
          .checksum = ChecksumState::Needed,
          .header_length = 66,
          .gso_size = 1448,
          .checksum_start = 34,
          .checksum_offset = 16};
}

std::array<std::byte, kVnetHeaderSize> bytes_of(const VnetHeader& header) {
  std::array<std::byte, kVnetHeaderSize> bytes;
  encode(header, bytes);
  return bytes;
}

TEST(Offload, DecodeReturnsWhatEncodeWrote) {
  for (const GsoType type :
       {GsoType::None, GsoType::Tcp4, GsoType::Tcp6, GsoType::UdpSegment, GsoType::UdpFragment}) {
    for (const ChecksumState state : {ChecksumState::Needed, ChecksumState::Valid}) {
      VnetHeader header = tcp_super_frame();
      header.gso_type = type;
      header.checksum = state;
      header.ecn = type == GsoType::Tcp4;
      VnetHeader decoded;
      ASSERT_EQ(decode(bytes_of(header), kFrame, decoded), VnetHeaderFault::None);
      EXPECT_EQ(decoded, header);
    }
  }
}

TEST(Offload, BytesAreThoseOfTheStandard) {
  const std::array<std::uint8_t, kVnetHeaderSize> expected{0x01, 0x81, 66, 0, 0xa8, 0x05, 34, 0, 16, 0, 0, 0};
  const auto bytes = bytes_of(tcp_super_frame());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(std::to_integer<int>(bytes[i]), expected[i]) << i;
}

TEST(Offload, ShortHeaderHasTheSameFields) {
  std::array<std::byte, kVnetHeaderSizeShort> bytes;
  encode(tcp_super_frame(), bytes);
  VnetHeader decoded;
  EXPECT_EQ(decode(bytes, kFrame, decoded), VnetHeaderFault::None);
  EXPECT_EQ(decoded, tcp_super_frame());
}

TEST(Offload, EveryMalformedHeaderHasItsReason) {
  VnetHeader out;
  auto bytes = bytes_of(tcp_super_frame());
  EXPECT_EQ(decode(std::span{bytes}.first(9), kFrame, out), VnetHeaderFault::Truncated);
  bytes[0] = std::byte{0x11};
  EXPECT_EQ(decode(bytes, kFrame, out), VnetHeaderFault::UnknownFlags);
  bytes[0] = std::byte{0x03};
  EXPECT_EQ(decode(bytes, kFrame, out), VnetHeaderFault::ContradictoryChecksum);
  bytes = bytes_of(tcp_super_frame());
  for (const int type : {2, 6, 0x7f}) {
    bytes[1] = static_cast<std::byte>(type);
    EXPECT_EQ(decode(bytes, kFrame, out), VnetHeaderFault::UnknownGsoType) << type;
  }
  const auto fault_of = [](auto change, std::size_t length = kFrame) {
    VnetHeader header = tcp_super_frame();
    change(header);
    VnetHeader decoded;
    return decode(bytes_of(header), length, decoded);
  };
  EXPECT_EQ(fault_of([](VnetHeader& h) { h.gso_type = GsoType::UdpSegment; }), VnetHeaderFault::EcnWithoutTcp);
  EXPECT_EQ(fault_of([](VnetHeader& h) { h.gso_type = GsoType::None; }), VnetHeaderFault::EcnWithoutTcp);
  EXPECT_EQ(fault_of([](VnetHeader& h) { h.gso_size = 0; }), VnetHeaderFault::GsoWithoutSize);
  EXPECT_EQ(fault_of([](VnetHeader& h) { h.gso_size = 7; }), VnetHeaderFault::GsoTooManySegments);
  EXPECT_EQ(fault_of([](VnetHeader& h) { h.checksum = ChecksumState::None; }), VnetHeaderFault::GsoWithoutChecksum);
  EXPECT_EQ(fault_of([](VnetHeader&) {}, 60), VnetHeaderFault::GsoHeaderOutside);
}

TEST(Offload, ChecksumFieldMustLieWithinTheFrame) {
  VnetHeader header{.checksum = ChecksumState::Needed, .checksum_start = 34, .checksum_offset = 16};
  EXPECT_EQ(check(header, 52), VnetHeaderFault::None);
  EXPECT_EQ(check(header, 51), VnetHeaderFault::ChecksumOutside);
  header.checksum_start = header.checksum_offset = 0xffff;
  EXPECT_EQ(check(header, kFrame), VnetHeaderFault::ChecksumOutside);
  header.checksum = ChecksumState::Valid;  // then the offsets mean nothing
  EXPECT_EQ(check(header, 20), VnetHeaderFault::None);
}

TEST(Offload, EveryFaultHasWords) {
  for (int i = 0; i <= static_cast<int>(VnetHeaderFault::GsoTooManySegments); ++i)
    EXPECT_NE(describe(static_cast<VnetHeaderFault>(i)), "unknown fault") << i;
}

TEST(Offload, NamesOfOffloads) {
  EXPECT_EQ(to_string(Offloads::none()), "none");
  EXPECT_EQ(to_string(Offloads::all()), "checksum tso4 tso6 tso_ecn uso");
}

}  // namespace
}  // namespace tap
