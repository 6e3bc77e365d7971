// What the tests of the device share: one with a made-up neighbour, and the few packets that they exchange with the
// kernel's stack.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <net/ethernet.h>
#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tap/device.hpp"
#include "tap/frame_io.hpp"
#include "tap/netlink.hpp"
#include "tests/linux/private_network.hpp"

namespace tap::test {

using namespace std::chrono_literals;
using ::test::in_private_network;

inline constexpr MacAddress kKernelMac{0x02, 0, 0, 0, 0, 0x01};
inline constexpr MacAddress kPeerMac{0x02, 0, 0, 0, 0, 0x02};
inline constexpr std::size_t kEthernet = 14;
inline constexpr std::size_t kCapacity = kMaxFrameSize + 1;
inline constexpr auto kLong = 5s;

inline std::uint16_t load16(const std::byte* at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) << 8 | std::to_integer<unsigned>(at[1]));
}

inline void store16(std::byte* at, std::size_t value) {
  at[0] = static_cast<std::byte>(value >> 8 & 0xff);
  at[1] = static_cast<std::byte>(value & 0xff);
}

inline std::uint16_t sum(const std::byte* at, std::size_t size, std::uint32_t total = 0) {
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

inline bool is_ipv4(const Received& received, int protocol, std::size_t link = kEthernet) {
  const std::byte* ip = received.buffer.data + link;
  return received.length >= link + 20 && ip[0] == std::byte{0x45} && ip[9] == static_cast<std::byte>(protocol);
}

// An IPv4 packet from 10.78.0.2 to 10.78.0.1 with room for `payload` bytes behind its header.
inline std::vector<std::byte> ipv4_frame(int protocol, std::size_t payload, std::size_t link = kEthernet) {
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

inline std::vector<std::byte> echo_request(std::size_t link = kEthernet) {
  auto frame = ipv4_frame(IPPROTO_ICMP, 64, link);
  std::byte* icmp = frame.data() + link + 20;
  icmp[0] = std::byte{8};
  icmp[7] = std::byte{1};
  store16(icmp + 2, static_cast<std::uint16_t>(~sum(icmp, 64)));
  return frame;
}

inline bool is_echo_reply(const Received& received, std::size_t link = kEthernet) {
  return is_ipv4(received, IPPROTO_ICMP, link) && received.buffer.data[link + 20] == std::byte{0};
}

inline sockaddr_in to_address(const char* text, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, text, &address.sin_addr);
  return address;
}

inline const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

}  // namespace tap::test
