#include "stack/wire/tcp_options.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "stack/base/rng.hpp"

namespace stack::wire {
namespace {

std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (int v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}
std::vector<std::byte> emitted(const TcpOptions& options) {
  std::vector<std::byte> bytes(options.size());
  options.emit(bytes);
  return bytes;
}

// checklist: TCP-004
TEST(TcpOptions, SynOptionsInTheUsualOrder) {
  const TcpOptions syn{
      .mss = 1460, .window_scale = 7, .sack_permitted = true, .timestamps = Timestamps{0x01020304, 0}};
  EXPECT_EQ(emitted(syn), bytes_of({2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7}));
  EXPECT_EQ(TcpOptions::parse(emitted(syn)), syn);
}

TEST(TcpOptions, TimestampsAndSackAreAlignedByNops) {
  TcpOptions ack{.timestamps = Timestamps{5, 6}};
  ASSERT_TRUE(ack.add_sack_block({Seq{10}, Seq{20}}));
  EXPECT_EQ(emitted(ack), bytes_of({1, 1, 8, 10, 0, 0, 0, 5, 0, 0, 0, 6, 1, 1, 5, 10, 0, 0, 0, 10, 0, 0, 0, 20}));
  EXPECT_EQ(TcpOptions::parse(emitted(ack)), ack);
}

TEST(TcpOptions, SackBlocksStopWhereTheHeaderIsFull) {
  TcpOptions with{.timestamps = Timestamps{}};
  TcpOptions without;
  int fit_with = 0, fit_without = 0;
  for (std::uint32_t i = 0; i < 6; ++i) {
    fit_with += with.add_sack_block({Seq{i}, Seq{i + 1}});
    fit_without += without.add_sack_block({Seq{i}, Seq{i + 1}});
  }
  EXPECT_EQ(fit_with, 3);
  EXPECT_EQ(fit_without, 4);
  EXPECT_LE(with.size(), TcpOptions::kMaxSize);
  EXPECT_EQ(TcpOptions::parse(emitted(without)), without);
}

TEST(TcpOptions, TheLastOfTwoSackOptionsCounts) {
  const auto parsed = TcpOptions::parse(bytes_of({5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 10, 0, 0, 0, 3, 0, 0, 0, 4}));
  ASSERT_EQ(parsed.sack_count, 1);
  EXPECT_EQ(parsed.sack_blocks()[0], (SackBlock{Seq{3}, Seq{4}}));
}

// checklist: TCP-009
TEST(TcpOptions, EveryCombinationRoundTrips) {
  for (int bits = 0; bits < 32; ++bits) {
    TcpOptions options;
    if (bits & 1) options.mss = 536;
    if (bits & 2) options.window_scale = 14;
    if (bits & 4) options.sack_permitted = true;
    if (bits & 8) options.timestamps = Timestamps{0xffffffff, 1};
    if (bits & 16) options.add_sack_block({Seq{0xfffffff0}, Seq{8}});
    EXPECT_EQ(options.size() % 4, 0u);
    const auto parsed = TcpOptions::parse(emitted(options));
    EXPECT_EQ(parsed, options) << bits;
    EXPECT_FALSE(parsed.malformed);
  }
}

// checklist: TCP-006
TEST(TcpOptions, UnknownOnesAreSkippedByLength) {
  const auto parsed = TcpOptions::parse(bytes_of({254, 6, 9, 9, 9, 9, 30, 2, 2, 4, 1, 0}));
  EXPECT_EQ(parsed.mss, 256);
  EXPECT_FALSE(parsed.malformed);
}

// checklist: TCP-004
TEST(TcpOptions, NothingAfterTheEndCounts) {
  EXPECT_FALSE(TcpOptions::parse(bytes_of({1, 0, 2, 4, 1, 0})).mss);
  EXPECT_FALSE(TcpOptions::parse(bytes_of({0, 2})).malformed);
}

// checklist: TCP-007
TEST(TcpOptions, IllegalLengthsStopTheParsing) {
  for (const auto& tail : {bytes_of({2, 3, 1, 0}), bytes_of({2, 0}), bytes_of({77, 1}), bytes_of({3, 4, 1, 1}),
                           bytes_of({4, 3, 0}), bytes_of({5, 2}), bytes_of({5, 9, 0, 0, 0, 0, 0, 0, 0}),
                           bytes_of({8, 9, 0, 0, 0, 0, 0, 0, 0}), bytes_of({77, 5, 0}), bytes_of({77})}) {
    auto bytes = bytes_of({3, 3, 9});
    bytes.insert(bytes.end(), tail.begin(), tail.end());
    for (int v : {2, 4, 1, 0}) bytes.push_back(static_cast<std::byte>(v));
    if (tail.size() == 1 || (tail.size() == 3 && tail[1] == std::byte{5})) bytes.resize(3 + tail.size());
    const auto parsed = TcpOptions::parse(bytes);
    EXPECT_TRUE(parsed.malformed);
    EXPECT_EQ(parsed.window_scale, 9);
    EXPECT_FALSE(parsed.mss);
  }
}

// checklist: TCP-007
TEST(TcpOptions, RandomBytesNeverHurt) {
  SeededRandom random{11};
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> bytes(random.below(41));
    for (auto& b : bytes) b = static_cast<std::byte>(random.below(12));
    const auto parsed = TcpOptions::parse(bytes);
    ASSERT_LE(parsed.sack_count, TcpOptions::kMaxSackBlocks);
  }
}

}  // namespace
}  // namespace stack::wire
