// A whole stack on a fake card: what a peer sends and what it gets back, byte for byte, at stated times.
#include "stack/core/stack.hpp"

#include "stack/core/interface.hpp"
#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"
#include "stack/wire/ndp.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

MacAddress mac(int last) { return {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(last)}}; }

class FakeLink final : public Link {
 public:
  explicit FakeLink(Medium medium) : medium_(medium) {}
  Medium medium() const override { return medium_; }
  std::uint32_t mtu() const override { return 1500; }
  MacAddress mac() const override { return test::mac(2); }
  LinkCapabilities capabilities() const override { return offload; }
  bool transmit(Packet frame) override {
    if (full) return false;
    frames.push_back(bytes_of(frame));
    return true;
  }
  void flush() override { ++flushes; }
  LinkCapabilities offload;
  std::vector<ByteVector> frames;
  int flushes = 0;
  bool full = false;

 private:
  Medium medium_;
};

class StackTest : public ::testing::Test {
 protected:
  StackTest() { make(Medium::Ethernet, {}); }
  void make(Medium medium, core::Config config) {
    stack.reset();
    link = std::make_unique<FakeLink>(medium);
    stack = std::make_unique<core::Stack>(config, core::Parties{&random, nullptr, {}}, now);
    card = stack->add_interface(*link, "wfp0");
    EXPECT_EQ(card, 2u);
    EXPECT_TRUE(stack->add_address(card, *IpPrefix::parse("10.77.0.2/24")));
    EXPECT_TRUE(stack->add_address(card, *IpPrefix::parse("fd77::2/64")));
  }
  void TearDown() override {
    if (stack == nullptr) return;
    socket.close();
    other.close();
    run(3s);
    stack->hooks().set_authorizer(nullptr);
    EXPECT_EQ(waiting(), 0u);
  }
  std::size_t waiting() { return stack->pool().in_use(); }
  // Lets time pass, from deadline to deadline.
  void run(Duration duration) {
    const Instant end = now + duration;
    for (int rounds = 0; rounds < 100'000; ++rounds) {
      stack->poll(now);
      const Instant next = std::max(stack->next_deadline(), now);
      if (next > end) break;
      now = next;
    }
    now = end;
    stack->poll(now);
  }
  void settle() {  // everything that is due now
    for (int i = 0; i < 20; ++i) stack->poll(now);
  }
  void receive_frame(const ByteVector& frame) {
    const BufferRef block = make_buffer(frame.size());
    std::ranges::copy(frame, block.bytes().begin());
    stack->receive(card, stack->pool().adopt(block, 0, frame.size()), now);
  }
  void receive(const ByteVector& ip_packet) {
    ByteVector frame(14);
    const bool v4 = (ip_packet[0] >> 4) == std::byte{4};
    wire::EthernetFields{
        .destination = mac(2), .source = mac(1), .ether_type = v4 ? wire::kEtherTypeIpv4 : wire::kEtherTypeIpv6}
        .emit(frame);
    frame.insert(frame.end(), ip_packet.begin(), ip_packet.end());
    receive_frame(frame);
  }
  void arp(wire::ArpOperation operation, const char* from, const char* target) {
    ByteVector frame(42);
    wire::EthernetFields{.destination = mac(2), .source = mac(1), .ether_type = wire::kEtherTypeArp}.emit(frame);
    wire::ArpFields{
        .operation = operation, .sender_mac = mac(1), .sender_ip = address(from), .target_ip = address(target)}
        .emit(MutableBytes{frame}.subspan(14));
    receive_frame(frame);
  }
  std::vector<std::string> take_sent() {
    std::vector<std::string> all;
    for (const auto& frame : std::exchange(link->frames, {}))
      all.push_back(link->medium() == Medium::Ethernet ? wire::format_frame(frame) : wire::format_ip(frame));
    return all;
  }
  void open(const char* local, std::uint16_t port) {
    auto opened = stack->open_udp({address(local), port}, owner);
    ASSERT_EQ(opened.error, Error::None);
    socket = std::move(opened.socket);
  }
  ByteVector ping(const char* from = "10.77.0.1", const char* to = "10.77.0.2") {
    return make_ip(address(from), address(to), 1, make_icmp(8, 0, 0x00010001));
  }

  SeededRandom random{1};
  Instant now = at(1s);
  std::unique_ptr<FakeLink> link;
  std::unique_ptr<core::Stack> stack;
  InterfaceIndex card = 0;
  std::shared_ptr<const Owner> owner = std::make_shared<const Owner>();
  UdpSocket socket, other;
};

TEST_F(StackTest, AddressesAreUsableAtOnceAndCheckedMeanwhile) {
  EXPECT_TRUE(stack->are_addresses_usable());
  const auto first = take_sent();
  EXPECT_NE(std::ranges::find(first, "ARP who has 10.77.0.2, tell 0.0.0.0 (02:00:00:00:00:02)"), first.end());
  EXPECT_NE(std::ranges::find(first, "IP6 :: > ff02::1:ff00:2 ICMPv6 neighbor solicitation fd77::2"), first.end());
  run(30s);
  for (const auto& own : stack->addresses().all()) EXPECT_EQ(own.state, ip::AddressState::Preferred);
}

