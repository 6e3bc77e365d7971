// `filter add` in words, judged by what the filter does to a datagram: 10.77.0.1 port 4000 to 10.77.0.2 port 9.
#include "src/app/daemon/filters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stack/wire/checksum.hpp"
#include "tests/support/quiet_system.hpp"
#include "wfp/engine/engine.hpp"

namespace app {
namespace {

using control::Json;
using testing::HasSubstr;

class Filters : public testing::Test {
 protected:
  static Json request(const std::string& layer, std::vector<std::string> conditions,
                      const std::string& action = "block") {
    return {{"layer", layer}, {"action", action}, {"conditions", std::move(conditions)}, {"name", "test"}};
  }
  std::string refused(const Json& wish) {
    const auto reply = add_filter(wish);
    EXPECT_FALSE(reply.ok);
    return reply.error;
  }
  // Whether a filter with this condition meets the datagram.
  bool meets(const std::string& layer, const std::string& condition) {
    const auto reply = add_filter(request(layer, {condition}));
    EXPECT_TRUE(reply.ok) << condition << ": " << reply.error;
    if (!reply.ok) return false;
    const auto id = reply.result["id"].get<std::uint64_t>();
    system_.receive(datagram());
    const bool met = report(id).hits > 0;
    EXPECT_TRUE(delete_filter(id).ok);
    return met;
  }
  wfp::engine::FilterReport report(std::uint64_t id) {
    for (auto& filter : system_->engine().filter_reports())
      if (filter.id == id) return filter;
    return {};
  }
  static std::vector<std::byte> datagram() {
    std::vector<std::byte> bytes(28);
    stack::store_be16(bytes, 0, 0x4500), stack::store_be16(bytes, 2, 28), stack::store_be16(bytes, 8, 0x4011);
    stack::store_be32(bytes, 12, 0x0a4d'0001), stack::store_be32(bytes, 16, 0x0a4d'0002);
    stack::store_be16(bytes, 10, stack::wire::checksum_of(stack::Bytes{bytes}.first(20)));
    stack::store_be16(bytes, 20, 4000), stack::store_be16(bytes, 22, 9), stack::store_be16(bytes, 24, 8);
    return bytes;
  }
  test::QuietSystem system_{stack::Medium::RawIp};
};

TEST_F(Filters, AddressesAndNetworks) {
  const std::string layer = "INBOUND_IPPACKET_V4";
  EXPECT_TRUE(meets(layer, "IP_REMOTE_ADDRESS=10.77.0.1"));
  EXPECT_FALSE(meets(layer, "IP_REMOTE_ADDRESS=10.77.0.2"));
  EXPECT_TRUE(meets(layer, "IP_REMOTE_ADDRESS=10.77.0.0/31"));
  EXPECT_FALSE(meets(layer, "IP_REMOTE_ADDRESS=10.77.0.2/31"));
  EXPECT_TRUE(meets(layer, "IP_REMOTE_ADDRESS=10.77.0.77/24")) << "bits behind the network's are of no account";
  EXPECT_TRUE(meets(layer, "IP_REMOTE_ADDRESS=0.0.0.0/0"));
  EXPECT_THAT(refused(request(layer, {"IP_REMOTE_ADDRESS=fd77::1"})), HasSubstr("is no IPv4 address or network"));
  EXPECT_THAT(refused(request("INBOUND_IPPACKET_V6", {"IP_REMOTE_ADDRESS=10.77.0.1"})), HasSubstr("is no IPv6"));
  for (const char* address : {"fd77::1", "fd77::/64"})
    EXPECT_TRUE(add_filter(request("INBOUND_IPPACKET_V6", {std::string("IP_REMOTE_ADDRESS=") + address})).ok);
}

TEST_F(Filters, PortsAndProtocols) {
  const auto socket = system_->stack().open_udp({stack::IpAddress::any(stack::Family::V4), 9},
                                                std::make_shared<const stack::Owner>());
  ASSERT_EQ(socket.error, stack::Error::None);
  const std::string layer = "FWPS_LAYER_INBOUND_TRANSPORT_V4";
  EXPECT_TRUE(meets(layer, "IP_PROTOCOL=17"));
  EXPECT_FALSE(meets(layer, "IP_PROTOCOL=6"));
  EXPECT_TRUE(meets(layer, "IP_PROTOCOL=udp"));
  for (const char* other : {"tcp", "icmp", "icmpv6"}) EXPECT_FALSE(meets(layer, std::string("IP_PROTOCOL=") + other));
  EXPECT_THAT(refused(request(layer, {"IP_PROTOCOL=gre"})), HasSubstr("none of icmp, tcp, udp, icmpv6"));
  EXPECT_TRUE(meets(layer, "IP_LOCAL_PORT=9"));
  EXPECT_FALSE(meets(layer, "IP_REMOTE_PORT=9"));
  EXPECT_THAT(refused(request(layer, {"IP_PROTOCOL=256"})), HasSubstr("no number up to 255"));
  EXPECT_THAT(refused(request(layer, {"IP_LOCAL_PORT=http"})), HasSubstr("no number up to 65535"));
}

TEST_F(Filters, WhatItIsCalledAndHowMuchItWeighs) {
  auto wish = request("INBOUND_TRANSPORT_V4", {"IP_PROTOCOL=17", "IP_LOCAL_PORT=9"}, "permit");
  wish["weight"] = 12345u;
  const auto reply = add_filter(wish);
  ASSERT_TRUE(reply.ok) << reply.error;
  const auto filter = report(reply.result["id"]);
  EXPECT_EQ(filter.name, "test");
  EXPECT_EQ(filter.layer, "FWPS_LAYER_INBOUND_TRANSPORT_V4");
  EXPECT_EQ(filter.action, "permit");
  EXPECT_EQ(filter.weight, 12345u);
  EXPECT_EQ(filter.conditions, 2u);
}

TEST_F(Filters, RefusalsSayWhatWouldBeRight) {
  EXPECT_THAT(refused(request("TRANSPORT", {})),
              HasSubstr("'TRANSPORT' is no layer; write for example FWPS_LAYER_INBOUND_"));
  EXPECT_THAT(refused(request("INBOUND_TRANSPORT_V4", {}, "drop")), HasSubstr("write block or permit"));
  EXPECT_THAT(refused(request("INBOUND_TRANSPORT_V4", {"IP_PROTOCOL"})), HasSubstr("is not FIELD=VALUE"));
  EXPECT_THAT(refused(request("INBOUND_TRANSPORT_V4", {"PORT=9"})),
              HasSubstr("it has IP_PROTOCOL, IP_LOCAL_ADDRESS"));
  EXPECT_THAT(refused(request("INBOUND_TRANSPORT_V4", std::vector<std::string>(33, "IP_PROTOCOL=6"))),
              HasSubstr("at most 32 conditions"));
  auto wish = request("INBOUND_TRANSPORT_V4", {}, "callout-terminating");
  wish["callout"] = "{1234}";
  EXPECT_THAT(refused(wish), HasSubstr("'{1234}' is no GUID"));
  wish["callout"] = "{12345678-1234-1234-1234-123456789abc}";
  EXPECT_THAT(refused(wish), HasSubstr("was refused with status 0xc0220001 (STATUS_FWP_CALLOUT_NOT_FOUND)"));
  EXPECT_THAT(delete_filter(4711).error, HasSubstr("there is no filter 4711"));
}

}  // namespace
}  // namespace app
