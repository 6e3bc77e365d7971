#include <gtest/gtest.h>

#include <set>

#include "stack/base/address.hpp"
#include "stack/base/drop.hpp"
#include "stack/base/handle.hpp"
#include "stack/base/hash.hpp"
#include "stack/base/result.hpp"
#include "stack/base/rng.hpp"
#include "stack/base/seq.hpp"
#include "stack/base/time.hpp"
#include "stack/base/token_bucket.hpp"

namespace stack {
namespace {

TEST(Seq, OrderIsCircular) {
  const Seq high{0xffff'fff0}, low{0x10};
  EXPECT_TRUE(high.before(low));
  EXPECT_TRUE(low.after(high));
  EXPECT_FALSE(low.before(low));
  EXPECT_TRUE(low.at_or_before(low));
  EXPECT_EQ(low - high, 0x20U);
  EXPECT_EQ(later(high, low), low);
  EXPECT_EQ(earlier(high, low), high);
}

TEST(Seq, WithinIsHalfOpenAndWraps) {
  const Seq first{0xffff'fffe};
  EXPECT_TRUE(first.within(first, 1));
  EXPECT_TRUE((first + 3).within(first, 4));
  EXPECT_FALSE((first + 4).within(first, 4));
  EXPECT_FALSE((first - 1).within(first, 4));
  EXPECT_FALSE(first.within(first, 0));
}

TEST(IpAddress, ParsesAndPrintsBothFamilies) {
  for (const char* text :
       {"10.77.0.2", "255.255.255.255", "fd77::2", "::1", "::", "fe80::1", "2001:db8::8a2e:370:7334"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  for (const char* text : {"", "10.77.0", "10.77.0.256", "fd77:::2", "1.2.3.4.5", "x"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpAddress, KnowsItsKind) {
  const auto is = [](const char* text, auto test) { return (IpAddress::parse(text).value().*test)(); };
  EXPECT_TRUE(is("127.1.2.3", &IpAddress::is_loopback));
  EXPECT_TRUE(is("::1", &IpAddress::is_loopback));
  EXPECT_FALSE(is("1::1", &IpAddress::is_loopback));
  EXPECT_TRUE(is("239.1.2.3", &IpAddress::is_multicast));
  EXPECT_FALSE(is("240.0.0.1", &IpAddress::is_multicast));
  EXPECT_TRUE(is("ff02::1", &IpAddress::is_multicast));
  EXPECT_TRUE(is("255.255.255.255", &IpAddress::is_broadcast));
  EXPECT_TRUE(is("169.254.9.9", &IpAddress::is_link_local));
  EXPECT_TRUE(is("febf::1", &IpAddress::is_link_local));
  EXPECT_FALSE(is("fec0::1", &IpAddress::is_link_local));
  EXPECT_TRUE(is("0.0.0.0", &IpAddress::is_unspecified));
  EXPECT_TRUE(is("::", &IpAddress::is_unspecified));
}

TEST(IpAddress, FamiliesNeverCompareEqual) { EXPECT_NE(IpAddress::any(Family::V4), IpAddress::any(Family::V6)); }

TEST(IpPrefix, ContainsLooksAtTheWholePrefixAndNoMore) {
  const auto prefix = IpPrefix::parse("10.77.0.2/23").value();
  EXPECT_TRUE(prefix.contains(*IpAddress::parse("10.77.1.255")));
  EXPECT_FALSE(prefix.contains(*IpAddress::parse("10.77.2.0")));
  EXPECT_FALSE(prefix.contains(*IpAddress::parse("fd77::2")));
  EXPECT_TRUE(IpPrefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("9.9.9.9")));
  EXPECT_TRUE(IpPrefix::parse("fd77::/63")->contains(*IpAddress::parse("fd77:0:0:1::9")));
  EXPECT_FALSE(IpPrefix::parse("fd77::/64")->contains(*IpAddress::parse("fd77:0:0:1::9")));
  EXPECT_EQ(IpPrefix::parse("10.0.0.1")->length, 32);
  EXPECT_TRUE(IpPrefix::parse("10.0.0.1")->contains(*IpAddress::parse("10.0.0.1")));
  EXPECT_FALSE(IpPrefix::parse("fd77::1")->contains(*IpAddress::parse("fd77::3")));
  for (const char* text : {"10.0.0.1/33", "fd77::/129", "10.0.0.1/", "10.0.0.1/x", "10.0.0.1/8x", "/8"})
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
}

TEST(SocketAddress, PrintsBracketsAroundIpv6) {
  EXPECT_EQ((SocketAddress{*IpAddress::parse("fd77::2"), 80}.to_string()), "[fd77::2]:80");
  EXPECT_EQ((SocketAddress{*IpAddress::parse("10.77.0.2"), 80}.to_string()), "10.77.0.2:80");
}

TEST(SipHash, MatchesThePublishedVectors) {
  SipKey key{0x0706'0504'0302'0100, 0x0f0e'0d0c'0b0a'0908};
  std::array<std::byte, 15> data;
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i);
  EXPECT_EQ(siphash(key, {}), 0x726f'db47'dd0e'0e31ULL);
  EXPECT_EQ(siphash(key, Bytes{data}.first(8)), 0x93f5'f579'9a93'2462ULL);
  EXPECT_EQ(siphash(key, data), 0xa129'ca61'49be'45e5ULL);
}

TEST(SlotTable, StaleHandlesFindNothing) {
  SlotTable<int, struct TestTag> table{2};
  int one = 1, two = 2, three = 3;
  const auto first = table.insert(&one).value();
  const auto second = table.insert(&two).value();
  EXPECT_FALSE(table.insert(&three)) << "the table is full";
  EXPECT_EQ(table.find(first), &one);
  table.erase(first);
  EXPECT_EQ(table.find(first), nullptr);
  const auto again = table.insert(&three).value();
  EXPECT_EQ(again.slot(), first.slot());
  EXPECT_EQ(table.find(first), nullptr) << "the slot lives on, the handle does not";
  EXPECT_EQ(table.find(again), &three);
  EXPECT_EQ(table.find(second), &two);
  EXPECT_EQ(table.find({}), nullptr);
  EXPECT_EQ(table.size(), 2U);
}

TEST(Drop, EveryReasonHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDropCount; ++i) names.insert(name_of(static_cast<Drop>(i)));
  EXPECT_EQ(names.size(), kDropCount);
  EXPECT_EQ(name_of(Drop::TcpPaws), "tcp_paws");
}

TEST(Result, HoldsAValueOrAReason) {
  const Result<int> good{7}, bad{Drop::BadChecksum};
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 7);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.drop(), Drop::BadChecksum);
}

TEST(SeededRandom, RepeatsAndStaysBelow) {
  SeededRandom a{5}, b{5}, c{6};
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  for (int i = 0; i < 1000; ++i) EXPECT_LT(a.below(7), 7U);
}

TEST(Instant, NeverIsLaterThanEverything) {
  EXPECT_LT(Instant::from_ns(INT64_MAX - 1), kNever);
  EXPECT_EQ(Instant::from_ns(5) + 10ns - 3ns, Instant::from_ns(12));
  EXPECT_EQ(Instant::from_ns(12) - Instant::from_ns(5), 7ns);
}

TEST(TokenBucket, BurstThenRateWithoutLosingParts) {
  const auto at = [](Duration d) { return Instant{} + d; };
  TokenBucket bucket{2, 3};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(at(1s)));
  EXPECT_FALSE(bucket.take(at(1s)));
  EXPECT_TRUE(bucket.take(at(1750ms)));
  EXPECT_FALSE(bucket.take(at(1999ms)));
  EXPECT_TRUE(bucket.take(at(2s))) << "the quarter second before counts";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(at(10min)));
  EXPECT_FALSE(bucket.take(at(10min))) << "no more than the burst is saved up";
  TokenBucket closed{0, 3};
  EXPECT_FALSE(closed.take(at(1s)));
  TokenBucket open{4'000'000'000, 1};
  EXPECT_TRUE(open.take(at(1s)) && open.take(at(1s) + 1ns));
}

}  // namespace
}  // namespace stack
