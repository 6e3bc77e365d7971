// ICMP of both families and neighbour discovery.
#include <gtest/gtest.h>

#include <vector>

#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ndp.hpp"

namespace stack::wire {
namespace {

template <typename Fields>
std::vector<std::byte> emitted(const Fields& fields) {
  std::vector<std::byte> bytes(fields.size());
  fields.emit(bytes);
  return bytes;
}

const MacAddress kMac{
    {std::byte{2}, std::byte{0x11}, std::byte{0x22}, std::byte{0x33}, std::byte{0x44}, std::byte{0x55}}};
const IpAddress kTarget = *IpAddress::parse("fd77::2");

TEST(Icmp, RoundTripAndTruncation) {
  const auto bytes = emitted(IcmpFields{.type = 8, .code = 1, .checksum = 0x1234, .rest = 0x00070009});
  const auto view = IcmpView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->type(), 8);
  EXPECT_EQ(view->code(), 1);
  EXPECT_EQ(view->checksum(), 0x1234);
  EXPECT_EQ(view->echo_id(), 7);
  EXPECT_EQ(view->echo_sequence(), 9);
  EXPECT_EQ(IcmpView::parse(Bytes{bytes}.first(7)).drop(), Drop::TruncatedHeader);
}

TEST(Icmp, ErrorsAreToldFromQuestions) {
  EXPECT_TRUE(icmpv4::is_error(icmpv4::kUnreachable));
  EXPECT_TRUE(icmpv4::is_error(icmpv4::kRedirect));
  EXPECT_FALSE(icmpv4::is_error(icmpv4::kEcho));
  EXPECT_TRUE(icmpv6::is_error(100)) << "RFC 4443 2.1: types below 128";
  EXPECT_FALSE(icmpv6::is_error(icmpv6::kEcho));
  EXPECT_TRUE(icmpv6::is_ndp(135));
  EXPECT_FALSE(icmpv6::is_ndp(138));
}

TEST(Ndp, NeighborMessagesRoundTrip) {
  NeighborFields fields{
      .type = icmpv6::kNeighborAdvert, .solicited = true, .override_entry = true, .target = kTarget};
  fields.options.target_mac = kMac;
  const auto bytes = emitted(fields);
  ASSERT_EQ(bytes.size(), 32u);
  const auto view = NeighborView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->target(), kTarget);
  EXPECT_FALSE(view->is_router());
  EXPECT_TRUE(view->is_solicited());
  EXPECT_TRUE(view->is_override());
  EXPECT_EQ(view->options().target_mac, kMac);
  EXPECT_FALSE(view->options().source_mac);
}

TEST(Ndp, RouterAdvertRoundTrips) {
  RouterAdvertFields fields{
      .hop_limit = 64, .router_lifetime_seconds = 1800, .reachable_ms = 30000, .retransmit_ms = 1000};
  fields.options.source_mac = kMac;
  fields.options.mtu = 1400;
  fields.options.prefix_storage[0] = {.prefix = *IpPrefix::parse("fd77::/64"),
                                      .on_link = true,
                                      .autonomous = true,
                                      .valid_seconds = 86400,
                                      .preferred_seconds = 14400};
  fields.options.prefix_count = 1;
  const auto bytes = emitted(fields);
  const auto view = RouterAdvertView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->hop_limit(), 64);
  EXPECT_EQ(view->router_lifetime_seconds(), 1800);
  EXPECT_EQ(view->reachable_ms(), 30000u);
  EXPECT_EQ(view->retransmit_ms(), 1000u);
  EXPECT_EQ(view->options().mtu, 1400u);
  ASSERT_EQ(view->options().prefixes().size(), 1u);
  EXPECT_EQ(view->options().prefixes()[0], fields.options.prefix_storage[0]);
}

TEST(Ndp, RouterSolicit) {
  RouterSolicitFields fields;
  fields.options.source_mac = kMac;
  const auto bytes = emitted(fields);
  EXPECT_EQ(load_u8(bytes, 0), icmpv6::kRouterSolicit);
  EXPECT_EQ(NdpOptions::parse(Bytes{bytes}.subspan(8))->source_mac, kMac);
}

// checklist: TCP-248
TEST(Ndp, RejectsTruncationAndBadOptions) {
  NeighborFields fields{.target = kTarget};
  fields.options.source_mac = kMac;
  auto bytes = emitted(fields);
  EXPECT_EQ(NeighborView::parse(Bytes{bytes}.first(23)).drop(), Drop::TruncatedHeader);
  EXPECT_EQ(NeighborView::parse(Bytes{bytes}.first(25)).drop(), Drop::BadOption);
  EXPECT_EQ(NeighborView::parse(Bytes{bytes}.first(31)).drop(), Drop::BadOption);
  store_u8(bytes, 25, 0);
  EXPECT_EQ(NeighborView::parse(bytes).drop(), Drop::BadOption) << "RFC 4861 4.6: length zero";
  EXPECT_EQ(RouterAdvertView::parse(Bytes{bytes}.first(15)).drop(), Drop::TruncatedHeader);
}

TEST(Ndp, UnknownOptionsAreSkippedAndPrefixesBounded) {
  std::vector<std::byte> options(8 + 32 * 6);
  store_u8(options, 0, 200);
  store_u8(options, 1, 1);
  for (std::size_t at = 8; at < options.size(); at += 32) {
    store_u8(options, at, 3);
    store_u8(options, at + 1, 4);
    store_u8(options, at + 2, 255);
  }
  const auto parsed = NdpOptions::parse(options);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->prefix_count, NdpOptions::kMaxPrefixes);
  EXPECT_EQ(parsed->prefixes()[0].prefix.length, 128) << "a length that an address can have";
}

TEST(Ndp, DerivedAddresses) {
  EXPECT_EQ(solicited_node_group(*IpAddress::parse("fd77::1:2:aabb:ccdd")).to_string(), "ff02::1:ffbb:ccdd");
  EXPECT_EQ(all_nodes_group().to_string(), "ff02::1");
  EXPECT_EQ(all_routers_group().to_string(), "ff02::2");
  EXPECT_EQ(link_local_address(kMac).to_string(), "fe80::11:22ff:fe33:4455");
}

}  // namespace
}  // namespace stack::wire
