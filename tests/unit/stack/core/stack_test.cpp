// The stack as its owner drives it: frames in and out, loopback, time, bounds.
#include "tests/unit/stack/core/stack_fixture.hpp"

namespace stack::test {
namespace {

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

// Nothing is left open for a card that is not there, and so the receiver checks what the sender has finished.
TEST_F(StackTest, LoopbackWithoutOffloadShowsFinishedSumsAndChecksThem) {
  make(Medium::Ethernet, {.loopback_offload = false});
  open("127.0.0.1", 53);
  RecordingHooks recorder;
  stack->hooks().set_inspector(&recorder);
  stack->hooks().arm(Hook::TransportOut, Family::V4, true);
  stack->hooks().arm(Hook::TransportIn, Family::V4, true);
  EXPECT_EQ(socket.send_to(ByteVector(3), {address("127.0.0.1"), 53}), Error::None);
  settle();
  EXPECT_TRUE(socket.receive());
  EXPECT_EQ(recorder.seen.size(), 2u);
  for (const auto& entry : recorder.seen) EXPECT_FALSE(entry.partial);
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

TEST_F(StackTest, InterfacesAreBounded) {
  FakeLink more{Medium::RawIp};
  for (std::size_t i = 1; i < core::Stack::kMaxInterfaces; ++i) stack->add_interface(more, "more");
  EXPECT_EQ(stack->add_interface(more, "one too many"), 0u);
  stack.reset();  // before its links
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

TEST_F(StackTest, EachRoundFlushesTheLinks) {
  link->flushes = 0;
  stack->poll(now);
  EXPECT_EQ(link->flushes, 1);
}

TEST_F(StackTest, IdleConversationsEndInTime) {
  ScriptedAuthorizer authorizer;
  stack->hooks().set_authorizer(&authorizer);
  open("0.0.0.0", 53);
  receive(make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, make_udp(1000, 53, 3)));
  run(59s);
  EXPECT_TRUE(authorizer.ended.empty());
  run(2s);
  EXPECT_EQ(authorizer.ended.size(), 1u);
  stack->hooks().set_authorizer(nullptr);
}

TEST_F(StackTest, GroupsAreJoinedByTheirAddressOnly) {
  open("0.0.0.0", 53);
  const auto datagram = make_ip(address("10.77.0.1"), address("224.0.0.9"), 17, make_udp(1000, 53, 3));
  EXPECT_FALSE(stack->join_group(card, address("10.77.0.9")));
  receive(datagram);
  EXPECT_FALSE(socket.receive());
  EXPECT_TRUE(stack->join_group(card, address("224.0.0.9")));
  receive(datagram);
  EXPECT_TRUE(socket.receive());
}

}  // namespace
}  // namespace stack::test
