// A whole stack on a fake card: what a peer sends and what it gets back, byte for byte, at stated times.
#pragma once

#include "stack/core/interface.hpp"
#include "stack/core/stack.hpp"
#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"
#include "stack/wire/ndp.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {

inline MacAddress mac(int last) { return {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(last)}}; }

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

}  // namespace stack::test
