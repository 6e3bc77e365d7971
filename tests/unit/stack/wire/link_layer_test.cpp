// Ethernet and ARP.
#include <gtest/gtest.h>

#include <vector>

#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"

namespace stack::wire {
namespace {

const MacAddress kA{{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}}};
const MacAddress kB{{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{2}}};

TEST(Ethernet, RoundTripAndTruncation) {
  std::vector<std::byte> bytes(14);
  EthernetFields{.destination = kA, .source = kB, .ether_type = kEtherTypeIpv6}.emit(bytes);
  const auto view = EthernetView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->destination(), kA);
  EXPECT_EQ(view->source(), kB);
  EXPECT_EQ(view->ether_type(), 0x86dd);
  EXPECT_EQ(EthernetView::parse(Bytes{bytes}.first(13)).drop(), Drop::TruncatedHeader);
}

TEST(Ethernet, MulticastAddresses) {
  EXPECT_EQ(
      multicast_mac(*IpAddress::parse("ff02::1:ff00:2")).bytes,
      (std::array{std::byte{0x33}, std::byte{0x33}, std::byte{0xff}, std::byte{0}, std::byte{0}, std::byte{2}}));
  EXPECT_EQ(multicast_mac(*IpAddress::parse("239.129.2.3")).bytes,
            (std::array{std::byte{1}, std::byte{0}, std::byte{0x5e}, std::byte{1}, std::byte{2}, std::byte{3}}));
}

class Arp : public ::testing::Test {
 protected:
  Arp() {
    ArpFields{.operation = ArpOperation::Reply,
              .sender_mac = kA,
              .sender_ip = *IpAddress::parse("10.77.0.2"),
              .target_mac = kB,
              .target_ip = *IpAddress::parse("10.77.0.1")}
        .emit(bytes);
  }
  std::vector<std::byte> bytes = std::vector<std::byte>(28);
};

TEST_F(Arp, RoundTrip) {
  bytes.resize(46);  // Ethernet's padding
  const auto view = ArpView::parse(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->operation(), ArpOperation::Reply);
  EXPECT_EQ(view->sender_mac(), kA);
  EXPECT_EQ(view->sender_ip().to_string(), "10.77.0.2");
  EXPECT_EQ(view->target_mac(), kB);
  EXPECT_EQ(view->target_ip().to_string(), "10.77.0.1");
}

TEST_F(Arp, RejectsOtherTypesAndTruncation) {
  EXPECT_EQ(ArpView::parse(Bytes{bytes}.first(27)).drop(), Drop::TruncatedHeader);
  const std::pair<std::size_t, std::uint16_t> changes[] = {{0, 6},      {2, 0x86dd}, {4, 0x0804},
                                                           {4, 0x0610}, {6, 0},      {6, 3}};
  for (auto [at, value] : changes) {
    auto changed = bytes;
    store_be16(changed, at, value);
    EXPECT_EQ(ArpView::parse(changed).drop(), Drop::BadOption) << at;
  }
}

}  // namespace
}  // namespace stack::wire
