// The cache and what waits: questions, answers, probes, bounds.
#include "tests/unit/stack/neighbor/resolver_fixture.hpp"

namespace stack::neighbor::test {
namespace {

TEST_F(ResolverTest, AsksOnceAndSendsWhatWaited) {
  send("10.77.0.1");
  send("10.77.0.1");
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::format_frame(frames[0]), "ARP who has 10.77.0.1, tell 10.77.0.2 (02:00:00:00:00:02)");
  EXPECT_TRUE(wire::EthernetView::parse(frames[0])->destination().is_broadcast());
  frames.clear();
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), mac_of(1));
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->ether_type(), wire::kEtherTypeIpv4);
  send("10.77.0.1");
  EXPECT_EQ(frames.size(), 3u);
}

// checklist: TCP-249
TEST_F(ResolverTest, SameForNeighbourDiscovery) {
  send("fe80::1");
  ASSERT_EQ(icmp.size(), 1u);
  EXPECT_EQ(icmp[0].destination.to_string(), "ff02::1:ff00:1");
  EXPECT_EQ(wire::NeighborView::parse(icmp[0].bytes)->options().source_mac, mac());
  ndp(advertisement("fe80::1", 1), "fe80::1", "fe80::2");
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->ether_type(), wire::kEtherTypeIpv6);
}

// checklist: TCP-105
TEST_F(ResolverTest, UnreachableGivesBackEverythingThatWaited) {
  send("10.77.0.9");
  send("10.77.0.9");
  for (int i = 1; i <= 3; ++i) {
    EXPECT_TRUE(lost.empty());
    resolver->on_timer(at(Duration{1s} * i) - 100us);
    EXPECT_EQ(resolver->next_deadline(), at(Duration{1s} * i));
    resolver->on_timer(at(Duration{1s} * i));
  }
  EXPECT_EQ(lost.size(), 2u);
  EXPECT_EQ(frames.size(), 3u);
  EXPECT_EQ(resolver->cache().size(), 0u);
}

// checklist: TCP-106
TEST_F(ResolverTest, TheQueueKeepsTheLatest) {
  for (std::size_t i = 0; i < Cache::kMaxWaiting + 5; ++i) send("10.77.0.1");
  EXPECT_EQ(stats.dropped(Drop::NeighborQueueFull), 5u);
  frames.clear();
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  EXPECT_EQ(frames.size(), Cache::kMaxWaiting);
}

TEST_F(ResolverTest, WhatWaitsIsBoundedByTheAccount) {
  const std::size_t taken = account->most(Use::Neighbors) - 2 * PacketPool::charge_of(40);
  ASSERT_TRUE(account->take(Use::Neighbors, taken));
  Packet packet = pool.allocate(40);
  const Packet kept = packet.share();
  resolver->send(std::move(packet), address("10.77.0.1"), false, at(0s));
  EXPECT_FALSE(kept.is_shared()) << "a copy waits, for a driver may want its own back";
  send("10.77.0.1");
  send("10.77.0.1");
  EXPECT_EQ(stats.dropped(Drop::NeighborQueueFull), 1u);
  frames.clear();
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  EXPECT_EQ(frames.size(), 2u);
  EXPECT_EQ(account->held(Use::Neighbors), taken);
  account->give(Use::Neighbors, taken);
}

TEST_F(ResolverTest, TheCacheIsBounded) {
  for (std::uint32_t i = 0; i < Cache::kMaxEntries + 10; ++i)
    resolver->send(pool.allocate(40), IpAddress::v4(0x0a4d'0100 + i), false, at(0s));
  EXPECT_EQ(resolver->cache().size(), Cache::kMaxEntries);
  EXPECT_EQ(stats.dropped(Drop::NeighborQueueFull), 10u);
}

TEST_F(ResolverTest, GroupsAndBroadcastNeedNoQuestion) {
  resolver->send(pool.allocate(40), address("224.0.0.1"), false, at(0s));
  resolver->send(pool.allocate(40), address("10.77.0.255"), true, at(0s));
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_TRUE(wire::EthernetView::parse(frames[0])->destination().is_multicast());
  EXPECT_TRUE(wire::EthernetView::parse(frames[1])->destination().is_broadcast());
}

TEST_F(ResolverTest, StaleEntriesAreProbedByUnicast) {
  send("10.77.0.1");
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  resolver->on_timer(at(30s));
  send("10.77.0.1", at(40s));
  frames.clear();
  resolver->on_timer(at(45s));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), mac_of(1));
  resolver->confirm_reachable(address("10.77.0.1"), at(45s));
  resolver->on_timer(at(75s) - 100us);
  EXPECT_EQ(resolver->next_deadline(), at(75s));
}

TEST_F(ResolverTest, WhatWaitedMakesAnUnconfirmedEntryProve) {  // sending is a use of it: RFC 4861 7.3.2
  send("10.77.0.1");
  arp(wire::ArpOperation::Request, 1, "10.77.0.1", "10.77.0.2");  // heard, not answered
  frames.clear();
  resolver->on_timer(at(5s));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), mac_of(1)) << "a probe";
}

TEST_F(ResolverTest, WhatIsUsedStays) {
  arp(wire::ArpOperation::Request, 1, "10.77.0.1", "10.77.0.2");
  for (std::uint32_t i = 0; i < Cache::kMaxEntries + 10; ++i) {
    send("10.77.0.1");
    resolver->send(pool.allocate(40), IpAddress::v4(0x0a4d'0100 + i), false, at(0s));
  }
  frames.clear();
  send("10.77.0.1");
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->ether_type(), wire::kEtherTypeIpv4) << "no question";
}

// The ICMP error about a lost packet may need a neighbour itself, and takes the place of the next lost one.
TEST_F(ResolverTest, WhatALossSetsOffMayPushOutAnother) {
  for (std::uint32_t i = 0; i < Cache::kMaxEntries; ++i)
    resolver->send(pool.allocate(40), IpAddress::v4(0x0a4d'0100 + i), false, at(0s));
  on_lost = [this] {
    if (lost.size() == 1)
      for (std::uint32_t i = 0; i < 3; ++i)
        resolver->send(pool.allocate(40), IpAddress::v4(0x0a4e'0000 + i), false, at(3s));
  };
  for (Duration d : {1s, 2s, 3s}) resolver->on_timer(at(d));
  EXPECT_EQ(resolver->cache().size(), 3u);
  EXPECT_EQ(lost.size() + stats.dropped(Drop::NeighborQueueFull), Cache::kMaxEntries);
}

}  // namespace
}  // namespace stack::neighbor::test
