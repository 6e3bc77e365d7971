// IP addresses as text and back, as the documented routines do.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "ip2string.h"
#include "nt/ntstatus.h"

namespace wfp::kernel {
namespace {

PCWSTR wide(const char16_t* text) { return reinterpret_cast<PCWSTR>(text); }

// The address in host order and what was left unread; "invalid" for a refusal.
std::string parsed_v4(const char* text, bool strict) {
  IN_ADDR address{};
  PCSTR rest = nullptr;
  if (RtlIpv4StringToAddressA(text, strict, &rest, &address) != STATUS_SUCCESS) return "invalid";
  char out[16];
  RtlIpv4AddressToStringA(&address, out);
  return std::string(out) + "|" + rest;
}

std::string parsed_v6(const char* text) {
  IN6_ADDR address{};
  PCSTR rest = nullptr;
  if (RtlIpv6StringToAddressA(text, &rest, &address) != STATUS_SUCCESS) return "invalid";
  char out[46];
  EXPECT_EQ(*RtlIpv6AddressToStringA(&address, out), 0);
  return std::string(out) + "|" + rest;
}

TEST(IpText, Ipv4Strict) {
  EXPECT_EQ(parsed_v4("10.77.0.2", true), "10.77.0.2|");
  EXPECT_EQ(parsed_v4("255.255.255.255:80", true), "255.255.255.255|:80");
  EXPECT_EQ(parsed_v4("0.0.0.0 ", true), "0.0.0.0| ");
  for (const char* text : {"", "1.2.3", "1.2.3.", "1.2.3.256", "256.2.3.4", ".1.2.3.4", "01.2.3.4", "0x1.2.3.4",
                           "a.b.c.d", "1..2.3", "1.2.3.99999999999"})
    EXPECT_EQ(parsed_v4(text, true), "invalid") << text;
}

TEST(IpText, Ipv4OldForms) {
  EXPECT_EQ(parsed_v4("1", false), "0.0.0.1|");
  EXPECT_EQ(parsed_v4("4294967295", false), "255.255.255.255|");
  EXPECT_EQ(parsed_v4("10.65535", false), "10.0.255.255|");
  EXPECT_EQ(parsed_v4("10.1.65535", false), "10.1.255.255|");
  EXPECT_EQ(parsed_v4("0x7f.1", false), "127.0.0.1|");
  EXPECT_EQ(parsed_v4("010.0.0.1", false), "8.0.0.1|");
  for (const char* text : {"4294967296", "1.16777216", "1.2.65536", "1.2.3.256", "08.1", "0x", "1."})
    EXPECT_EQ(parsed_v4(text, false), "invalid") << text;
}

TEST(IpText, Ipv4IsInNetworkOrder) {
  IN_ADDR address{};
  PCWSTR rest = nullptr;
  const auto* text = wide(u"10.77.0.2/24");
  ASSERT_EQ(RtlIpv4StringToAddressW(text, TRUE, &rest, &address), STATUS_SUCCESS);
  EXPECT_EQ(rest, text + 9);
  EXPECT_EQ(address.S_un.S_un_b.s_b1, 10);
  EXPECT_EQ(address.S_un.S_un_b.s_b4, 2);
  WCHAR out[16];
  EXPECT_EQ(RtlIpv4AddressToStringW(&address, out), out + 9);
  EXPECT_EQ(std::u16string(reinterpret_cast<const char16_t*>(out)), u"10.77.0.2");
}

TEST(IpText, Ipv6RoundTrips) {
  for (const char* text :
       {"::", "::1", "1::", "fd77::2", "1:2:3:4:5:6:7:8", "2001:db8::1:0:0:1", "1:0:2::3:4:5", "fe80::abcd:ef01",
        "::ffff:10.77.0.2", "::10.77.0.2", "::ffff:0:10.77.0.2", "fe80::5efe:10.77.0.2", "fe80::200:5efe:10.77.0.2",
        "1:2:3:4:0:5efe:1.2.3.4", "1:0:3:4:5:6:7:8"})
    EXPECT_EQ(parsed_v6(text), std::string(text) + "|");
}

TEST(IpText, Ipv6IsWrittenInItsShortForm) {
  EXPECT_EQ(parsed_v6("2001:0DB8:0:0:0:0:0:1"), "2001:db8::1|");
  EXPECT_EQ(parsed_v6("1:0:0:2:0:0:0:3"), "1:0:0:2::3|");    // the longest run
  EXPECT_EQ(parsed_v6("1:0:0:2:3:0:0:4"), "1::2:3:0:0:4|");  // the first of two
  EXPECT_EQ(parsed_v6("::0:1"), "::1|");
  EXPECT_EQ(parsed_v6("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0|");
  EXPECT_EQ(parsed_v6("64:ff9b::1.2.3.4"), "64:ff9b::102:304|");
}

TEST(IpText, Ipv6StopsWhereTheAddressEnds) {
  EXPECT_EQ(parsed_v6("fd77::2%4"), "fd77::2|%4");
  EXPECT_EQ(parsed_v6("fd77::2]:80"), "fd77::2|]:80");
  EXPECT_EQ(parsed_v6("1:2:3:4:5:6:7:8:9"), "1:2:3:4:5:6:7:8|:9");
  EXPECT_EQ(parsed_v6("::1:"), "::1|:");
  EXPECT_EQ(parsed_v6("1:2:3:4:5:6:7:8.9.10.11"), "1:2:3:4:5:6:7:8|.9.10.11");  // no room for an IPv4 address
}

TEST(IpText, Ipv6Refusals) {
  for (const char* text : {"", ":", ":1", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "1::2::3", "12345::", "::12345",
                           "g::", "::1.2.3", "::1.2.3.256", "1:2:3:4:5:6:7:8::"})
    EXPECT_EQ(parsed_v6(text), "invalid") << text;
}

TEST(IpText, WideIpv6) {
  IN6_ADDR address{};
  PCWSTR rest = nullptr;
  const auto* text = wide(u"fd77::2");
  ASSERT_EQ(RtlIpv6StringToAddressW(text, &rest, &address), STATUS_SUCCESS);
  EXPECT_EQ(rest, text + 7);
  EXPECT_EQ(address.s6_bytes[0], 0xfd);
  EXPECT_EQ(address.s6_bytes[15], 2);
  WCHAR out[46];
  EXPECT_EQ(RtlIpv6AddressToStringW(&address, out), out + 7);
}

}  // namespace
}  // namespace wfp::kernel
