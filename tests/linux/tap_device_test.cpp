// The device, its set-up and both kinds of FrameIo against the kernel's own stack.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tap/device.hpp"
#include "tap/frame_io.hpp"
#include "tap/netlink.hpp"
#include "tests/linux/private_network.hpp"

namespace tap {
namespace {

using namespace std::chrono_literals;
using test::in_private_network;

constexpr MacAddress kKernelMac{0x02, 0, 0, 0, 0, 0x01};
constexpr MacAddress kPeerMac{0x02, 0, 0, 0, 0, 0x02};
constexpr std::size_t kEthernet = 14;
constexpr std::size_t kCapacity = kMaxFrameSize + 1;
constexpr auto kLong = 5s;

std::uint16_t load16(const std::byte* at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) << 8 | std::to_integer<unsigned>(at[1]));
}

void store16(std::byte* at, std::size_t value) {
  at[0] = static_cast<std::byte>(value >> 8 & 0xff);
  at[1] = static_cast<std::byte>(value & 0xff);
}

std::uint16_t sum(const std::byte* at, std::size_t size, std::uint32_t total = 0) {
  for (std::size_t i = 0; i + 1 < size; i += 2) total += load16(at + i);
  if (size % 2 != 0) total += std::to_integer<unsigned>(at[size - 1]) << 8;
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return static_cast<std::uint16_t>(total);
}

// A device whose kernel side is 10.78.0.1/24 and fd78::1/64, with a made-up neighbour .2 and ::2, and a FrameIo on
// it.
class World {
 public:
  explicit World(bool use_io_uring, DeviceOptions options = {}) {
    auto device = Device::open(options);
    auto netlink = Netlink::open();
    if (!device || !netlink) {
      ADD_FAILURE() << (device ? netlink.error().what : device.error().what);
      return;
    }
    device_.emplace(std::move(*device));
    netlink_.emplace(std::move(*netlink));
    configure(options.medium == Medium::Ethernet);
    auto io = make_frame_io(
        {.fd = device_->queue_fd(0), .vnet_header_size = device_->vnet_header_size(), .use_io_uring = use_io_uring});
    take_io(io);
    for (int i = 0; io_ && i < 16; ++i) {
      memory_.emplace_back(kCapacity);
      io_->post({memory_.back().data(), kCapacity, nullptr});
    }
  }

  Device& device() { return *device_; }
  Netlink& netlink() { return *netlink_; }
  FrameIo& io() { return *io_; }
  unsigned ifindex() const { return device_->ifindex(); }

  // Polls until a frame satisfies `wanted`, and hands it over.
  std::vector<std::byte> wait_for(const std::function<bool(const Received&)>& wanted, VnetHeader* header = nullptr) {
    const auto deadline = std::chrono::steady_clock::now() + kLong;
    std::vector<std::byte> found;
    while (found.empty() && std::chrono::steady_clock::now() < deadline) {
      for (const Received& received : io_->poll(100ms).received) {
        EXPECT_EQ(received.status, ReceiveStatus::Ok) << describe(received.fault);
        if (found.empty() && wanted(received)) {
          found.assign(received.buffer.data, received.buffer.data + received.length);
          if (header != nullptr) *header = received.header;
        }
        io_->post(received.buffer);
      }
    }
    return found;
  }

  void send(const std::vector<std::byte>& frame, const VnetHeader& header = {},
            TransmitResult expected = TransmitResult::Sent) {
    // In two ranges, as headers and payload are.
    auto* bytes = const_cast<std::byte*>(frame.data());
    const std::array<iovec, 2> ranges{iovec{bytes, 20}, iovec{bytes + 20, frame.size() - 20}};
    ASSERT_TRUE(io_->submit(ranges, header, nullptr));
    const auto done = io_->flush();
    ASSERT_EQ(done.size(), 1u);
    EXPECT_EQ(done[0].result, expected) << describe(done[0].result);
  }

 private:
  void take_io(Result<std::unique_ptr<FrameIo>>& io) {
    if (io)
      io_ = std::move(*io);
    else
      ADD_FAILURE() << io.error().what;
  }

