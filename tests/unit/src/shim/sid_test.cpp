#include "src/shim/sid.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace shim {
namespace {

std::vector<int> sid(std::string_view text) {
  std::array<std::uint8_t, 68> bytes{};
  bytes.fill(0xff);
  write_sid(text, bytes);
  return {bytes.begin(), bytes.begin() + 8 + 4 * bytes[1]};
}

TEST(Sid, LocalSystem) { EXPECT_EQ(sid("S-1-5-18"), (std::vector<int>{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0})); }

TEST(Sid, SubAuthoritiesAreLittleEndianAndTheAuthorityIsNot) {
  EXPECT_EQ(sid("S-1-258-4294967295-1"), (std::vector<int>{1, 2, 0, 0, 0, 0, 1, 2, 255, 255, 255, 255, 1, 0, 0, 0}));
}

TEST(Sid, WhatIsNoSidIsNobody) {
  const std::vector<int> nobody{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (const char* text : {"", "S", "S-1", "S-1-5", "S-2-5-18", "S-1-5-", "S-1-5-x", "S-1-5-4294967296", "S-1-5-18 ",
                           "S-1-281474976710656-1", "-1-5-18", "S-1-5--1"})
    EXPECT_EQ(sid(text), nobody) << text;
  std::string many = "S-1-5";
  for (int i = 0; i < 15; ++i) many += "-1";
  EXPECT_EQ(sid(many)[1], 15);
  EXPECT_EQ(sid(many + "-1"), nobody);
}

}  // namespace
}  // namespace shim
