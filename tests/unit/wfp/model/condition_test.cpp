#include "wfp/model/condition.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "fwpm/conditions.h"
#include "fwps/layers.h"

namespace wfp::model {
namespace {

FWP_VALUE0 u8(UINT8 value) {
  FWP_VALUE0 out{};
  out.type = FWP_UINT8;
  out.uint8 = value;
  return out;
}
FWP_VALUE0 u16(UINT16 value) {
  FWP_VALUE0 out{};
  out.type = FWP_UINT16;
  out.uint16 = value;
  return out;
}
FWP_VALUE0 u32(UINT32 value) {
  FWP_VALUE0 out{};
  out.type = FWP_UINT32;
  out.uint32 = value;
  return out;
}
const FWP_VALUE0 kEmpty{};

FWP_CONDITION_VALUE0 condition_value(const FWP_VALUE0& value) {
  FWP_CONDITION_VALUE0 out{};
  std::memcpy(&out, &value, sizeof out);
  return out;
}

struct Made {
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  Condition condition;
  bool operator()(const FWP_VALUE0& value) const { return NT_SUCCESS(status) && condition.matches(value); }
};

Made make(const GUID& field, FWP_MATCH_TYPE match, const FWP_CONDITION_VALUE0& value,
          std::uint16_t layer = FWPS_LAYER_INBOUND_TRANSPORT_V4) {
  Made out;
  out.status = Condition::copy({field, match, value}, *find_layer(layer), out.condition);
  return out;
}
Made make(const GUID& field, FWP_MATCH_TYPE match, const FWP_VALUE0& value,
          std::uint16_t layer = FWPS_LAYER_INBOUND_TRANSPORT_V4) {
  return make(field, match, condition_value(value), layer);
}

struct Comparison {
  FWP_MATCH_TYPE match;
  UINT16 with;
  bool below, same, above;  // of 79, 80, 81
};

TEST(Condition, ComparesPorts) {
  const Comparison rows[] = {
      {FWP_MATCH_EQUAL, 80, false, true, false},           {FWP_MATCH_NOT_EQUAL, 80, true, false, true},
      {FWP_MATCH_GREATER, 80, false, false, true},         {FWP_MATCH_LESS, 80, true, false, false},
      {FWP_MATCH_GREATER_OR_EQUAL, 80, false, true, true}, {FWP_MATCH_LESS_OR_EQUAL, 80, true, true, false},
  };
  for (const Comparison& row : rows) {
    const Made made = make(FWPM_CONDITION_IP_LOCAL_PORT, row.match, u16(row.with));
    ASSERT_EQ(made.status, STATUS_SUCCESS) << row.match;
    EXPECT_EQ(made(u16(79)), row.below) << row.match;
    EXPECT_EQ(made(u16(80)), row.same) << row.match;
    EXPECT_EQ(made(u16(81)), row.above) << row.match;
  }
}

TEST(Condition, NothingIsConverted) {
  EXPECT_EQ(make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_EQUAL, u32(80)).status, STATUS_FWP_TYPE_MISMATCH);
  EXPECT_EQ(make(FWPM_CONDITION_IP_PROTOCOL, FWP_MATCH_EQUAL, u16(6)).status, STATUS_FWP_TYPE_MISMATCH);
  const Made port = make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_EQUAL, u16(80));
  EXPECT_FALSE(port(u32(80)));
  EXPECT_FALSE(port(u8(80)));
}

TEST(Condition, RefusesFieldsThatTheLayerHasNot) {
  FWP_BYTE_BLOB blob{};
  EXPECT_EQ(
      make(FWPM_CONDITION_ALE_APP_ID, FWP_MATCH_EQUAL, FWP_VALUE0{.type = FWP_BYTE_BLOB_TYPE, .byteBlob = &blob})
          .status,
      STATUS_FWP_CONDITION_NOT_FOUND);
}

