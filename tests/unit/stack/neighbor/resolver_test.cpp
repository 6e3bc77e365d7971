#include "stack/neighbor/resolver.hpp"

#include <gtest/gtest.h>

#include <map>

#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"
#include "stack/wire/format.hpp"

namespace stack::neighbor {
namespace {

IpAddress address(const char* text) { return *IpAddress::parse(text); }
Instant at(Duration d) { return Instant{} + d; }
MacAddress mac(int last) { return {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(last)}}; }
std::vector<std::byte> bytes_of(const Packet& packet) {
  std::vector<std::byte> bytes(packet.size());
  packet.copy_out(0, bytes);
  return bytes;
}

class ResolverTest : public ::testing::Test, public ResolverHost {
 protected:
  ResolverTest()
      : hooks(stats), resolver(std::make_unique<Resolver>(hooks, pool, random, *this, SipKey{1, 2}, config)) {
    own[address("10.77.0.2")] = OwnAddress::Preferred;
    own[address("fe80::2")] = OwnAddress::Preferred;
  }
  void TearDown() override {
    resolver.reset();
    frames.clear();
    icmp.clear();
    lost.clear();
    EXPECT_EQ(pool.in_use(), 0u);
  }
  // ResolverHost
  MacAddress mac() const override { return neighbor::mac(2); }
  OwnAddress own_address(const IpAddress& a) const override {
    return own.contains(a) ? own.at(a) : OwnAddress::NotOurs;
  }
  std::optional<IpAddress> source_for(const IpAddress& target) const override {
    return address(target.is_v4() ? "10.77.0.2" : "fe80::2");
  }
  void transmit_frame(Packet frame) override { frames.push_back(bytes_of(frame)); }
  void send_icmpv6(Packet message, const IpAddress& source, const IpAddress& destination, Instant now) override {
    icmp.push_back({bytes_of(message), source, destination, now});
  }
  void unreachable(Packet packet, Instant) override {
    lost.push_back(std::move(packet));
    if (on_lost) on_lost();
  }
  void address_unique(const IpAddress& a) override { unique.push_back(a); }
  void address_duplicate(const IpAddress& a) override { duplicate.push_back(a); }
  void router_heard(const IpAddress& router, Duration lifetime, Instant) override { routers[router] = lifetime; }
  void mtu_heard(std::uint32_t value) override { mtu = value; }
  void hop_limit_heard(std::uint8_t value) override { hop_limit = value; }

  void send(const char* next_hop, Instant now = at(0s)) {
    resolver->send(pool.allocate(40), address(next_hop), false, now);
  }
  void arp(wire::ArpOperation operation, int from_mac, const char* from, const char* target, Instant now = at(0s)) {
    Packet packet = pool.allocate(28);
    wire::ArpFields{.operation = operation,
                    .sender_mac = neighbor::mac(from_mac),
                    .sender_ip = address(from),
                    .target_mac = {},
                    .target_ip = address(target)}
        .emit(packet.make_private(28));
    resolver->on_arp(std::move(packet), now);
  }
  // A message as it arrives, from `source` to `destination`.
  template <typename Fields>
  void ndp(const Fields& fields, const char* source, const char* destination, Instant now = at(0s),
           std::uint8_t hops = 255) {
    std::vector<std::byte> message(fields.size());
    fields.emit(message);
    PacketMeta meta;
    meta.family = Family::V6;
    meta.source = address(source);
    meta.destination = address(destination);
    meta.hop_limit = hops;
    resolver->on_ndp(message, meta, now);
  }
  wire::NeighborFields solicitation(const char* target, std::optional<MacAddress> from = std::nullopt) {
    wire::NeighborFields fields{.target = address(target)};
    fields.options.source_mac = from;
    return fields;
  }
  wire::NeighborFields advertisement(const char* target, int from, bool solicited = true, bool overrides = true) {
    wire::NeighborFields fields{.type = wire::icmpv6::kNeighborAdvert,
                                .solicited = solicited,
                                .override_entry = overrides,
                                .target = address(target)};
    fields.options.target_mac = neighbor::mac(from);
    return fields;
  }
  std::vector<std::string> take_frames() {
    std::vector<std::string> all;
    for (const auto& frame : frames) all.push_back(wire::format_frame(frame));
    frames.clear();
    return all;
  }

