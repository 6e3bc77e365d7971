// Conversations of whole stacks in virtual time, two joined by a wire without a device, or one with itself: everything
// from ARP to TCP at once, with the offloads of the links on and off.
#include <gtest/gtest.h>

#include <deque>

#include "stack/core/stack.hpp"
#include "tests/support/talker.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

using ::test::Talker;

// One end of the wire: frames wait here until the other end takes them. Large sends and partial checksums cross as
// they are, as between two virtual machines.
class WireEnd final : public Link {
 public:
  WireEnd(Medium medium, int last, LinkCapabilities offload) : medium_(medium), last_(last), offload_(offload) {}
  Medium medium() const override { return medium_; }
  std::uint32_t mtu() const override { return 1500; }
  MacAddress mac() const override { return {{std::byte{2}, {}, {}, {}, {}, static_cast<std::byte>(last_)}}; }
  LinkCapabilities capabilities() const override { return offload_; }
  bool transmit(Packet frame) override {
    Frame out{bytes_of(frame), frame.checksum().transport_partial, frame.large_send().segment_size};
    const std::size_t limit = 1500 + (medium_ == Medium::Ethernet ? 14 : 0);
    EXPECT_TRUE(out.segment_size != 0 || out.bytes.size() <= limit) << "larger than the link allows";
    EXPECT_TRUE(offload_.checksum || !out.partial);
    out_.push_back(std::move(out));
    return true;
  }
  struct Frame {
    ByteVector bytes;
    bool partial = false;
    std::uint32_t segment_size = 0;
  };
  std::deque<Frame> out_;

 private:
  Medium medium_;
  int last_;
  LinkCapabilities offload_;
};

struct Host {
  Host(Medium medium, int last, LinkCapabilities offload, std::uint64_t seed, Instant now)
      : random(seed), link(medium, last, offload), stack({}, core::Parties{&random, nullptr, {}}, now) {
    card = stack.add_interface(link, "wire");
    const std::string n = std::to_string(last);
    EXPECT_TRUE(stack.add_address(card, *IpPrefix::parse("10.77.0." + n + "/24")));
    EXPECT_TRUE(stack.add_address(card, *IpPrefix::parse("fd77::" + n + "/64")));
  }
  SeededRandom random;
  WireEnd link;
  core::Stack stack;
  InterfaceIndex card = 0;
};

struct Setup {
  Medium medium;
  bool offload;
  const char* server;
};

class Conversation : public ::testing::TestWithParam<Setup> {
 protected:
  Conversation() {
    const bool on = GetParam().offload;
    const LinkCapabilities offload{.checksum = on, .tso4 = on, .tso6 = on};
    client = std::make_unique<Host>(GetParam().medium, 1, offload, 11, now);
    server = std::make_unique<Host>(GetParam().medium, 2, offload, 22, now);
  }
  void carry(Host& from, Host& to) {
    for (auto& frame : std::exchange(from.link.out_, {})) {
      Packet packet = packet_of(to.stack.pool(), frame.bytes);
      if (frame.partial) packet.set_checksum({.ip_verified = true, .transport_verified = true});
      if (frame.segment_size != 0)
        packet.set_coalesced(
            {.segment_count = static_cast<std::uint16_t>(frame.bytes.size() / frame.segment_size + 1),
             .segment_size = static_cast<std::uint16_t>(frame.segment_size)});
      to.stack.receive(to.card, std::move(packet), now);
    }
  }
  // Until `done`, or until virtual time is over.
  bool run(const std::function<bool()>& done, Duration limit = 60s) {
    const Instant end = now + limit;
    while (now <= end) {
      client->stack.poll(now);
      server->stack.poll(now);
      carry(*client, *server);
      carry(*server, *client);
      if (done()) return true;
      const bool busy = !client->link.out_.empty() || !server->link.out_.empty();
      const Instant next = std::min(client->stack.next_deadline(), server->stack.next_deadline());
      now = busy || next <= now ? now + 10us : next;
    }
    return false;
  }

  Instant now = at(1s);
  std::unique_ptr<Host> client, server;
  std::shared_ptr<const Owner> owner = std::make_shared<const Owner>();
};