TEST_F(StackTest, WaitsForFullDetectionWhenAskedTo) {
  make(Medium::Ethernet, {.address_detection = core::AddressDetection::Full});
  EXPECT_FALSE(stack->are_addresses_usable());
  run(30s);
  EXPECT_TRUE(stack->are_addresses_usable());
}

TEST_F(StackTest, PingOverEthernet) {
  take_sent();
  receive(ping());
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"ARP who has 10.77.0.1, tell 10.77.0.2 (02:00:00:00:00:02)"}));
  arp(wire::ArpOperation::Reply, "10.77.0.1", "10.77.0.2");
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2 > 10.77.0.1 ICMP echo reply id 1 seq 1 len 0"}));
  receive(ping());
  EXPECT_EQ(take_sent().size(), 1u);
  EXPECT_EQ(stack->stats().frames_received, 3u);
}

TEST_F(StackTest, NeighbourDiscoveryAnswers) {
  take_sent();
  wire::NeighborFields solicit{.target = address("fd77::2")};
  solicit.options.source_mac = mac(1);
  ByteVector message(solicit.size());
  solicit.emit(message);
  receive(make_ip(address("fd77::1"), address("fd77::2"), 58, message, 255));
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP6 fd77::2 > fd77::1 ICMPv6 neighbor advertisement fd77::2"}));
}

TEST_F(StackTest, RawIpNeedsNoNeighbours) {
  make(Medium::RawIp, {});
  EXPECT_TRUE(link->frames.empty());
  receive_frame(ping());
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2 > 10.77.0.1 ICMP echo reply id 1 seq 1 len 0"}));
}

TEST_F(StackTest, UnreachableNeighbourIsToldToTheSocket) {
  open("10.77.0.2", 53);
  EXPECT_EQ(socket.connect({address("10.77.0.9"), 9}), Error::None);
  EXPECT_EQ(socket.send_to(ByteVector(3), {address("10.77.0.9"), 9}), Error::None);
  run(5s);
  EXPECT_EQ(socket.take_error(), Error::HostUnreachable);
  EXPECT_EQ(stack->stats().dropped(Drop::NeighborUnreachable), 1u);
}

TEST_F(StackTest, LoopbackPassesBothDirectionsWithItsFlag) {
  open("127.0.0.1", 53);
  RecordingHooks recorder;
  stack->hooks().set_inspector(&recorder);
  for (std::size_t i = 0; i < kHookCount; ++i) stack->hooks().arm(static_cast<Hook>(i), Family::V4, true);
  EXPECT_EQ(socket.send_to(ByteVector(3), {address("127.0.0.1"), 53}), Error::None);
  EXPECT_FALSE(socket.receive()) << "not before the next round";
  EXPECT_FALSE(stack->is_idle());
  settle();
  EXPECT_TRUE(socket.receive());
  std::vector<Hook> seen;
  for (const auto& entry : recorder.seen) {
    seen.push_back(entry.context.hook);
    EXPECT_TRUE(entry.context.loopback);
    EXPECT_EQ(entry.context.interface_index, core::Stack::kLoopbackInterface);
  }
  EXPECT_EQ(seen, (std::vector{Hook::DatagramOut, Hook::TransportOut, Hook::IpOut, Hook::IpIn, Hook::TransportIn,
                               Hook::DatagramIn}));
  stack->hooks().set_inspector(nullptr);
}

TEST_F(StackTest, OwnAddressesAreLoopedToo) {
  open("0.0.0.0", 53);
  take_sent();
  EXPECT_EQ(socket.send_to(ByteVector(3), {address("10.77.0.2"), 53}), Error::None);
  settle();
  const auto got = socket.receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->remote.to_string(), "10.77.0.2:53");
  EXPECT_TRUE(take_sent().empty());
}

TEST_F(StackTest, InjectedReceivesReenterAtTheBottom) {
  open("0.0.0.0", 53);
  const auto bytes = make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, make_udp(1000, 53, 3));
  stack->injector().receive(packet_of(stack->pool(), bytes), card);
  EXPECT_FALSE(socket.receive()) << "queued, never inline";
  settle();
  EXPECT_TRUE(socket.receive());
  EXPECT_EQ(stack->stats().injected_in, 1u);
  stack->injector().receive(packet_of(stack->pool(), bytes), 9);
  settle();
  EXPECT_EQ(stack->stats().dropped(Drop::InjectionInvalid), 1u);
}

TEST_F(StackTest, InjectedSendsNeedALiveEndpointOrTheControlEndpoint) {
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  open("0.0.0.0", 53);
  take_sent();
  const EndpointId id = socket.endpoint();
  const auto inject = [&](EndpointId endpoint) {
    stack->injector().send_transport(packet_of(stack->pool(), make_udp(53, 9, 3)), endpoint, address("10.77.0.1"),
                                     17);
    settle();
  };
  inject(id);
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2:53 > 10.77.0.1:9 UDP len 3"}));
  inject(stack->control_endpoint());
  EXPECT_EQ(take_sent().size(), 1u);
  socket.close();
  inject(id);
  inject(EndpointId{});
  EXPECT_EQ(stack->stats().dropped(Drop::EndpointGone), 2u);
  EXPECT_TRUE(take_sent().empty());
}