  struct Icmp {
    std::vector<std::byte> bytes;
    IpAddress source, destination;
    Instant now;
  };
  Stats stats;
  Hooks hooks;
  PacketPool pool;
  SeededRandom random{3};
  ResolverConfig config;
  std::map<IpAddress, OwnAddress> own;
  std::vector<std::vector<std::byte>> frames;
  std::vector<Icmp> icmp;
  std::vector<Packet> lost;
  std::function<void()> on_lost;
  std::vector<IpAddress> unique, duplicate;
  std::map<IpAddress, Duration> routers;
  std::uint32_t mtu = 0;
  std::uint8_t hop_limit = 0;
  std::unique_ptr<Resolver> resolver;
};

TEST_F(ResolverTest, AsksOnceAndSendsWhatWaited) {
  send("10.77.0.1");
  send("10.77.0.1");
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::format_frame(frames[0]), "ARP who has 10.77.0.1, tell 10.77.0.2 (02:00:00:00:00:02)");
  EXPECT_TRUE(wire::EthernetView::parse(frames[0])->destination().is_broadcast());
  frames.clear();
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), neighbor::mac(1));
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->ether_type(), wire::kEtherTypeIpv4);
  send("10.77.0.1");
  EXPECT_EQ(frames.size(), 3u);
}

TEST_F(ResolverTest, SameForNeighbourDiscovery) {
  send("fe80::1");
  ASSERT_EQ(icmp.size(), 1u);
  EXPECT_EQ(icmp[0].destination.to_string(), "ff02::1:ff00:1");
  EXPECT_EQ(wire::NeighborView::parse(icmp[0].bytes)->options().source_mac, mac());
  ndp(advertisement("fe80::1", 1), "fe80::1", "fe80::2");
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->ether_type(), wire::kEtherTypeIpv6);
}

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

TEST_F(ResolverTest, TheQueueKeepsTheLatest) {
  for (std::size_t i = 0; i < Cache::kMaxWaiting + 5; ++i) send("10.77.0.1");
  EXPECT_EQ(stats.dropped(Drop::NeighborQueueFull), 5u);
  frames.clear();
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  EXPECT_EQ(frames.size(), Cache::kMaxWaiting);
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
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), neighbor::mac(1));
  resolver->confirm_reachable(address("10.77.0.1"), at(45s));
  resolver->on_timer(at(75s) - 100us);
  EXPECT_EQ(resolver->next_deadline(), at(75s));
}

TEST_F(ResolverTest, AnswersArpAndLearnsFromTheQuestion) {
  arp(wire::ArpOperation::Request, 1, "10.77.0.1", "10.77.0.2");
  EXPECT_EQ(take_frames(), (std::vector<std::string>{"ARP 10.77.0.2 is at 02:00:00:00:00:02"}));
  send("10.77.0.1");
  EXPECT_EQ(frames.size(), 1u) << "known already";
  frames.clear();
  arp(wire::ArpOperation::Request, 3, "10.77.0.3", "10.77.0.4");
  EXPECT_TRUE(frames.empty());
  EXPECT_EQ(resolver->cache().size(), 1u) << "others' talk makes no entries";
}

TEST_F(ResolverTest, AGratuitousAnnouncementRenewsWhatIsKnown) {  // RFC 5227 3: of both kinds
  send("10.77.0.1");
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  int mac_of_peer = 3;
  for (const auto operation : {wire::ArpOperation::Request, wire::ArpOperation::Reply}) {
    arp(operation, mac_of_peer, "10.77.0.1", "10.77.0.1");
    frames.clear();
    send("10.77.0.1");
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), neighbor::mac(mac_of_peer++));
  }
  arp(wire::ArpOperation::Reply, 5, "10.77.0.5", "10.77.0.5");
  EXPECT_EQ(resolver->cache().size(), 1u) << "nobody here talks to that one";
}

