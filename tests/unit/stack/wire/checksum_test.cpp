#include "stack/wire/checksum.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "stack/base/rng.hpp"

namespace stack::wire {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (int v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}

// The definition, one 16-bit word at a time.
std::uint16_t slow_sum(Bytes bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += std::uint64_t{load_u8(bytes, i)} << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::vector<std::byte> random_bytes(std::size_t size, std::uint64_t seed) {
  SeededRandom random{seed};
  std::vector<std::byte> bytes(size);
  for (auto& b : bytes) b = static_cast<std::byte>(random.below(256));
  return bytes;
}

TEST(Checksum, Rfc1071Example) {
  EXPECT_EQ(sum_of(bytes_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})), 0xddf2);
  EXPECT_EQ(checksum_of(bytes_of({0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7})), 0x220d);
}

TEST(Checksum, EmptyIsZeroAndAllOnesStaysAllOnes) {
  EXPECT_EQ(sum_of({}), 0);
  EXPECT_EQ(sum_of(std::vector<std::byte>(4096, std::byte{0xff})), 0xffff);
}

TEST(Checksum, AgreesWithTheDefinitionForEverySizeAndAlignment) {
  const auto bytes = random_bytes(300, 1);
  for (std::size_t start = 0; start < 8; ++start)
    for (std::size_t size = 0; start + size <= bytes.size(); ++size)
      ASSERT_EQ(sum_of(Bytes{bytes}.subspan(start, size)), slow_sum(Bytes{bytes}.subspan(start, size)))
          << start << "+" << size;
}

TEST(Checksum, ChainsSpansOfOddSize) {
  const auto bytes = random_bytes(97, 2);
  for (std::size_t a = 0; a <= 40; ++a)
    for (std::size_t b = a; b <= bytes.size(); b += 3) {
      Checksum sum;
      sum.add(Bytes{bytes}.first(a));
      sum.add(Bytes{bytes}.subspan(a, b - a));
      sum.add(Bytes{bytes}.subspan(b));
      ASSERT_EQ(sum.sum(), slow_sum(bytes)) << a << " " << b;
    }
}

TEST(Checksum, CombinesRangesByParity) {
  const auto bytes = random_bytes(64, 3);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    EXPECT_EQ(combine_sums(sum_of(Bytes{bytes}.first(cut)), cut, sum_of(Bytes{bytes}.subspan(cut))), sum_of(bytes));
}

TEST(Checksum, UpdateEqualsRecomputation) {
  auto bytes = random_bytes(40, 4);
  std::uint16_t field = checksum_of(bytes);
  SeededRandom random{5};
  for (int i = 0; i < 1000; ++i) {
    const std::size_t at = random.below(20) * 2;
    const std::uint16_t old_word = load_be16(bytes, at);
    const auto new_word = static_cast<std::uint16_t>(random.next());
    store_be16(bytes, at, new_word);
    field = update_checksum(field, old_word, new_word);
    ASSERT_EQ(field, checksum_of(bytes));
  }
}

TEST(Checksum, Rfc1624Example) { EXPECT_EQ(update_checksum(0xdd2f, 0x5555, 0x3285), 0x0000); }

TEST(Checksum, PseudoHeadersOfBothFamilies) {
  // 10.0.0.1 -> 10.0.0.2, UDP, length 9, one byte 'a': summed by hand.
  const auto v4 = pseudo_header(IpAddress::v4(0x0a000001), IpAddress::v4(0x0a000002), 17, 9);
  EXPECT_EQ(v4.sum(), 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + 9);
  const auto v6 = pseudo_header(*IpAddress::parse("fe80::1"), *IpAddress::parse("fe80::2"), 58, 0x1'0008);
  EXPECT_EQ(v6.sum(), (0xfe80 * 2 + 1 + 2 + 58 + 1 + 8) % 0xffff);
}

}  // namespace
}  // namespace stack::wire