TEST_F(StackTest, InjectedNetworkSendsAndTheHopLimit) {
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  take_sent();
  const auto bytes = make_ip(address("10.77.0.2"), address("10.77.0.1"), 17, make_udp(1, 9, 3));
  stack->injector().send_network(packet_of(stack->pool(), bytes));
  settle();
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2:1 > 10.77.0.1:9 UDP len 3"}));
  Packet tired = packet_of(stack->pool(), bytes);
  tired.meta().injection_hops = core::Config{}.injection_hop_limit;
  stack->injector().send_network(std::move(tired));
  settle();
  EXPECT_EQ(stack->stats().dropped(Drop::InjectionHopLimit), 1u);
}

TEST_F(StackTest, FullLinksAreCounted) {
  link->full = true;
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  EXPECT_GE(stack->stats().dropped(Drop::TransmitQueueFull), 1u);
  link->full = false;
}

TEST_F(StackTest, ADuplicateAddressIsGivenUp) {
  arp(wire::ArpOperation::Reply, "10.77.0.2", "10.77.0.2");
  take_sent();
  receive(ping());
  EXPECT_TRUE(take_sent().empty());
  EXPECT_EQ(stack->stats().dropped(Drop::NotForUs), 1u);
}

TEST_F(StackTest, AddressesOfOnePrefixShareTheirRoute) {
  EXPECT_TRUE(stack->add_address(card, *IpPrefix::parse("10.77.0.3/24")));
  stack->remove_address(card, address("10.77.0.3"));
  const auto route = stack->output().route(address("10.77.0.1"), std::nullopt);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->source.to_string(), "10.77.0.2");
  stack->remove_address(card, address("10.77.0.2"));
  EXPECT_FALSE(stack->output().route(address("10.77.0.1"), std::nullopt));
}

TEST_F(StackTest, InterfacesAreBounded) {
  FakeLink more{Medium::RawIp};
  for (std::size_t i = 1; i < core::Stack::kMaxInterfaces; ++i) stack->add_interface(more, "more");
  EXPECT_EQ(stack->add_interface(more, "one too many"), 0u);
  stack.reset();  // before its links
}

TEST_F(StackTest, RoutersAreHeard) {
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

TEST_F(StackTest, AnMtuThatIsHeardReachesThoseWhoKeepRoutes) {
  wire::RouterAdvertFields advert;  // of somebody who is no default router
  advert.options.mtu = 1400;
  ByteVector message(advert.size());
  advert.emit(message);
  const auto before = stack->output().route_generation();
  receive(make_ip(address("fe80::1"), address("ff02::1"), 58, message, 255));
  EXPECT_NE(stack->output().route_generation(), before);
  EXPECT_EQ(stack->output().route(address("fd77::1"), std::nullopt)->mtu, 1400u);
}

TEST_F(StackTest, TheEtherTypeAndThePacketNameTheSameVersion) {
  ByteVector frame(14);
  wire::EthernetFields{.destination = mac(2), .source = mac(1), .ether_type = wire::kEtherTypeIpv6}.emit(frame);
  const auto packet = ping();
  frame.insert(frame.end(), packet.begin(), packet.end());
  receive_frame(frame);
  EXPECT_EQ(stack->stats().dropped(Drop::BadVersion), 1u);
}

TEST_F(StackTest, SurvivesRandomFrames) {
  SeededRandom bytes{99};
  open("0.0.0.0", 53);
  for (int i = 0; i < 20'000; ++i) {
    ByteVector frame(14);
    constexpr std::uint16_t kTypes[] = {0x0800, 0x0806, 0x86dd, 0x1234};
    wire::EthernetFields{.destination = mac(2), .source = mac(1), .ether_type = kTypes[bytes.below(4)]}.emit(frame);
    ByteVector packet;
    switch (bytes.below(4)) {
      case 0:
        packet = ping();
        break;
      case 1:
        packet = make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, make_udp(1, 53, 20));
        break;
      case 2:
        packet = make_ip(address("fd77::1"), address("fd77::2"), 58, make_icmp(135, 0, 0, ByteVector(24)), 255);
        break;
      default:
        packet = make_ip(address("fd77::1"), address("fd77::2"), 6, ByteVector(40, std::byte{0x50}));
        break;
    }
    for (std::uint32_t flips = bytes.below(8); flips > 0; --flips)
      packet[bytes.below(static_cast<std::uint32_t>(packet.size()))] = static_cast<std::byte>(bytes.below(256));
    frame.insert(frame.end(), packet.begin(), packet.end());
    frame.resize(bytes.below(static_cast<std::uint32_t>(frame.size()) + 1));
    receive_frame(frame);
    now += 1ms;
    stack->poll(now);
    while (socket.receive()) {
    }
    link->frames.clear();
  }
  run(3min);
}

}  // namespace
}  // namespace stack::test