TEST_F(ResolverTest, DefendsItsAddressOnceInAWhile) {
  for (Duration d : {1s, 2s, 12s}) arp(wire::ArpOperation::Request, 9, "10.77.0.2", "10.77.0.2", at(d));
  EXPECT_EQ(stats.dropped(Drop::NeighborInvalid), 3u);
  EXPECT_EQ(frames.size(), 2u);
  EXPECT_TRUE(duplicate.empty());
}

TEST_F(ResolverTest, ItsOwnFramesAreNoConflict) {
  arp(wire::ArpOperation::Request, 2, "10.77.0.2", "10.77.0.2");
  EXPECT_EQ(stats.dropped(), 0u);
  EXPECT_TRUE(frames.empty() && duplicate.empty());
}

TEST_F(ResolverTest, ProbesAndAnnouncesIpv4) {
  own[address("10.77.0.5")] = OwnAddress::Optimistic;
  EXPECT_TRUE(resolver->detect_duplicates(address("10.77.0.5"), at(0s)));
  std::vector<Instant> times{at(0s)};
  for (Instant next = resolver->next_deadline(); next != kNever && times.size() < 20;
       next = resolver->next_deadline()) {
    resolver->on_timer(next);
    times.push_back(next);
  }
  ASSERT_EQ(times.size(), 5u);
  for (std::size_t i : {1u, 2u}) {  // RFC 5227 1.1: PROBE_MIN to PROBE_MAX, at random
    EXPECT_GE(times[i] - times[i - 1], 1s);
    EXPECT_LE(times[i] - times[i - 1], 2s);
  }
  EXPECT_NE(times[1] - times[0], times[2] - times[1]);
  EXPECT_EQ(times[3] - times[2], 2s) << "ANNOUNCE_WAIT";
  EXPECT_EQ(times[4] - times[3], 2s) << "ANNOUNCE_INTERVAL";
  EXPECT_EQ(take_frames(), (std::vector<std::string>{"ARP who has 10.77.0.5, tell 0.0.0.0 (02:00:00:00:00:02)",
                                                     "ARP who has 10.77.0.5, tell 0.0.0.0 (02:00:00:00:00:02)",
                                                     "ARP who has 10.77.0.5, tell 0.0.0.0 (02:00:00:00:00:02)",
                                                     "ARP who has 10.77.0.5, tell 10.77.0.5 (02:00:00:00:00:02)",
                                                     "ARP who has 10.77.0.5, tell 10.77.0.5 (02:00:00:00:00:02)"}));
  EXPECT_EQ(unique.size(), 1u);
}

TEST_F(ResolverTest, FindsDuplicatesOfBothFamilies) {
  own[address("10.77.0.5")] = OwnAddress::Tentative;
  resolver->detect_duplicates(address("10.77.0.5"), at(0s));
  arp(wire::ArpOperation::Reply, 9, "10.77.0.5", "10.77.0.5");
  own[address("fd77::5")] = OwnAddress::Optimistic;
  resolver->detect_duplicates(address("fd77::5"), at(1s));
  ASSERT_EQ(icmp.size(), 1u);
  EXPECT_EQ(icmp[0].now, at(1s));
  EXPECT_TRUE(icmp[0].source.is_unspecified());
  EXPECT_FALSE(wire::NeighborView::parse(icmp[0].bytes)->options().source_mac);
  ndp(advertisement("fd77::5", 9, false), "fd77::5", "ff02::1");
  EXPECT_EQ(duplicate, (std::vector{address("10.77.0.5"), address("fd77::5")}));
  resolver->on_timer(at(10s));
  EXPECT_TRUE(unique.empty());
}

TEST_F(ResolverTest, TwoThatProbeAtOnceBothGiveWay) {
  own[address("10.77.0.5")] = OwnAddress::Tentative;
  resolver->detect_duplicates(address("10.77.0.5"), at(0s));
  arp(wire::ArpOperation::Request, 9, "0.0.0.0", "10.77.0.5");
  EXPECT_EQ(duplicate, (std::vector{address("10.77.0.5")}));
  duplicate.clear();
  own[address("fd77::5")] = OwnAddress::Tentative;
  resolver->detect_duplicates(address("fd77::5"), at(0s));
  ndp(solicitation("fd77::5"), "::", "ff02::1:ff00:5");
  EXPECT_EQ(duplicate.size(), 1u);
}

