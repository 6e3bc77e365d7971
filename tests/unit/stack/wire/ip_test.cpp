// IPv4 and IPv6 headers, IPv4 options, UDP.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv4_options.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/udp.hpp"

namespace stack::wire {
namespace {

template <typename Fields>
std::vector<std::byte> emitted(const Fields& fields, std::size_t payload = 0) {
  std::vector<std::byte> bytes(fields.size() + payload);
  fields.emit(bytes);
  return bytes;
}
std::vector<std::byte> bytes_of(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (int v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}

const Ipv4Fields kIpv4{.traffic_class = 0x2e,
                       .payload_size = 100,
                       .identification = 0xabcd,
                       .dont_fragment = true,
                       .more_fragments = true,
                       .fragment_offset = 1480,
                       .hop_limit = 63,
                       .protocol = 6,
                       .source = IpAddress::v4(0x0a4d0001),
                       .destination = IpAddress::v4(0x0a4d0002)};

TEST(Ipv4, ParseReturnsWhatEmitWrote) {
  const auto bytes = emitted(kIpv4, 100);
  const auto view = Ipv4View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header_size(), 20u);
  EXPECT_EQ(view->traffic_class(), 0x2e);
  EXPECT_EQ(view->total_length(), 120u);
  EXPECT_EQ(view->payload_size(), 100u);
  EXPECT_EQ(view->identification(), 0xabcd);
  EXPECT_TRUE(view->dont_fragment());
  EXPECT_TRUE(view->more_fragments());
  EXPECT_TRUE(view->is_fragment());
  EXPECT_EQ(view->fragment_offset(), 1480u);
  EXPECT_EQ(view->hop_limit(), 63);
  EXPECT_EQ(view->protocol(), 6);
  EXPECT_EQ(view->source(), kIpv4.source);
  EXPECT_EQ(view->destination(), kIpv4.destination);
  EXPECT_TRUE(view->is_checksum_valid());
}

TEST(Ipv4, KnownChecksum) {  // the worked example that textbooks share
  const auto bytes = bytes_of({0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                               0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7});
  const auto view = Ipv4View::parse_quoted(bytes);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->is_checksum_valid());
  EXPECT_EQ(emitted(Ipv4Fields{.payload_size = 95,
                               .dont_fragment = true,
                               .protocol = 17,
                               .source = IpAddress::v4(0xc0a80001),
                               .destination = IpAddress::v4(0xc0a800c7)}),
            bytes);
}

TEST(Ipv4, OptionsArePaddedAndCounted) {
  const auto option = bytes_of({148, 4, 0, 0, 1});
  auto fields = kIpv4;
  fields.options = option;
  const auto bytes = emitted(fields, 100);
  const auto view = Ipv4View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->header_size(), 28u);
  EXPECT_TRUE(view->is_checksum_valid());
  EXPECT_TRUE(std::ranges::equal(view->option_bytes(), bytes_of({148, 4, 0, 0, 1, 0, 0, 0})));
}

// checklist: TCP-212
TEST(Ipv4, Rejects) {
  const auto good = emitted(kIpv4, 100);
  EXPECT_EQ(Ipv4View::parse(Bytes{good}.first(19)).drop(), Drop::TruncatedHeader);
  EXPECT_EQ(Ipv4View::parse(Bytes{good}.first(119)).drop(), Drop::BadLength);
  auto bad = good;
  store_u8(bad, 0, 0x65);
  EXPECT_EQ(Ipv4View::parse(bad).drop(), Drop::BadVersion);
  store_u8(bad, 0, 0x44);
  EXPECT_EQ(Ipv4View::parse(bad).drop(), Drop::BadHeaderLength);
  store_u8(bad, 0, 0x4f);
  EXPECT_EQ(Ipv4View::parse(Bytes{bad}.first(59), 120).drop(), Drop::TruncatedHeader);
  bad = good;
  store_be16(bad, 2, 19);
  EXPECT_EQ(Ipv4View::parse(bad).drop(), Drop::BadLength);
  bad = good;
  store_u8(bad, 8, 1);
  EXPECT_FALSE(Ipv4View::parse(bad)->is_checksum_valid());
}

