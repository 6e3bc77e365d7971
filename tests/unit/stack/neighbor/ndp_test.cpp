// Neighbour discovery: solicitations, advertisements, routers, and what is not valid.
#include "tests/unit/stack/neighbor/resolver_fixture.hpp"

namespace stack::neighbor::test {
namespace {

// checklist: TCP-250
TEST_F(ResolverTest, AnswersSolicitations) {
  ndp(solicitation("fe80::2", mac_of(1)), "fe80::1", "ff02::1:ff00:2");
  ASSERT_EQ(icmp.size(), 1u);
  auto answer = wire::NeighborView::parse(icmp[0].bytes);
  EXPECT_TRUE(answer->is_solicited() && answer->is_override());
  EXPECT_EQ(icmp[0].destination.to_string(), "fe80::1");
  ndp(solicitation("fe80::2"), "::", "ff02::1:ff00:2");
  ASSERT_EQ(icmp.size(), 2u);
  answer = wire::NeighborView::parse(icmp[1].bytes);
  EXPECT_FALSE(answer->is_solicited());
  EXPECT_EQ(icmp[1].destination.to_string(), "ff02::1");
  own[address("fe80::2")] = OwnAddress::Optimistic;
  ndp(solicitation("fe80::2", mac_of(1)), "fe80::1", "ff02::1:ff00:2");
  EXPECT_FALSE(wire::NeighborView::parse(icmp[2].bytes)->is_override()) << "RFC 4429 3.3";
  own[address("fe80::2")] = OwnAddress::Tentative;
  ndp(solicitation("fe80::2", mac_of(1)), "fe80::1", "ff02::1:ff00:2");
  EXPECT_EQ(icmp.size(), 3u) << "RFC 4862 5.4.3";
}

TEST_F(ResolverTest, AsksFromAnOptimisticAddressWithoutTellingWhoHasIt) {  // RFC 4429 3.2
  own[address("fe80::2")] = OwnAddress::Optimistic;
  send("fe80::1");
  ASSERT_EQ(icmp.size(), 1u);
  EXPECT_FALSE(wire::NeighborView::parse(icmp[0].bytes)->options().source_mac);
}

// checklist: TCP-248
TEST_F(ResolverTest, RejectsWhatTheRfcCallsInvalid) {
  ndp(solicitation("fe80::2"), "fe80::1", "fe80::2", at(0s), 254);
  ndp(solicitation("ff02::1"), "fe80::1", "fe80::2");
  ndp(solicitation("fe80::2", mac_of(1)), "::", "ff02::1:ff00:2");
  ndp(solicitation("fe80::2"), "::", "fe80::2");
  ndp(advertisement("fe80::1", 1), "fe80::1", "ff02::1");
  ndp(wire::RouterAdvertFields{.router_lifetime_seconds = 100}, "fd77::1", "ff02::1");
  EXPECT_EQ(stats.dropped(Drop::NeighborInvalid), 6u);
  std::vector<std::byte> message(24);
  solicitation("fe80::2").emit(message);
  store_u8(message, 1, 1);  // a code that there is none
  PacketMeta meta;
  meta.source = address("fe80::1");
  meta.hop_limit = 255;
  resolver->on_ndp(message, meta, at(0s));
  EXPECT_EQ(stats.dropped(Drop::NeighborInvalid), 7u);
  EXPECT_TRUE(icmp.empty());
  EXPECT_TRUE(routers.empty());
}

TEST_F(ResolverTest, GroupsHaveNoLinkAddressOfTheirOwn) {  // somebody's traffic would reach everybody
  send("fe80::1");
  auto from_group = advertisement("fe80::1", 1);
  from_group.options.target_mac = MacAddress::broadcast();
  ndp(from_group, "fe80::1", "fe80::2");
  ndp(solicitation("fe80::2", MacAddress::broadcast()), "fe80::1", "fe80::2");
  wire::RouterAdvertFields advert{.router_lifetime_seconds = 100};
  advert.options.source_mac = MacAddress::broadcast();
  ndp(advert, "fe80::1", "ff02::1");
  EXPECT_EQ(stats.dropped(Drop::NeighborInvalid), 3u);
  EXPECT_TRUE(frames.empty() && routers.empty());
  Packet packet = pool.allocate(28);
  wire::ArpFields{.operation = wire::ArpOperation::Reply,
                  .sender_mac = MacAddress::broadcast(),
                  .sender_ip = address("10.77.0.1"),
                  .target_mac = {},
                  .target_ip = address("10.77.0.2")}
      .emit(packet.make_private(28));
  resolver->on_arp(std::move(packet), at(0s));
  EXPECT_EQ(stats.dropped(Drop::NeighborInvalid), 4u);
}

TEST_F(ResolverTest, AnAdvertisementThatMayNotChangeTheEntryMakesNoOneStopRouting) {  // RFC 4861 7.2.5
  wire::RouterAdvertFields advert{.router_lifetime_seconds = 1800};
  advert.options.source_mac = mac_of(1);
  ndp(advert, "fe80::1", "ff02::1");
  ndp(advertisement("fe80::1", 9, false, false), "fe80::9", "ff02::1");
  EXPECT_EQ(routers[address("fe80::1")], Duration{1800s});
  ndp(advertisement("fe80::1", 1, false, false), "fe80::1", "ff02::1");
  EXPECT_EQ(routers[address("fe80::1")], Duration{0s});
}

TEST_F(ResolverTest, ARouterNeedNotTellItsLinkAddressToBeOne) {  // RFC 4861 6.3.4
  ndp(solicitation("fe80::2", mac_of(1)), "fe80::1", "fe80::2");
  ndp(wire::RouterAdvertFields{.router_lifetime_seconds = 1800}, "fe80::1", "ff02::1");
  EXPECT_EQ(routers[address("fe80::1")], Duration{1800s});
  ndp(advertisement("fe80::1", 1), "fe80::1", "fe80::2");
  EXPECT_EQ(routers[address("fe80::1")], Duration{0s}) << "it was known as one";
}

TEST_F(ResolverTest, ARouterThatDoesNotAnswerIsNoneAnyMore) {
  wire::RouterAdvertFields advert{.router_lifetime_seconds = 1800};
  advert.options.source_mac = mac_of(1);
  ndp(advert, "fe80::1", "ff02::1");
  send("fe80::1", at(1s));
  for (int i = 0; i <= 8; ++i) resolver->on_timer(at(Duration{6s} + Duration{1s} * i));
  EXPECT_EQ(routers[address("fe80::1")], Duration{0s});
  EXPECT_EQ(resolver->cache().size(), 0u);
}

TEST_F(ResolverTest, TimesThatRoutersTellHaveBounds) {
  const auto heard = [this](std::uint32_t reachable_ms, std::uint32_t retransmit_ms) {
    ndp(wire::RouterAdvertFields{.reachable_ms = reachable_ms, .retransmit_ms = retransmit_ms}, "fe80::1", "ff02::1");
  };
  heard(3'600'001, 99);
  heard(0, 60'001);
  send("10.77.0.1");
  resolver->on_timer(at(1s) - 100us);
  EXPECT_EQ(frames.size(), 1u) << "asked again after a second, as before";
  resolver->on_timer(at(1s));
  EXPECT_EQ(frames.size(), 2u);
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2", at(1s));
  resolver->on_timer(at(31s) - 100us);
  EXPECT_EQ(resolver->next_deadline(), at(31s)) << "reachable for half a minute, as before";
  heard(3'600'000, 100);
  resolver->confirm_reachable(address("10.77.0.1"), at(31s));
  resolver->on_timer(at(3631s) - 100us);
  EXPECT_EQ(resolver->next_deadline(), at(3631s));
  frames.clear();
  send("10.77.0.9", at(3631s));
  resolver->on_timer(at(3631s) + 100ms);
  EXPECT_EQ(frames.size(), 2u);
}

TEST_F(ResolverTest, ASolicitationOfRoutersTellsOnlyWhatIsCertain) {
  resolver->solicit_routers(at(0s));
  ASSERT_EQ(icmp.size(), 1u);
  EXPECT_EQ(icmp[0].source.to_string(), "fe80::2");
  EXPECT_EQ(wire::NdpOptions::parse(Bytes{icmp[0].bytes}.subspan(8))->source_mac, mac());
  own[address("fe80::2")] = OwnAddress::Optimistic;
  resolver->on_timer(at(4s));
  ASSERT_EQ(icmp.size(), 2u);
  EXPECT_TRUE(icmp[1].source.is_unspecified());
  EXPECT_EQ(icmp[1].bytes.size(), 8u) << "RFC 4861 4.1: no link address from the unspecified address";
}

// checklist: TCP-309
TEST_F(ResolverTest, HearsRouters) {
  resolver->solicit_routers(at(0s));
  EXPECT_EQ(icmp.size(), 1u);
  resolver->on_timer(at(4s));
  EXPECT_EQ(icmp.size(), 2u);
  wire::RouterAdvertFields advert{.hop_limit = 32, .router_lifetime_seconds = 1800};
  advert.options.mtu = 1400;
  advert.options.source_mac = mac_of(1);
  ndp(advert, "fe80::1", "ff02::1", at(5s));
  EXPECT_EQ(routers[address("fe80::1")], Duration{1800s});
  EXPECT_EQ(mtu, 1400u);
  EXPECT_EQ(hop_limit, 32);
  resolver->on_timer(at(20s));
  EXPECT_EQ(icmp.size(), 2u) << "an answer ends the questions";
  ndp(advertisement("fe80::1", 1), "fe80::1", "fe80::2", at(21s));
  EXPECT_EQ(routers[address("fe80::1")], Duration{0s}) << "not a router any more";
}

}  // namespace
}  // namespace stack::neighbor::test