TEST_P(Conversation, TcpMovesAMegabyteByteForByte) {
  const IpAddress to = address(GetParam().server);
  Talker sender{1'000'000}, receiver{0};
  auto listened = server->stack.listen_tcp({to, 80}, owner);
  ASSERT_EQ(listened.error, Error::None);
  listened.listener.set_accept_handler([&](TcpStream stream) { receiver.start(std::move(stream)); });
  auto connected = client->stack.connect_tcp({to, 80}, {IpAddress::any(to.family()), 0}, owner);
  ASSERT_TRUE(connected.error == Error::None || connected.error == Error::InProgress);
  sender.start(std::move(connected.stream));
  ASSERT_TRUE(run([&] { return receiver.finished; }));
  EXPECT_EQ(receiver.received, 1'000'000u);
  EXPECT_EQ(receiver.wrong, 0u);
  sender.close();
  run([] { return false; }, 3min);
  EXPECT_EQ(server->stack.pool().in_use() + client->stack.pool().in_use(), 0u);
}

TEST_P(Conversation, NobodyListensMeansReset) {
  const IpAddress to = address(GetParam().server);
  Talker sender{10};
  auto connected = client->stack.connect_tcp({to, 81}, {IpAddress::any(to.family()), 0}, owner);
  sender.start(std::move(connected.stream));
  EXPECT_TRUE(run([&] { return sender.failure != Error::None; }));
  EXPECT_EQ(sender.failure, Error::ConnectionRefused);
}

TEST_P(Conversation, LargeDatagramsCrossInFragments) {
  const IpAddress to = address(GetParam().server);
  auto in = server->stack.open_udp({to, 53}, owner),
       out = client->stack.open_udp({IpAddress::any(to.family()), 0}, owner);
  ByteVector payload(20'000);
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(i * 31 + (i >> 8));
  EXPECT_EQ(out.socket.send_to(payload, {to, 53}), Error::None);
  std::optional<UdpSocket::Datagram> got;
  // Fourteen fragments wait for the neighbour's answer: fewer than the cache's queue holds.
  ASSERT_TRUE(run([&] { return (got = in.socket.receive()).has_value(); }, 10s));
  EXPECT_EQ(bytes_of(got->payload), payload);
  EXPECT_EQ(got->remote.port, out.socket.local().port);
}

TEST_P(Conversation, ClosedUdpPortIsToldToAConnectedSocket) {
  const IpAddress to = address(GetParam().server);
  auto out = client->stack.open_udp({IpAddress::any(to.family()), 0}, owner);
  EXPECT_EQ(out.socket.connect({to, 99}), Error::None);
  EXPECT_EQ(out.socket.send_to(ByteVector(5), {to, 99}), Error::None);
  Error error = Error::None;
  EXPECT_TRUE(run([&] { return (error = out.socket.take_error()) != Error::None; }, 10s));
  EXPECT_EQ(error, Error::ConnectionRefused);
}

INSTANTIATE_TEST_SUITE_P(
    , Conversation,
    ::testing::Values(Setup{Medium::Ethernet, false, "10.77.0.2"}, Setup{Medium::Ethernet, true, "10.77.0.2"},
                      Setup{Medium::Ethernet, false, "fd77::2"}, Setup{Medium::Ethernet, true, "fd77::2"},
                      Setup{Medium::RawIp, true, "10.77.0.2"}, Setup{Medium::RawIp, false, "fd77::2"}),
    [](const auto& tested) {
      return std::string{tested.param.medium == Medium::Ethernet ? "Ethernet" : "RawIp"} +
             (tested.param.offload ? "Offload" : "Software") + (address(tested.param.server).is_v4() ? "V4" : "V6");
    });

TEST(LoopbackTcp, AStackTalksToItself) {
  Instant now = at(1s);
  Host host{Medium::RawIp, 2, {}, 5, now};
  auto owner = std::make_shared<const Owner>();
  for (const char* name : {"127.0.0.1", "::1", "10.77.0.2"}) {
    Talker sender{500'000}, receiver{0};
    const IpAddress to = address(name);
    auto listened = host.stack.listen_tcp({IpAddress::any(to.family()), 80}, owner);
    ASSERT_EQ(listened.error, Error::None) << name;
    listened.listener.set_accept_handler([&](TcpStream stream) { receiver.start(std::move(stream)); });
    auto connected = host.stack.connect_tcp({to, 80}, {IpAddress::any(to.family()), 0}, owner);
    sender.start(std::move(connected.stream));
    for (int i = 0; i < 100'000 && !receiver.finished; ++i) {
      host.stack.poll(now);
      const Instant next = host.stack.next_deadline();
      if (next != kNever) now = std::max(next, now + 1us);
    }
    EXPECT_EQ(receiver.received, 500'000u) << name;
    EXPECT_EQ(receiver.wrong, 0u);
    sender.close();
  }
  EXPECT_TRUE(host.link.out_.empty());
}

}  // namespace
}  // namespace stack::test
