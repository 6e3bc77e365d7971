// A card and its neighbours: addresses and who else has them, routers, what a frame is.
#include "stack/wire/tcp.hpp"
#include "tests/unit/stack/core/stack_fixture.hpp"

namespace stack::test {
namespace {

using Card = StackTest;

TEST_F(Card, AddressesAreUsableAtOnceAndCheckedMeanwhile) {
  EXPECT_TRUE(stack->are_addresses_usable());
  const auto first = take_sent();
  EXPECT_NE(std::ranges::find(first, "ARP who has 10.77.0.2, tell 0.0.0.0 (02:00:00:00:00:02)"), first.end());
  EXPECT_NE(std::ranges::find(first, "IP6 :: > ff02::1:ff00:2 ICMPv6 neighbor solicitation fd77::2"), first.end());
  run(30s);
  for (const auto& own : stack->addresses().all()) EXPECT_EQ(own.state, ip::AddressState::Preferred);
}

TEST_F(Card, WaitsForFullDetectionWhenAskedTo) {
  make(Medium::Ethernet, {.address_detection = core::AddressDetection::Full});
  EXPECT_FALSE(stack->are_addresses_usable());
  run(30s);
  EXPECT_TRUE(stack->are_addresses_usable());
}

TEST_F(Card, NeighbourDiscoveryAnswers) {
  take_sent();
  wire::NeighborFields solicit{.target = address("fd77::2")};
  solicit.options.source_mac = mac(1);
  ByteVector message(solicit.size());
  solicit.emit(message);
  receive(make_ip(address("fd77::1"), address("fd77::2"), 58, message, 255));
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP6 fd77::2 > fd77::1 ICMPv6 neighbor advertisement fd77::2"}));
}

TEST_F(Card, RawIpNeedsNoNeighbours) {
  make(Medium::RawIp, {});
  EXPECT_TRUE(link->frames.empty());
  receive_frame(ping());
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2 > 10.77.0.1 ICMP echo reply id 1 seq 1 len 0"}));
}

TEST_F(Card, FullLinksAreCounted) {
  link->full = true;
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  EXPECT_GE(stack->stats().dropped(Drop::TransmitQueueFull), 1u);
  link->full = false;
}

TEST_F(Card, ADuplicateAddressIsGivenUp) {
  arp(wire::ArpOperation::Reply, "10.77.0.2", "10.77.0.2");
  take_sent();
  receive(ping());
  EXPECT_TRUE(take_sent().empty());
  EXPECT_EQ(stack->stats().dropped(Drop::NotForUs), 1u);
}

TEST_F(Card, AddressesOfOnePrefixHaveTheirOwnRoutes) {
  EXPECT_TRUE(stack->add_address(card, *IpPrefix::parse("10.77.0.3/24")));
  stack->remove_address(card, address("10.77.0.3"));
  const auto route = stack->output().route(address("10.77.0.1"), std::nullopt);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->source.to_string(), "10.77.0.2");
  stack->remove_address(card, address("10.77.0.2"));
  EXPECT_FALSE(stack->output().route(address("10.77.0.1"), std::nullopt));
}

TEST_F(Card, RoutersAreHeard) {
  wire::RouterAdvertFields advert{.hop_limit = 33, .router_lifetime_seconds = 60};
  advert.options.source_mac = mac(1);
  advert.options.mtu = 1400;
  ByteVector message(advert.size());
  advert.emit(message);
  receive(make_ip(address("fe80::1"), address("ff02::1"), 58, message, 255));
  auto route = stack->output().route(address("2001:db8::1"), std::nullopt);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->next_hop.to_string(), "fe80::1");
  EXPECT_EQ(route->mtu, 1400u);
  run(61s);
  EXPECT_FALSE(stack->output().route(address("2001:db8::1"), std::nullopt)) << "its lifetime is over";
}

TEST_F(Card, AnMtuThatIsHeardReachesThoseWhoKeepRoutes) {
  wire::RouterAdvertFields advert;  // of somebody who is no default router
  advert.options.mtu = 1400;
  ByteVector message(advert.size());
  advert.emit(message);
  const auto before = stack->output().route_generation();
  receive(make_ip(address("fe80::1"), address("ff02::1"), 58, message, 255));
  EXPECT_NE(stack->output().route_generation(), before);
  EXPECT_EQ(stack->output().route(address("fd77::1"), std::nullopt)->mtu, 1400u);
}

TEST_F(Card, TheEtherTypeAndThePacketNameTheSameVersion) {
  ByteVector frame(14);
  wire::EthernetFields{.destination = mac(2), .source = mac(1), .ether_type = wire::kEtherTypeIpv6}.emit(frame);
  const auto packet = ping();
  frame.insert(frame.end(), packet.begin(), packet.end());
  receive_frame(frame);
  EXPECT_EQ(stack->stats().dropped(Drop::BadVersion), 1u);
}