TEST(Condition, EmptyMatchesOnlyEqualEmpty) {
  const Made empty = make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_EQUAL, kEmpty);
  ASSERT_EQ(empty.status, STATUS_SUCCESS);
  EXPECT_TRUE(empty(kEmpty));
  EXPECT_FALSE(empty(u16(0)));
  for (const auto match : {FWP_MATCH_EQUAL, FWP_MATCH_NOT_EQUAL, FWP_MATCH_LESS, FWP_MATCH_GREATER_OR_EQUAL})
    EXPECT_FALSE(make(FWPM_CONDITION_IP_LOCAL_PORT, match, u16(80))(kEmpty)) << match;
  EXPECT_EQ(make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_NOT_EQUAL, kEmpty).status, STATUS_FWP_MATCH_TYPE_MISMATCH);
}

TEST(Condition, MasksOfBothFamilies) {
  FWP_V4_ADDR_AND_MASK v4{0x0a4d0002, 0xffffff00};
  FWP_CONDITION_VALUE0 value{};
  value.type = FWP_V4_ADDR_MASK;
  value.v4AddrMask = &v4;
  const Made made = make(FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, value);
  EXPECT_TRUE(made(u32(0x0a4d00ff)));
  EXPECT_FALSE(made(u32(0x0a4d01ff)));
  EXPECT_TRUE(make(FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_NOT_EQUAL, value)(u32(0x0a4d01ff)));
  v4.mask = 0xff00ff00;
  EXPECT_EQ(make(FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, value).status, STATUS_FWP_INVALID_NET_MASK);

  FWP_V6_ADDR_AND_MASK v6{{0xfd, 0x77, 0xf0}, 20};
  value.type = FWP_V6_ADDR_MASK;
  value.v6AddrMask = &v6;
  const Made made6 = make(FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, value, FWPS_LAYER_INBOUND_TRANSPORT_V6);
  FWP_BYTE_ARRAY16 inside{{0xfd, 0x77, 0xff, 0x01}}, outside{{0xfd, 0x77, 0xef}};
  EXPECT_TRUE(made6({.type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &inside}));
  EXPECT_FALSE(made6({.type = FWP_BYTE_ARRAY16_TYPE, .byteArray16 = &outside}));
  EXPECT_EQ(make(FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, value).status, STATUS_FWP_TYPE_MISMATCH);
  v6.prefixLength = 129;
  EXPECT_EQ(make(FWPM_CONDITION_IP_REMOTE_ADDRESS, FWP_MATCH_EQUAL, value, FWPS_LAYER_INBOUND_TRANSPORT_V6).status,
            STATUS_FWP_INVALID_NET_MASK);
}

TEST(Condition, Ranges) {
  FWP_RANGE0 range{u16(1000), u16(2000)};
  FWP_CONDITION_VALUE0 value{};
  value.type = FWP_RANGE_TYPE;
  value.rangeValue = &range;
  const Made made = make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_RANGE, value);
  for (const int port : {1000, 1500, 2000}) EXPECT_TRUE(made(u16(static_cast<UINT16>(port))));
  for (const int port : {999, 2001}) EXPECT_FALSE(made(u16(static_cast<UINT16>(port))));
  EXPECT_EQ(make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_EQUAL, value).status, STATUS_FWP_MATCH_TYPE_MISMATCH);
  EXPECT_EQ(make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_RANGE, u16(1)).status, STATUS_FWP_MATCH_TYPE_MISMATCH);
  range = {u16(2000), u16(1000)};
  EXPECT_EQ(make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_RANGE, value).status, STATUS_FWP_INVALID_RANGE);
  range = {u16(1), u32(2)};
  EXPECT_EQ(make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_RANGE, value).status, STATUS_FWP_INVALID_RANGE);
  value.rangeValue = nullptr;
  EXPECT_EQ(make(FWPM_CONDITION_IP_LOCAL_PORT, FWP_MATCH_RANGE, value).status, STATUS_FWP_NULL_POINTER);
}