TEST(Ipv4Options, SourceRoutesAndErrors) {
  EXPECT_TRUE(Ipv4Options::parse(bytes_of({1, 131, 7, 4, 1, 2, 3, 4})).source_route);
  EXPECT_FALSE(Ipv4Options::parse(bytes_of({131, 7, 8, 1, 2, 3, 4, 0})).source_route) << "nothing left to visit";
  EXPECT_FALSE(Ipv4Options::parse(bytes_of({7, 7, 4, 1, 2, 3, 4, 0})).error_offset);
  EXPECT_FALSE(Ipv4Options::parse(bytes_of({7, 7, 4, 1, 2, 3, 4, 0})).source_route)
      << "a route that is only recorded";
  EXPECT_EQ(Ipv4Options::parse(bytes_of({1, 1, 68, 9, 0, 0, 0, 0})).error_offset, 22u);
  EXPECT_EQ(Ipv4Options::parse(bytes_of({68, 1, 0, 0})).error_offset, 20u);
  EXPECT_EQ(Ipv4Options::parse(bytes_of({68, 3, 5, 0})).error_offset, 20u) << "no place for the flag";
  EXPECT_EQ(Ipv4Options::parse(bytes_of({68, 8, 4, 0, 0, 0, 0, 0})).error_offset, 20u)
      << "the pointer within the head";
  EXPECT_FALSE(Ipv4Options::parse(bytes_of({68, 8, 5, 0, 0, 0, 0, 0})).error_offset);
  EXPECT_EQ(Ipv4Options::parse(bytes_of({1, 1, 1, 68})).error_offset, 23u);
  EXPECT_EQ(Ipv4Options::parse(bytes_of({137, 2, 0, 0})).error_offset, 20u);
  EXPECT_FALSE(Ipv4Options::parse(bytes_of({0, 9, 9, 9})).error_offset);
}

const Ipv6Fields kIpv6{.traffic_class = 0xb8,
                       .flow_label = 0x12345,
                       .payload_size = 10,
                       .next_header = 17,
                       .hop_limit = 255,
                       .source = *IpAddress::parse("fd77::1"),
                       .destination = *IpAddress::parse("fd77::2")};

TEST(Ipv6, ParseReturnsWhatEmitWrote) {
  const auto bytes = emitted(kIpv6, 10);
  const auto view = Ipv6View::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->traffic_class(), 0xb8);
  EXPECT_EQ(view->flow_label(), 0x12345u);
  EXPECT_EQ(view->payload_size(), 10u);
  EXPECT_EQ(view->next_header(), 17);
  EXPECT_EQ(view->hop_limit(), 255);
  EXPECT_EQ(view->source(), kIpv6.source);
  EXPECT_EQ(view->destination(), kIpv6.destination);
}

TEST(Ipv6, Rejects) {
  auto bytes = emitted(kIpv6, 10);
  EXPECT_EQ(Ipv6View::parse(Bytes{bytes}.first(39)).drop(), Drop::TruncatedHeader);
  EXPECT_EQ(Ipv6View::parse(Bytes{bytes}.first(49)).drop(), Drop::BadLength);
  EXPECT_TRUE(Ipv6View::parse_quoted(Bytes{bytes}.first(40)));
  store_u8(bytes, 0, 0x45);
  EXPECT_EQ(Ipv6View::parse(bytes).drop(), Drop::BadVersion);
}

TEST(Udp, RoundTripAndRejects) {
  auto bytes = emitted(UdpFields{.src_port = 53, .dst_port = 40000, .payload_size = 4, .checksum = 0xbeef}, 6);
  const auto view = UdpView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->src_port(), 53);
  EXPECT_EQ(view->dst_port(), 40000);
  EXPECT_EQ(view->length(), 12u);
  EXPECT_EQ(view->payload_size(), 4u);
  EXPECT_EQ(view->checksum(), 0xbeef);
  EXPECT_EQ(UdpView::parse(Bytes{bytes}.first(7)).drop(), Drop::TruncatedHeader);
  EXPECT_EQ(UdpView::parse(Bytes{bytes}.first(11)).drop(), Drop::BadLength);
  store_be16(bytes, 4, 7);
  EXPECT_EQ(UdpView::parse(bytes).drop(), Drop::BadHeaderLength);
}

}  // namespace
}  // namespace stack::wire