  void configure(bool ethernet) {
    expect_none(netlink_->set_no_automatic_ipv6(ifindex()));
    if (ethernet) expect_none(netlink_->set_mac(ifindex(), kKernelMac));
    expect_none(netlink_->set_up(ifindex(), true));
    for (const char* text : {"10.78.0.1/24", "fd78::1/64"})
      expect_none(netlink_->add_address(ifindex(), *parse_prefix(text)));
    for (const char* text : {"10.78.0.2", "fd78::2"})
      if (ethernet) expect_none(netlink_->add_neighbour(ifindex(), *parse_prefix(text), kPeerMac));
    expect_none(netlink_->wait_until_usable(ifindex(), 5s));
  }

  static void expect_none(const Error& error) { EXPECT_FALSE(error) << error.what; }

  std::optional<Device> device_;
  std::optional<Netlink> netlink_;
  std::list<std::vector<std::byte>> memory_;
  std::unique_ptr<FrameIo> io_;
};

bool is_ipv4(const Received& received, int protocol, std::size_t link = kEthernet) {
  const std::byte* ip = received.buffer.data + link;
  return received.length >= link + 20 && ip[0] == std::byte{0x45} && ip[9] == static_cast<std::byte>(protocol);
}

// An IPv4 packet from 10.78.0.2 to 10.78.0.1 with room for `payload` bytes behind its header.
std::vector<std::byte> ipv4_frame(int protocol, std::size_t payload, std::size_t link = kEthernet) {
  std::vector<std::byte> frame(link + 20 + payload);
  if (link != 0) {
    std::memcpy(frame.data(), kKernelMac.data(), 6);
    std::memcpy(frame.data() + 6, kPeerMac.data(), 6);
    store16(frame.data() + 12, ETHERTYPE_IP);
  }
  std::byte* ip = frame.data() + link;
  ip[0] = std::byte{0x45};
  store16(ip + 2, 20 + payload);
  ip[8] = std::byte{64};
  ip[9] = static_cast<std::byte>(protocol);
  const std::array<std::uint8_t, 8> addresses{10, 78, 0, 2, 10, 78, 0, 1};
  std::memcpy(ip + 12, addresses.data(), addresses.size());
  store16(ip + 10, static_cast<std::uint16_t>(~sum(ip, 20)));
  return frame;
}

std::vector<std::byte> echo_request(std::size_t link = kEthernet) {
  auto frame = ipv4_frame(IPPROTO_ICMP, 64, link);
  std::byte* icmp = frame.data() + link + 20;
  icmp[0] = std::byte{8};
  icmp[7] = std::byte{1};
  store16(icmp + 2, static_cast<std::uint16_t>(~sum(icmp, 64)));
  return frame;
}

bool is_echo_reply(const Received& received, std::size_t link = kEthernet) {
  return is_ipv4(received, IPPROTO_ICMP, link) && received.buffer.data[link + 20] == std::byte{0};
}

sockaddr_in to_address(const char* text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text, &address.sin_addr);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

// Both kinds; where io_uring is denied the first is skipped, saying why.
class TapDevice : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !probe_io_uring().available) GTEST_SKIP() << probe_io_uring().why;
  }
};

INSTANTIATE_TEST_SUITE_P(, TapDevice, testing::Bool(),
                         [](const auto& test) { return test.param ? "IoUring" : "Epoll"; });

TEST(TapSetUp, OpensWithQueuesAndOffloads) {
  in_private_network([] {
    auto device = Device::open({.name = "wfpt%d", .queues = 3});
    ASSERT_TRUE(device) << device.error().what;
    EXPECT_EQ(device->name(), "wfpt0");
    EXPECT_EQ(device->queue_count(), 3u);
    EXPECT_EQ(device->vnet_header_size(), kVnetHeaderSize);
    EXPECT_EQ(device->ifindex(), ::if_nametoindex("wfpt0"));
    EXPECT_TRUE(device->offloads().checksum && device->offloads().tso4 && device->offloads().tso6);
    EXPECT_EQ(device->offloads() == Offloads::all(), device->notes().empty());

    EXPECT_EQ(*device->set_offloads(Offloads::none()), Offloads::none());
    EXPECT_EQ(*device->set_offloads(Offloads::checksum_only()), Offloads::checksum_only());
    EXPECT_EQ(*device->set_offloads({.tso4 = true}), Offloads::none()) << "nothing without the checksum";
    EXPECT_FALSE(device->set_queue_attached(2, false));
    EXPECT_FALSE(device->set_queue_attached(2, true));
  });
}

