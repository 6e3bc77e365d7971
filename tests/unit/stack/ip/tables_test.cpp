// Addresses, routes, path MTUs, conversations: the tables of IP.
#include "stack/ip/address_table.hpp"
#include "stack/ip/flow_table.hpp"
#include "stack/ip/path_mtu.hpp"
#include "stack/ip/route_table.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

TEST(AddressTable, KindsOfAddresses) {
  ip::AddressTable table;
  table.add({*IpPrefix::parse("10.77.0.2/24"), 2, ip::AddressState::Preferred});
  table.add({*IpPrefix::parse("10.9.9.1/31"), 2, ip::AddressState::Preferred});
  EXPECT_EQ(table.kind_of(address("10.77.0.2"), 2), AddressKind::Unicast);
  EXPECT_EQ(table.kind_of(address("10.77.0.255"), 2), AddressKind::Broadcast);
  EXPECT_EQ(table.kind_of(address("10.77.0.255"), 3), AddressKind::Unicast) << "another interface's prefix";
  EXPECT_EQ(table.kind_of(address("255.255.255.255"), 2), AddressKind::Broadcast);
  EXPECT_EQ(table.kind_of(address("10.9.9.1"), 2), AddressKind::Unicast) << "RFC 3021";
  EXPECT_EQ(table.kind_of(address("224.0.0.5"), 2), AddressKind::Multicast);
  EXPECT_EQ(table.kind_of(address("ff02::1"), 2), AddressKind::Multicast);
  EXPECT_EQ(table.kind_of(address("::"), 2), AddressKind::Unspecified);
}

TEST(AddressTable, WhatIsForUs) {
  ip::AddressTable table;
  table.add({*IpPrefix::parse("fd77::2/64"), 2, ip::AddressState::Tentative});
  EXPECT_FALSE(table.is_for_us(address("fd77::2"), 2)) << "tentative";
  EXPECT_TRUE(table.is_for_us(address("ff02::1:ff00:2"), 2)) << "its group, for duplicate detection";
  EXPECT_FALSE(table.is_for_us(address("ff02::1:ff00:2"), 3));
  EXPECT_TRUE(table.is_for_us(address("ff02::1"), 2));
  table.set_state(2, address("fd77::2"), ip::AddressState::Optimistic);
  EXPECT_TRUE(table.is_for_us(address("fd77::2"), 3)) << "weak host model";
  table.set_state(2, address("fd77::2"), ip::AddressState::Duplicate);
  EXPECT_FALSE(table.is_for_us(address("fd77::2"), 2));
  EXPECT_FALSE(table.is_for_us(address("239.1.1.1"), 2));
  table.join(2, address("239.1.1.1"));
  EXPECT_TRUE(table.is_for_us(address("239.1.1.1"), 2));
  table.leave(2, address("239.1.1.1"));
  EXPECT_FALSE(table.is_for_us(address("239.1.1.1"), 2));
  EXPECT_TRUE(table.is_for_us(address("127.0.0.1"), 1));
}

TEST(AddressTable, SelectsSources) {
  ip::AddressTable table;
  EXPECT_FALSE(table.select_source(address("10.0.0.1"), 2));
  table.add({*IpPrefix::parse("10.77.0.2/24"), 2, ip::AddressState::Preferred});
  table.add({*IpPrefix::parse("192.0.2.2/24"), 2, ip::AddressState::Preferred});
  table.add({*IpPrefix::parse("fe80::2/64"), 2, ip::AddressState::Preferred});
  table.add({*IpPrefix::parse("fd77::2/64"), 2, ip::AddressState::Preferred});
  EXPECT_EQ(table.select_source(address("192.0.2.7"), 2)->to_string(), "192.0.2.2");
  EXPECT_EQ(table.select_source(address("10.77.0.7"), 2)->to_string(), "10.77.0.2");
  EXPECT_EQ(table.select_source(address("fe80::9"), 2)->to_string(), "fe80::2");
  EXPECT_EQ(table.select_source(address("2001:db8::1"), 2)->to_string(), "fd77::2");
  EXPECT_EQ(table.select_source(address("127.0.0.5"), 1)->to_string(), "127.0.0.5");
  EXPECT_EQ(table.select_source(address("10.77.0.2"), 1)->to_string(), "10.77.0.2");
  EXPECT_EQ(table.select_source(address("fe80::9"), 3)->to_string(), "fd77::2") << "fe80::2 is of another link";
  table.add({*IpPrefix::parse("fd77::3/64"), 2, ip::AddressState::Optimistic});
  EXPECT_EQ(table.select_source(address("fd77::3:1"), 2)->to_string(), "fd77::2") << "not one under detection";
  EXPECT_FALSE(table.add({*IpPrefix::parse("10.77.0.2/24"), 2, ip::AddressState::Preferred}));
}

