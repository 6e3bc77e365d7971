#include "tap/address.hpp"

#include <gtest/gtest.h>

namespace tap {
namespace {

TEST(Address, ParsesBothFamilies) {
  const auto v4 = parse_prefix("10.77.0.1/24");
  ASSERT_TRUE(v4);
  EXPECT_FALSE(v4->is_v6);
  EXPECT_EQ(v4->length, 24);
  EXPECT_EQ(v4->bytes[0], 10);
  EXPECT_EQ(v4->bytes[3], 1);
  const auto v6 = parse_prefix("fd77::1/64");
  ASSERT_TRUE(v6);
  EXPECT_TRUE(v6->is_v6);
  EXPECT_EQ(v6->address().size(), 16u);
  EXPECT_EQ(to_string(*v6), "fd77::1/64");
}

TEST(Address, WithoutLengthIsOneHost) {
  EXPECT_EQ(parse_prefix("10.77.0.1")->length, 32);
  EXPECT_EQ(parse_prefix("fd77::1")->length, 128);
}

TEST(Address, BadTextNamesItself) {
  for (const char* text : {"", "10.77.0", "10.77.0.1/33", "fd77::1/129", "10.77.0.1/", "10.77.0.1/2x", "10.77.0.1/-1",
                           "fd77::g", "10.77.0.1.2/8", "/24"}) {
    const auto parsed = parse_prefix(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().what.find(std::string{"'"} + text + "'"), std::string::npos) << parsed.error().what;
  }
}

}  // namespace
}  // namespace tap
