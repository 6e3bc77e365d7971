// Both kinds of FrameIo on a device, against the kernel's own stack.
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <thread>

#include "tests/linux/tap_world.hpp"

namespace tap::test {
namespace {

// Both kinds; where io_uring is denied the first is skipped, saying why.
class TapDevice : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !probe_io_uring().available) GTEST_SKIP() << probe_io_uring().why;
  }
};

INSTANTIATE_TEST_SUITE_P(, TapDevice, testing::Bool(),
                         [](const auto& test) { return test.param ? "IoUring" : "Epoll"; });

TEST_P(TapDevice, KernelAnswersPing) {
  in_private_network([] {
    World world{GetParam()};
    for (int i = 0; i < 3; ++i) {
      world.send(echo_request());
      EXPECT_FALSE(world.wait_for([](const Received& r) { return is_echo_reply(r); }).empty());
    }
  });
}

TEST_P(TapDevice, ShortVnetHeadersCarryTheSame) {
  in_private_network([] {
    World world{GetParam(), {.vnet_header_size = kVnetHeaderSizeShort}};
    EXPECT_EQ(world.device().vnet_header_size(), kVnetHeaderSizeShort);
    world.send(echo_request());
    EXPECT_FALSE(world.wait_for([](const Received& r) { return is_echo_reply(r); }).empty());
    const FileDescriptor fd{::socket(AF_INET, SOCK_DGRAM, 0)};
    const sockaddr_in to = to_address("10.78.0.2", 9);
    ASSERT_EQ(::sendto(fd.get(), "data", 4, 0, generic(to), sizeof to), 4);
    VnetHeader header;
    EXPECT_FALSE(world.wait_for([](const Received& r) { return is_ipv4(r, IPPROTO_UDP); }, &header).empty());
    EXPECT_EQ(header.checksum, ChecksumState::Needed);
    EXPECT_EQ(header.checksum_start, kEthernet + 20);
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

}  // namespace
}  // namespace tap::test