TEST(RouteTable, LongestPrefixWins) {
  ip::RouteTable table;
  table.add({*IpPrefix::parse("0.0.0.0/0"), address("10.0.0.1"), 2});
  table.add({*IpPrefix::parse("10.1.0.0/16"), address("10.0.0.2"), 2});
  table.add({*IpPrefix::parse("10.1.2.0/24"), std::nullopt, 3});
  EXPECT_EQ(table.find(address("10.1.2.3"))->interface_index, 3u);
  EXPECT_EQ(table.find(address("10.1.3.3"))->gateway, address("10.0.0.2"));
  EXPECT_EQ(table.find(address("8.8.8.8"))->gateway, address("10.0.0.1"));
  EXPECT_EQ(table.find(address("fd00::1")), nullptr);
  const auto generation = table.generation();
  table.remove({*IpPrefix::parse("10.1.2.0/24"), std::nullopt, 3});
  EXPECT_EQ(table.find(address("10.1.2.3"))->interface_index, 2u);
  EXPECT_NE(table.generation(), generation);
}

TEST(PathMtu, AgesOutAndIsNeverRaisedByAnError) {
  ip::PathMtuCache cache{SipKey{}};
  const IpAddress peer = address("192.0.2.1");
  EXPECT_EQ(cache.on_too_big(peer, 1300, 1500, at(0s)), 1300u);
  EXPECT_EQ(cache.on_too_big(peer, 1400, 1500, at(1s)), 1300u);
  EXPECT_FALSE(cache.on_too_big(peer, 1500, 1500, at(1s)));
  EXPECT_EQ(cache.on_too_big(address("192.0.2.2"), 0, 1500, at(2s)), 1492u) << "a plateau";
  EXPECT_FALSE(cache.on_too_big(address("fd77::1"), 0, 1500, at(2s))) << "IPv6 has no routers that old";
  EXPECT_FALSE(cache.on_too_big(address("fd77::1"), 1279, 1500, at(2s)));
  EXPECT_EQ(cache.on_too_big(address("fd77::1"), 1280, 1500, at(2s)), 1280u);
  EXPECT_EQ(cache.path(peer, 9000).mtu, 1300u);
  cache.expire(at(10min) - 1ns);
  EXPECT_EQ(cache.path(peer, 9000).mtu, 1300u);
  cache.expire(at(10min));
  EXPECT_EQ(cache.path(peer, 9000).mtu, 9000u);
  EXPECT_EQ(cache.next_deadline(), at(10min) + 2s);
}