TEST(TapSetUp, ErrorsSayWhatToDo) {
  in_private_network([] {
    EXPECT_EQ(Device::open({.name = "a-name-that-is-too-long"}).error().code, EINVAL);
    EXPECT_EQ(Device::open({.queues = 0}).error().code, EINVAL);
    EXPECT_EQ(Device::open({.queues = kMaxQueues + 1}).error().code, EINVAL);
    EXPECT_EQ(Device::open({.vnet_header_size = 11}).error().code, EINVAL);
    auto first = Device::open({.name = "wfpt0", .medium = Medium::RawIp});
    ASSERT_TRUE(first);
    const auto second = Device::open({.name = "wfpt0", .medium = Medium::Ethernet});
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find("wfpt0"), std::string::npos);
    EXPECT_NE(second.error().what.find("choose another name"), std::string::npos) << second.error().what;
  });
}

TEST(TapSetUp, StateReadsBackAsSet) {
  in_private_network([] {
    World world{false};
    Netlink& netlink = world.netlink();
    EXPECT_FALSE(netlink.set_mtu(world.ifindex(), 9000));
    const auto link = netlink.link(world.ifindex());
    ASSERT_TRUE(link) << link.error().what;
    EXPECT_EQ(link->name, "wfp0");
    EXPECT_EQ(link->mac, kKernelMac);
    EXPECT_EQ(link->mtu, 9000u);
    EXPECT_TRUE(link->is_up && link->is_running);
    const auto addresses = netlink.addresses(world.ifindex());
    ASSERT_TRUE(addresses);
    ASSERT_EQ(addresses->size(), 2u) << "no link-local address of the kernel's own making";
    for (const AddressState& address : *addresses) EXPECT_FALSE(address.is_tentative);
    EXPECT_FALSE(netlink.add_address(world.ifindex(), *parse_prefix("10.78.0.1/24"))) << "again is no error";
    EXPECT_FALSE(netlink.add_route(world.ifindex(), *parse_prefix("0.0.0.0/0"), *parse_prefix("10.78.0.2")));
    EXPECT_FALSE(netlink.add_route(world.ifindex(), *parse_prefix("::/0"), *parse_prefix("fd78::2")));
    EXPECT_TRUE(netlink.add_route(world.ifindex(), *parse_prefix("::/0"), *parse_prefix("10.78.0.2")));
    EXPECT_FALSE(netlink.remove_address(world.ifindex(), *parse_prefix("fd78::1/64")));
    EXPECT_EQ(netlink.addresses(world.ifindex())->size(), 1u);

    const Error error = netlink.set_mtu(world.ifindex(), 10);
    EXPECT_TRUE(error);
    EXPECT_NE(error.what.find("MTU"), std::string::npos) << error.what;
    EXPECT_TRUE(netlink.set_up(4711, true)) << "no such interface";
  });
}

TEST(TapSetUp, AddressesAreUsableAtOnce) {  // and the flags of the link survive: multicast is on
  in_private_network([] {
    World world{false};
    for (const int family : {AF_INET, AF_INET6}) {
      const FileDescriptor fd{::socket(family, SOCK_DGRAM, 0)};
      sockaddr_in v4 = to_address("10.78.0.1", 0);
      sockaddr_in6 v6{};
      v6.sin6_family = AF_INET6;
      ::inet_pton(AF_INET6, "fd78::1", &v6.sin6_addr);
      const int code = family == AF_INET ? ::bind(fd.get(), generic(v4), sizeof v4)
                                         : ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
      EXPECT_EQ(code, 0) << std::strerror(errno);
      ifreq request{};
      std::strcpy(request.ifr_name, "wfp0");
      ASSERT_EQ(::ioctl(fd.get(), SIOCGIFFLAGS, &request), 0);
      EXPECT_TRUE(request.ifr_flags & IFF_MULTICAST);
    }
  });
}