TEST(Condition, Flags) {
  const auto flags = [](FWP_MATCH_TYPE match) { return make(FWPM_CONDITION_FLAGS, match, u32(0x6)); };
  EXPECT_TRUE(flags(FWP_MATCH_FLAGS_ALL_SET)(u32(0x7)));
  EXPECT_FALSE(flags(FWP_MATCH_FLAGS_ALL_SET)(u32(0x3)));
  EXPECT_TRUE(flags(FWP_MATCH_FLAGS_ANY_SET)(u32(0x3)));
  EXPECT_FALSE(flags(FWP_MATCH_FLAGS_ANY_SET)(u32(0x9)));
  EXPECT_TRUE(flags(FWP_MATCH_FLAGS_NONE_SET)(u32(0x9)));
  EXPECT_FALSE(flags(FWP_MATCH_FLAGS_NONE_SET)(u32(0x2)));
}

// The documentation's own warning: PREFIX tests the end.
TEST(Condition, PrefixTestsTheEnd) {
  std::u16string path = u"\\device\\harddiskvolume1\\wfptap\\http", end = u"\\http", start = u"\\device";
  const auto blob_of = [](std::u16string& text) {
    return FWP_BYTE_BLOB{static_cast<UINT32>(2 * text.size() + 2), reinterpret_cast<UINT8*>(text.data())};
  };
  FWP_BYTE_BLOB whole = blob_of(path), tail = blob_of(end), head = blob_of(start);
  const FWP_VALUE0 value{.type = FWP_BYTE_BLOB_TYPE, .byteBlob = &whole};
  const auto made = [&](FWP_MATCH_TYPE match, FWP_BYTE_BLOB& with) {
    return make(FWPM_CONDITION_ALE_APP_ID, match, FWP_VALUE0{.type = FWP_BYTE_BLOB_TYPE, .byteBlob = &with},
                FWPS_LAYER_ALE_AUTH_CONNECT_V4);
  };
  EXPECT_TRUE(made(FWP_MATCH_PREFIX, tail)(value));
  EXPECT_FALSE(made(FWP_MATCH_PREFIX, head)(value));
  EXPECT_TRUE(made(FWP_MATCH_NOT_PREFIX, head)(value));
  EXPECT_TRUE(made(FWP_MATCH_EQUAL, whole)(value));
  EXPECT_FALSE(made(FWP_MATCH_EQUAL, tail)(value));
}

TEST(Condition, SecurityDescriptorsAreRefusedLoudly) {
  UINT8 bytes[20]{};
  FWP_BYTE_BLOB blob{sizeof bytes, bytes};
  EXPECT_EQ(make(FWPM_CONDITION_ALE_USER_ID, FWP_MATCH_EQUAL,
                 FWP_VALUE0{.type = FWP_SECURITY_DESCRIPTOR_TYPE, .byteBlob = &blob}, FWPS_LAYER_ALE_AUTH_CONNECT_V4)
                .status,
            STATUS_NOT_SUPPORTED);
}

TEST(Condition, ViewShowsWhatWasCopied) {
  FWP_V4_ADDR_AND_MASK mask{0x0a000000, 0xff000000};
  FWP_CONDITION_VALUE0 value{};
  value.type = FWP_V4_ADDR_MASK;
  value.v4AddrMask = &mask;
  Made made = make(FWPM_CONDITION_IP_LOCAL_ADDRESS, FWP_MATCH_EQUAL, value);
  mask = {};  // the caller's memory is the caller's again
  const FWP_CONDITION_VALUE0 view = made.condition.value.view();
  ASSERT_EQ(view.type, FWP_V4_ADDR_MASK);
  EXPECT_EQ(view.v4AddrMask->addr, 0x0a000000u);
  EXPECT_EQ(view.v4AddrMask->mask, 0xff000000u);
}

}  // namespace
}  // namespace wfp::model