// RFC 1191 3: a path that takes less is not used in vain for ever; its packets may be fragmented.
TEST(PathMtu, BelowTheFloorPacketsMayBeFragmented) {
  ip::PathMtuCache cache{SipKey{}};
  const IpAddress peer = address("192.0.2.1");
  cache.on_too_big(peer, 552, 1500, at(0s));
  EXPECT_FALSE(cache.path(peer, 1500).may_fragment);
  const auto generation = cache.generation();
  EXPECT_EQ(cache.on_too_big(peer, 296, 552, at(1s)), 552u);
  EXPECT_TRUE(cache.path(peer, 1500).may_fragment);
  EXPECT_NE(cache.generation(), generation) << "routes are looked up again";
  cache.on_too_big(peer, 552, 1500, at(2s));
  EXPECT_TRUE(cache.path(peer, 1500).may_fragment) << "not taken back by a later error";
  cache.on_too_big(address("192.0.2.2"), 0, 540, at(2s));  // a router that does not say, and no plateau is left
  EXPECT_TRUE(cache.path(address("192.0.2.2"), 1500).may_fragment);
  cache.expire(at(20min));
  EXPECT_FALSE(cache.path(peer, 1500).may_fragment);
}

TEST(PathMtu, IsBounded) {
  ip::PathMtuCache cache{SipKey{}};
  for (std::uint32_t i = 0; i < ip::PathMtuCache::kMaxEntries + 10; ++i)
    cache.on_too_big(IpAddress::v4(0x0a00'0000 + i), 1300, 1500, at(Duration{i}));
  EXPECT_EQ(cache.size(), ip::PathMtuCache::kMaxEntries);
}

class FlowTableTest : public ::testing::Test {
 protected:
  FlowTableTest() { hooks.set_authorizer(&authorizer); }
  static ip::FlowKey key(std::uint16_t port) {
    return {EndpointId::make(0, 1, 1), {address("10.0.0.1"), 53}, {address("10.0.0.2"), port}};
  }
  Stats stats;
  Hooks hooks{stats};
  ScriptedAuthorizer authorizer;
};

TEST_F(FlowTableTest, IdlestGoesFirstAndEachEndIsToldOnce) {
  ip::FlowTable table{hooks, SipKey{}, 2, 60s};
  table.insert(key(1), 11, at(0s));
  table.insert(key(2), 12, at(1s));
  EXPECT_EQ(table.find(key(1), at(2s)), FlowTag{11});
  table.insert(key(3), 13, at(3s));
  EXPECT_EQ(authorizer.ended, (std::vector<FlowTag>{12}));
  EXPECT_EQ(stats.dropped(Drop::FlowLimit), 1u);
  table.expire(at(62s) - 1ns);
  EXPECT_EQ(authorizer.ended.size(), 1u) << "used at two seconds";
  table.expire(at(62s));
  EXPECT_EQ(authorizer.ended, (std::vector<FlowTag>{12, 11}));
  EXPECT_TRUE(table.erase_flow(13));
  EXPECT_FALSE(table.erase_flow(13));
  EXPECT_EQ(authorizer.ended, (std::vector<FlowTag>{12, 11, 13}));
}

TEST_F(FlowTableTest, PendsUntilResumedOrTooLong) {
  ip::FlowTable table{hooks, SipKey{}, 2, 60s};
  EXPECT_TRUE(table.pend(key(1), 5, at(0s)));
  EXPECT_TRUE(table.is_pended(key(1)));
  EXPECT_FALSE(table.resume(6));
  EXPECT_TRUE(table.resume(5));
  EXPECT_FALSE(table.is_pended(key(1)));
  table.pend(key(1), 5, at(0s));
  EXPECT_EQ(table.next_deadline(), at(ip::FlowTable::kPendTimeout));
  table.expire(at(ip::FlowTable::kPendTimeout));
  EXPECT_EQ(table.pended(), 0u);
  table.pend(key(1), 5, at(0s));
  table.insert(key(2), 12, at(0s));
  table.erase_all(EndpointId::make(0, 1, 2));
  EXPECT_TRUE(table.is_pended(key(1))) << "another endpoint's";
  table.erase_all(key(1).endpoint);
  EXPECT_EQ(table.pended() + table.size(), 0u);
  for (std::uint16_t i = 0; i < ip::FlowTable::kMaxPended; ++i) EXPECT_TRUE(table.pend(key(i), i + 1U, at(0s)));
  EXPECT_FALSE(table.pend(key(9999), 1, at(0s)));
}

}  // namespace
}  // namespace stack::test