TEST_F(ResolverTest, AnswersSolicitations) {
  ndp(solicitation("fe80::2", neighbor::mac(1)), "fe80::1", "ff02::1:ff00:2");
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
  ndp(solicitation("fe80::2", neighbor::mac(1)), "fe80::1", "ff02::1:ff00:2");
  EXPECT_FALSE(wire::NeighborView::parse(icmp[2].bytes)->is_override()) << "RFC 4429 3.3";
  own[address("fe80::2")] = OwnAddress::Tentative;
  ndp(solicitation("fe80::2", neighbor::mac(1)), "fe80::1", "ff02::1:ff00:2");
  EXPECT_EQ(icmp.size(), 3u) << "RFC 4862 5.4.3";
}

TEST_F(ResolverTest, AsksFromAnOptimisticAddressWithoutTellingWhoHasIt) {  // RFC 4429 3.2
  own[address("fe80::2")] = OwnAddress::Optimistic;
  send("fe80::1");
  ASSERT_EQ(icmp.size(), 1u);
  EXPECT_FALSE(wire::NeighborView::parse(icmp[0].bytes)->options().source_mac);
}

TEST_F(ResolverTest, WhatWaitedMakesAnUnconfirmedEntryProve) {  // sending is a use of it: RFC 4861 7.3.2
  send("10.77.0.1");
  arp(wire::ArpOperation::Request, 1, "10.77.0.1", "10.77.0.2");  // heard, not answered
  frames.clear();
  resolver->on_timer(at(5s));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), neighbor::mac(1)) << "a probe";
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

TEST_F(ResolverTest, RejectsWhatTheRfcCallsInvalid) {
  ndp(solicitation("fe80::2"), "fe80::1", "fe80::2", at(0s), 254);
  ndp(solicitation("ff02::1"), "fe80::1", "fe80::2");
  ndp(solicitation("fe80::2", neighbor::mac(1)), "::", "ff02::1:ff00:2");
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
  advert.options.source_mac = neighbor::mac(1);
  ndp(advert, "fe80::1", "ff02::1");
  ndp(advertisement("fe80::1", 9, false, false), "fe80::9", "ff02::1");
  EXPECT_EQ(routers[address("fe80::1")], Duration{1800s});
  ndp(advertisement("fe80::1", 1, false, false), "fe80::1", "ff02::1");
  EXPECT_EQ(routers[address("fe80::1")], Duration{0s});
}

TEST_F(ResolverTest, ARouterNeedNotTellItsLinkAddressToBeOne) {  // RFC 4861 6.3.4
  ndp(solicitation("fe80::2", neighbor::mac(1)), "fe80::1", "fe80::2");
  ndp(wire::RouterAdvertFields{.router_lifetime_seconds = 1800}, "fe80::1", "ff02::1");
  EXPECT_EQ(routers[address("fe80::1")], Duration{1800s});
  ndp(advertisement("fe80::1", 1), "fe80::1", "fe80::2");
  EXPECT_EQ(routers[address("fe80::1")], Duration{0s}) << "it was known as one";
}

TEST_F(ResolverTest, ARouterThatDoesNotAnswerIsNoneAnyMore) {
  wire::RouterAdvertFields advert{.router_lifetime_seconds = 1800};
  advert.options.source_mac = neighbor::mac(1);
  ndp(advert, "fe80::1", "ff02::1");
  send("fe80::1", at(1s));
  for (int i = 0; i <= 8; ++i) resolver->on_timer(at(Duration{6s} + Duration{1s} * i));
  EXPECT_EQ(routers[address("fe80::1")], Duration{0s});
  EXPECT_EQ(resolver->cache().size(), 0u);
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

TEST_F(ResolverTest, HearsRouters) {
  resolver->solicit_routers(at(0s));
  EXPECT_EQ(icmp.size(), 1u);
  resolver->on_timer(at(4s));
  EXPECT_EQ(icmp.size(), 2u);
  wire::RouterAdvertFields advert{.hop_limit = 32, .router_lifetime_seconds = 1800};
  advert.options.mtu = 1400;
  advert.options.source_mac = neighbor::mac(1);
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
}  // namespace stack::neighbor