TEST(TapSetUp, WaitIsBoundedAndSaysWhatIsMissing) {
  in_private_network([] {
    World world{false};
    ASSERT_FALSE(world.netlink().set_up(world.ifindex(), false));
    const Error down = world.netlink().wait_until_usable(world.ifindex(), 10ms);
    EXPECT_EQ(down.code, ETIMEDOUT);
    EXPECT_NE(down.what.find("not up"), std::string::npos) << down.what;
    ASSERT_FALSE(world.netlink().set_up(world.ifindex(), true));
    ASSERT_FALSE(world.netlink().wait_until_usable(world.ifindex(), 5s));
    ASSERT_FALSE(world.device().set_carrier(false));
    const Error dark = world.netlink().wait_until_usable(world.ifindex(), 10ms);
    EXPECT_NE(dark.what.find("carrier"), std::string::npos) << dark.what;
    ASSERT_FALSE(world.device().set_carrier(true));
    EXPECT_FALSE(world.netlink().wait_until_usable(world.ifindex(), 5s));
  });
}

TEST(TapSetUp, LoopbackComesUp) {
  in_private_network([] {
    auto netlink = Netlink::open();
    ASSERT_TRUE(netlink);
    EXPECT_FALSE(netlink->link(1)->is_up);
    EXPECT_FALSE(netlink->set_loopback_up());
    EXPECT_TRUE(netlink->link(1)->is_up);
  });
}

TEST_P(TapDevice, KernelAnswersPing) {
  in_private_network([] {
    World world{GetParam()};
    for (int i = 0; i < 3; ++i) {
      world.send(echo_request());
      EXPECT_FALSE(world.wait_for([](const Received& r) { return is_echo_reply(r); }).empty());
    }
  });
}

TEST_P(TapDevice, RawIpMediumCarriesPackets) {
  in_private_network([] {
    World world{GetParam(), {.medium = Medium::RawIp}};
    world.send(echo_request(0));
    EXPECT_FALSE(world.wait_for([](const Received& r) { return is_echo_reply(r, 0); }).empty());
  });
}

TEST_P(TapDevice, ManyFramesComeInOrderInBothDirections) {
  in_private_network([] {
    World world{GetParam()};
    const FileDescriptor fd{::socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP))};
    sockaddr_ll link{};
    link.sll_family = AF_PACKET;
    link.sll_protocol = htons(ETH_P_IP);
    link.sll_ifindex = static_cast<int>(world.ifindex());
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link), 0);
    auto frame = ipv4_frame(253, 26);  // a protocol for experiments: nobody answers
    constexpr int kCount = 100;
    for (int i = 0; i < kCount; ++i) {
      store16(frame.data() + 40, static_cast<std::size_t>(i));
      ASSERT_EQ(::send(fd.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
    }
    for (int i = 0; i < kCount;) {
      for (const Received& received : world.io().poll(kLong).received) {
        if (is_ipv4(received, 253)) {
          EXPECT_EQ(load16(received.buffer.data + 40), i++);
        }
        world.io().post(received.buffer);
      }
      ASSERT_FALSE(HasFailure());
    }
    std::vector<std::vector<std::byte>> frames(kCount, frame);
    for (int i = 0; i < kCount; ++i) {
      auto& out = frames[static_cast<std::size_t>(i)];
      store16(out.data() + 40, static_cast<std::size_t>(i));
      const iovec range{out.data(), out.size()};
      ASSERT_TRUE(world.io().submit(std::span{&range, 1}, {}, nullptr));
    }
    EXPECT_EQ(world.io().flush().size(), static_cast<std::size_t>(kCount));
    std::array<std::byte, 2048> seen;
    for (int i = 0; i < kCount;) {
      sockaddr_ll from{};
      socklen_t size = sizeof from;
      ASSERT_GT(
          ::recvfrom(fd.get(), seen.data(), seen.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size), 0);
      if (from.sll_pkttype != PACKET_OUTGOING) {
        EXPECT_EQ(load16(seen.data() + 40), i++);
      }
    }
  });
}

