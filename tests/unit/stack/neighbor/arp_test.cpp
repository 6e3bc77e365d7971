// ARP: questions for us, announcements, conflicts; duplicate detection of both families.
#include "tests/unit/stack/neighbor/resolver_fixture.hpp"

namespace stack::neighbor::test {
namespace {

// checklist: TCP-221
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
    EXPECT_EQ(wire::EthernetView::parse(frames[0])->destination(), mac_of(mac_of_peer++));
  }
  arp(wire::ArpOperation::Reply, 5, "10.77.0.5", "10.77.0.5");
  EXPECT_EQ(resolver->cache().size(), 1u) << "nobody here talks to that one";
}

TEST_F(ResolverTest, AnAnswerThatNobodyAskedForProvesNothing) {
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  EXPECT_EQ(resolver->cache().size(), 0u);
  arp(wire::ArpOperation::Request, 1, "10.77.0.1", "10.77.0.2");
  const auto state = [this] { return resolver->neighbor(address("10.77.0.1"))->state(); };
  ASSERT_EQ(state(), State::Stale);
  arp(wire::ArpOperation::Reply, 1, "10.77.0.1", "10.77.0.2");
  EXPECT_EQ(state(), State::Stale);
  arp(wire::ArpOperation::Reply, 3, "10.77.0.1", "10.77.0.2");  // RFC 826: what it says is taken all the same
  EXPECT_EQ(state(), State::Stale);
  frames.clear();
  send("10.77.0.1");
  EXPECT_EQ(wire::EthernetView::parse(frames.at(0))->destination(), mac_of(3));
  resolver->on_timer(at(6s));  // delay is over: a question goes out
  ASSERT_EQ(state(), State::Probe);
  arp(wire::ArpOperation::Reply, 3, "10.77.0.1", "10.77.0.2", at(6s));
  EXPECT_EQ(state(), State::Reachable);
}

TEST_F(ResolverTest, ALinkAddressOfZerosIsNobodys) {
  for (const auto operation : {wire::ArpOperation::Request, wire::ArpOperation::Reply}) {
    Packet packet = pool.allocate(28);
    wire::ArpFields{.operation = operation,
                    .sender_mac = {},
                    .sender_ip = address("10.77.0.1"),
                    .target_mac = {},
                    .target_ip = address("10.77.0.2")}
        .emit(packet.make_private(28));
    resolver->on_arp(std::move(packet), at(0s));
  }
  arp(wire::ArpOperation::Request, 1, "127.0.0.1", "10.77.0.2");
  EXPECT_EQ(stats.dropped(Drop::NeighborInvalid), 3u);
  EXPECT_EQ(resolver->cache().size(), 0u);
  EXPECT_TRUE(frames.empty());
}

// checklist: TCP-223
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

// checklist: TCP-222
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
  resolver->on_timer(at(9s));
  EXPECT_TRUE(unique.empty());
}

// One claim may be a mistake or a forgery: an address is looked for again, less and less often.
TEST_F(ResolverTest, AnAddressThatSomebodyHadIsTriedAgain) {
  for (const char* text : {"10.77.0.5", "fd77::5"}) {
    const IpAddress wanted = address(text);
    own[wanted] = OwnAddress::Optimistic;
    Instant now = at(100s);
    resolver->detect_duplicates(wanted, now);
    std::vector<Duration> pauses;
    for (int i = 0; i < 8; ++i) {
      if (wanted.is_v4())
        arp(wire::ArpOperation::Reply, 9, text, text, now);
      else
        ndp(advertisement(text, 9, false), text, "ff02::1", now);
      EXPECT_EQ(duplicate, std::vector{wanted}) << i;
      EXPECT_EQ(last_conflict.is_first, i == 0);
      duplicate.clear();
      own[wanted] = OwnAddress::NotOurs;
      const Instant next = resolver->next_deadline();
      EXPECT_EQ(next - now, last_conflict.retry);
      pauses.push_back(next - now);
      resolver->on_timer(now = next);
      EXPECT_EQ(retried, std::vector{wanted}) << i;
      retried.clear();
      own[wanted] = OwnAddress::Tentative;
    }
    EXPECT_EQ(pauses, (std::vector<Duration>{10s, 20s, 40s, 80s, 160s, 300s, 300s, 300s}));
    for (int i = 0; i < 20 && unique.empty(); ++i) resolver->on_timer(resolver->next_deadline());
    EXPECT_EQ(unique, std::vector{wanted});
    EXPECT_TRUE(was_duplicate);
    unique.clear();
    resolver->forget_address(wanted);
  }
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

}  // namespace
}  // namespace stack::neighbor::test
