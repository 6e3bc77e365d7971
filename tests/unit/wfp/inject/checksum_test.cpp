#include "wfp/inject/checksum.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace wfp::inject {
namespace {

std::uint16_t plain(std::span<const std::byte> bytes) {  // RFC 1071, as its text has it
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += std::to_integer<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

TEST(ChecksumTest, TheExampleOfRfc1071) {
  const std::array<std::uint8_t, 8> bytes{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  Checksum sum;
  sum.add(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(sum.finish(), static_cast<std::uint16_t>(~0xddf2));
}

TEST(ChecksumTest, AnySizeCutAnywhereIsTheSame) {
  std::mt19937 random(1);
  for (std::size_t size : {0u, 1u, 2u, 3u, 4u, 5u, 7u, 20u, 21u, 1459u, 1460u, 65535u}) {
    std::vector<std::byte> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 0xff);
    for (int round = 0; round < 20; ++round) {
      Checksum sum;
      for (std::span<const std::byte> left(bytes); !left.empty();) {
        const std::size_t cut = 1 + random() % left.size();
        sum.add(left.first(cut));
        left = left.subspan(cut);
      }
      EXPECT_EQ(sum.finish(), plain(bytes)) << size;
    }
  }
}

}  // namespace
}  // namespace wfp::inject
