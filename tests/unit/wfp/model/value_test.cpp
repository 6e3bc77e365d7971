#include "wfp/model/value.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wfp::model {
namespace {

Value copied(const FWP_VALUE0& from) {
  Value out;
  EXPECT_EQ(Value::copy(from, out), STATUS_SUCCESS);
  return out;
}

TEST(Value, SignedIntegersAreOrderedWithTheirSign) {
  FWP_VALUE0 minus{}, plus{};
  minus.type = plus.type = FWP_INT32;
  minus.int32 = -5;
  plus.int32 = 3;
  EXPECT_TRUE(compare(minus, copied(plus)) < 0);
  FWP_VALUE0 large{};
  large.type = FWP_INT8;
  large.int8 = -1;
  EXPECT_TRUE(is_equal(large, copied(large)));
  EXPECT_TRUE(compare(large, copied(plus)) == std::partial_ordering::unordered);
}

TEST(Value, SixtyFourBitNumbersAreCopiedFromTheirPointers) {
  UINT64 number = 0xffff'ffff'0000'0001;
  FWP_VALUE0 value{};
  value.type = FWP_UINT64;
  value.uint64 = &number;
  Value copy = copied(value);
  number = 0;
  EXPECT_EQ(*copy.view().uint64, 0xffff'ffff'0000'0001u);
  value.uint64 = nullptr;
  Value none;
  EXPECT_EQ(Value::copy(value, none), STATUS_FWP_NULL_POINTER);
}

TEST(Value, FloatsCompareAsNumbers) {
  double small = -2.5, large = 1e9;
  FWP_VALUE0 a{}, b{};
  a.type = b.type = FWP_DOUBLE;
  a.double64 = &small;
  b.double64 = &large;
  EXPECT_TRUE(compare(a, copied(b)) < 0);
}

TEST(Value, StringsCompareByUnitAndIgnoreAsciiCaseOnRequest) {
  std::u16string lower = u"http", upper = u"HTTP", longer = u"https";
  const auto value = [](std::u16string& text) {
    FWP_VALUE0 out{};
    out.type = FWP_UNICODE_STRING_TYPE;
    out.unicodeString = text.data();
    return out;
  };
  EXPECT_FALSE(is_equal(value(lower), copied(value(upper))));
  EXPECT_TRUE(is_equal_ignoring_case(value(lower), copied(value(upper))));
  EXPECT_TRUE(compare(value(lower), copied(value(longer))) < 0);
  EXPECT_EQ(std::u16string(reinterpret_cast<const char16_t*>(copied(value(lower)).view().unicodeString)), u"http");
}

TEST(Value, BoundsAndUnknownTypes) {
  FWP_BYTE_BLOB blob{kMaxBlobBytes + 1, nullptr};
  std::vector<UINT8> bytes(kMaxBlobBytes + 1);
  blob.data = bytes.data();
  FWP_VALUE0 value{};
  value.type = FWP_BYTE_BLOB_TYPE;
  value.byteBlob = &blob;
  Value out;
  EXPECT_EQ(Value::copy(value, out), STATUS_FWP_OUT_OF_BOUNDS);
  blob.size = kMaxBlobBytes;
  EXPECT_EQ(Value::copy(value, out), STATUS_SUCCESS);
  blob.data = nullptr;
  EXPECT_EQ(Value::copy(value, out), STATUS_FWP_NULL_POINTER);
  value.type = FWP_RANGE_TYPE;
  EXPECT_EQ(Value::copy(value, out), STATUS_FWP_TYPE_MISMATCH);
}

TEST(Value, SidsCompareByTheirOwnLength) {
  alignas(4) UINT8 system[] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0};
  alignas(4) UINT8 service[] = {1, 1, 0, 0, 0, 0, 0, 5, 19, 0, 0, 0};
  const auto value = [](UINT8* bytes) {
    FWP_VALUE0 out{};
    out.type = FWP_SID;
    out.sid = reinterpret_cast<SID*>(bytes);
    return out;
  };
  EXPECT_TRUE(is_equal(value(system), copied(value(system))));
  EXPECT_FALSE(is_equal(value(system), copied(value(service))));
  EXPECT_EQ(copied(value(system)).bytes.size(), 12u);
  alignas(4) UINT8 endless[8] = {1, 16, 0, 0, 0, 0, 0, 5};  // more than a SID may count: not followed
  Value out;
  EXPECT_EQ(Value::copy(value(endless), out), STATUS_FWP_OUT_OF_BOUNDS);
}

}  // namespace
}  // namespace wfp::model