TEST_P(TapDevice, KernelHandsOverUdpSuperFrame) {
  in_private_network([] {
    World world{GetParam()};
    if (!world.device().offloads().uso) GTEST_SKIP() << "no UDP segmentation before Linux 6.2";
    const FileDescriptor fd{::socket(AF_INET, SOCK_DGRAM, 0)};
    const int segment = 1000;
    ASSERT_EQ(::setsockopt(fd.get(), SOL_UDP, 103 /* UDP_SEGMENT */, &segment, sizeof segment), 0);
    const sockaddr_in to = to_address("10.78.0.2", 9);
    const std::string payload(10'000, 'u');
    ASSERT_EQ(::sendto(fd.get(), payload.data(), payload.size(), 0, generic(to), sizeof to), 10'000);
    VnetHeader header;
    const auto frame = world.wait_for([](const Received& r) { return is_ipv4(r, IPPROTO_UDP); }, &header);
    ASSERT_EQ(frame.size(), kEthernet + 28 + payload.size());
    EXPECT_EQ(header.gso_type, GsoType::UdpSegment);
    EXPECT_EQ(header.gso_size, segment);
    EXPECT_EQ(header.checksum, ChecksumState::Needed);
    EXPECT_EQ(header.checksum_start, kEthernet + 20);
  });
}

TEST_P(TapDevice, WithoutOffloadsChecksumsAreFinishedAndFramesSmall) {
  in_private_network([] {
    World world{GetParam()};
    ASSERT_EQ(*world.device().set_offloads(Offloads::none()), Offloads::none());
    const FileDescriptor fd{::socket(AF_INET, SOCK_DGRAM, 0)};
    const sockaddr_in to = to_address("10.78.0.2", 9);
    ASSERT_EQ(::sendto(fd.get(), "data", 4, 0, generic(to), sizeof to), 4);
    VnetHeader header;
    const auto frame = world.wait_for([](const Received& r) { return is_ipv4(r, IPPROTO_UDP); }, &header);
    ASSERT_EQ(frame.size(), kEthernet + 28 + 4);
    EXPECT_EQ(header, VnetHeader{});
    const std::byte* ip = frame.data() + kEthernet;
    EXPECT_EQ(sum(ip + 12, 8 + 12, IPPROTO_UDP + 12), 0xffff) << "the UDP checksum over the pseudo header";
  });
}

// The least of a TCP peer that makes the kernel's TCP send: answers its SYN and takes its data.
TEST_P(TapDevice, KernelTcpSendsSuperFramesAndTakesOurs) {
  in_private_network([] {
    World world{GetParam()};
    const FileDescriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    const sockaddr_in to = to_address("10.78.0.2", 80);
    ASSERT_EQ(::connect(fd.get(), generic(to), sizeof to), -1);
    const auto syn = world.wait_for([](const Received& r) { return is_ipv4(r, IPPROTO_TCP); });
    ASSERT_FALSE(syn.empty());
    const std::byte* from = syn.data() + kEthernet + 20;
    const auto segment = [&](std::uint32_t sequence, std::uint32_t acknowledged, int flags, std::size_t payload) {
      auto frame = ipv4_frame(IPPROTO_TCP, 20 + payload);
      std::byte* tcp = frame.data() + kEthernet + 20;
      std::memcpy(tcp, from + 2, 2);
      std::memcpy(tcp + 2, from, 2);
      store16(tcp + 4, sequence >> 16);
      store16(tcp + 6, sequence & 0xffff);
      store16(tcp + 8, acknowledged >> 16);
      store16(tcp + 10, acknowledged & 0xffff);
      tcp[12] = std::byte{0x50};
      tcp[13] = static_cast<std::byte>(flags);
      store16(tcp + 14, 0xffff);
      store16(tcp + 16,
              sum(frame.data() + kEthernet + 12, 8, static_cast<std::uint32_t>(IPPROTO_TCP + 20 + payload)));
      return frame;
    };
    const std::uint32_t theirs = (std::uint32_t{load16(from + 4)} << 16 | load16(from + 6)) + 1;
    VnetHeader header{
        .checksum = ChecksumState::Needed, .header_length = 54, .checksum_start = 34, .checksum_offset = 16};
    world.send(segment(1000, theirs, TH_SYN | TH_ACK, 0), header);

    // Its window opens with ten segments, and no MSS option means 536 bytes each: several in one frame.
    const auto is_super = [](const Received& r) { return r.header.gso_type == GsoType::Tcp4; };
    pollfd writable{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    ASSERT_EQ(::poll(&writable, 1, 5000), 1);
    const std::string payload(40'000, 't');
    ASSERT_GT(::send(fd.get(), payload.data(), payload.size(), 0), 0);
    VnetHeader seen;
    const auto super = world.wait_for(is_super, &seen);
    ASSERT_GT(super.size(), kEthernet + 40 + 2 * 536u);
    EXPECT_EQ(seen.gso_size, 536);
    EXPECT_EQ(seen.checksum, ChecksumState::Needed);

    // Now a large one of ours, with its checksum unfinished.
    constexpr std::size_t kOurs = 40'000;
    header.gso_type = GsoType::Tcp4;
    header.gso_size = 1448;
    world.send(segment(1001, theirs, TH_ACK | TH_PUSH, kOurs), header);
    std::vector<char> received(kOurs);
    ASSERT_EQ(::recv(fd.get(), received.data(), received.size(), MSG_DONTWAIT), static_cast<ssize_t>(kOurs));
  });
}

TEST_P(TapDevice, LinkDownIsAPlainResultAndHeals) {
  in_private_network([] {
    World world{GetParam()};
    ASSERT_FALSE(world.netlink().set_up(world.ifindex(), false));
    world.send(echo_request(), {}, TransmitResult::LinkDown);
    EXPECT_EQ(world.io().poll(1ms).device_error, 0);
    ASSERT_FALSE(world.netlink().set_up(world.ifindex(), true));
    ASSERT_FALSE(world.netlink().wait_until_usable(world.ifindex(), 5s));
    // Going down, the kernel forgot its neighbours, the permanent ones too.
    ASSERT_FALSE(world.netlink().add_neighbour(world.ifindex(), *parse_prefix("10.78.0.2"), kPeerMac));
    world.send(echo_request());
    EXPECT_FALSE(world.wait_for([](const Received& r) { return is_echo_reply(r); }).empty());
  });
}

TEST_P(TapDevice, DeletedDeviceIsReportedOnceAndNeverSpins) {
  in_private_network([] {
    World world{GetParam()};
    const FileDescriptor fd{::socket(AF_INET, SOCK_DGRAM, 0)};
    // As an administrator would: by its name, from outside.
    ASSERT_EQ(std::system("ip link delete wfp0 2>/dev/null"), 0);
    int error = 0;
    for (int i = 0; i < 10 && error == 0; ++i) error = world.io().poll(100ms).device_error;
    EXPECT_EQ(error, EBADFD);
    const auto calls = world.io().stats().system_calls;
    for (int i = 0; i < 3; ++i) world.io().poll(5ms);
    EXPECT_LE(world.io().stats().system_calls, calls + 6);
  });
}

TEST_P(TapDevice, WaitsForFramesWithoutPolling) {
  in_private_network([] {
    World world{GetParam()};
    while (!world.io().poll(20ms).received.empty()) {
    }
    std::thread sender([] {
      std::this_thread::sleep_for(30ms);
      const FileDescriptor fd{::socket(AF_INET, SOCK_DGRAM, 0)};
      const sockaddr_in to = to_address("10.78.0.2", 9);
      EXPECT_EQ(::sendto(fd.get(), "late", 4, 0, generic(to), sizeof to), 4);
    });
    const auto calls = world.io().stats().system_calls;
    EXPECT_FALSE(world.wait_for([](const Received& r) { return is_ipv4(r, IPPROTO_UDP); }).empty());
    EXPECT_LT(world.io().stats().system_calls, calls + 500);  // one that polls makes tens of thousands
    sender.join();
  });
}

// A container's seccomp profile that forbids io_uring: the probe says so, and the other kind takes its place.
TEST(TapSetUp, DeniedIoUringFallsBackToEpoll) {
  in_private_network([] {
    ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    std::array<sock_filter, 4> filter{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{.len = filter.size(), .filter = filter.data()};
    ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    const UringProbe probe = probe_io_uring();
    EXPECT_FALSE(probe.available);
    EXPECT_NE(probe.why.find("seccomp"), std::string::npos) << probe.why;
    World world{true};
    EXPECT_EQ(world.io().engine(), "epoll (" + probe.why + ")");
    world.send(echo_request());
    EXPECT_FALSE(world.wait_for([](const Received& r) { return is_echo_reply(r); }).empty());
  });
}

TEST(TapSetUp, NameIsFreeAgainAtOnce) {
  in_private_network([] {
    for (int i = 0; i < 5; ++i) {
      World world{probe_io_uring().available};
      world.io().poll(1ms);  // leaves something armed in the ring
      world.io().poll(1ms);
    }
  });
}

}  // namespace
}  // namespace tap