TEST_F(Card, AnAddressThatIsTakenAwayIsNotLookedAfter) {
  make(Medium::Ethernet, {.address_detection = core::AddressDetection::Full});
  stack->remove_address(card, address("10.77.0.2"));
  take_sent();
  run(10s);
  for (const std::string& frame : take_sent())
    EXPECT_EQ(frame.find("who has 10.77.0.2,"), std::string::npos) << frame;
}

TEST_F(Card, TheFirstRouterStaysUntilItGoes) {
  const auto advertise = [this](const char* router, std::uint16_t seconds, std::uint32_t mtu) {
    wire::RouterAdvertFields advert{.router_lifetime_seconds = seconds};
    advert.options.mtu = mtu;
    ByteVector message(advert.size());
    advert.emit(message);
    receive(make_ip(address(router), address("ff02::1"), 58, message, 255));
  };
  const auto router = [this] { return stack->output().route(address("2001:db8::1"), std::nullopt); };
  advertise("fe80::1", 60, 1'279);  // less than IPv6 allows
  advertise("fe80::2", 60, 9'000);  // more than the link takes
  ASSERT_TRUE(router());
  EXPECT_EQ(router()->next_hop.to_string(), "fe80::1");
  EXPECT_EQ(router()->mtu, 1'500u);
  advertise("fe80::2", 0, 1'400);
  ASSERT_TRUE(router());
  advertise("fe80::1", 0, 1'400);
  EXPECT_FALSE(router());
  advertise("fe80::2", 60, 1'400);
  EXPECT_EQ(router()->next_hop.to_string(), "fe80::2");
}

// One forged advertisement during detection takes an address away for a while, not for ever.
TEST_F(Card, AnAddressTakenAwayComesBack) {
  take_sent();
  wire::NeighborFields forged{
      .type = wire::icmpv6::kNeighborAdvert, .override_entry = true, .target = address("fd77::2")};
  forged.options.target_mac = mac(9);
  ByteVector message(forged.size());
  forged.emit(message);
  receive(make_ip(address("fd77::2"), address("ff02::1"), 58, message, 255));
  const auto state = [this] { return stack->addresses().find(address("fd77::2"))->state; };
  EXPECT_EQ(state(), ip::AddressState::Duplicate);
  EXPECT_FALSE(stack->addresses().is_own_unicast(address("fd77::2")));
  run(9s);
  EXPECT_EQ(state(), ip::AddressState::Duplicate);
  run(1'500ms);
  EXPECT_EQ(state(), ip::AddressState::Tentative) << "looked for again, and not used before it is unique";
  run(1s);
  EXPECT_EQ(state(), ip::AddressState::Preferred);
}

struct Failure final : TcpStream::Observer {
  void on_connected() override { ++connected; }
  void on_readable() override {}
  void on_writable() override {}
  void on_failed(Error why) override { error = why; }
  int connected = 0;
  Error error = Error::None;
};
// Three questions a second apart, then nobody is there: users are told so and not kept for minutes.
TEST_F(Card, ASilentNeighborEndsAnAttemptToConnect) {
  for (const char* remote : {"10.77.0.9", "fd77::9"}) {
    const IpAddress to = address(remote);
    auto connected = stack->connect_tcp({to, 80}, {IpAddress::any(to.family()), 0}, owner);
    Failure failure;
    connected.stream.set_observer(&failure);
    run(2'900ms);
    EXPECT_EQ(failure.error, Error::None) << remote;
    run(300ms);
    EXPECT_EQ(failure.error, Error::HostUnreachable) << remote;
  }
}
// RFC 1122 3.3.6: a broadcast frame with a unicast packet in it.
TEST_F(Card, FramesToAllOpenNoConnection) {
  auto listened = stack->listen_tcp({address("10.77.0.2"), 80}, owner);
  ByteVector syn(20);
  wire::TcpFields{.src_port = 9, .dst_port = 80, .flags = wire::tcp_flag::kSyn}.emit(syn);
  const auto packet = make_ip(address("10.77.0.1"), address("10.77.0.2"), 6, syn);
  ByteVector frame(14);
  wire::EthernetFields{.destination = MacAddress::broadcast(), .source = mac(1), .ether_type = wire::kEtherTypeIpv4}
      .emit(frame);
  frame.insert(frame.end(), packet.begin(), packet.end());
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  take_sent();
  receive_frame(frame);
  EXPECT_TRUE(take_sent().empty());
  receive(packet);
  EXPECT_EQ(take_sent().size(), 1u);
}
TEST_F(Card, FramesToAllGetNoEcho) {
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  take_sent();
  ByteVector frame(14);
  wire::EthernetFields{.destination = MacAddress::broadcast(), .source = mac(1), .ether_type = wire::kEtherTypeIpv4}
      .emit(frame);
  const ByteVector packet = ping();
  frame.insert(frame.end(), packet.begin(), packet.end());
  receive_frame(frame);
  EXPECT_TRUE(take_sent().empty());
  EXPECT_EQ(stack->stats().dropped(Drop::NotForUs), 1u);
}

}  // namespace
}  // namespace stack::test
