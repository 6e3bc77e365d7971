#include "stack/wire/format.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "stack/base/rng.hpp"
#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ndp.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::wire {
namespace {

// Ethernet, IP of the addresses' family and a transport header with `payload` zero bytes.
template <typename Transport>
std::vector<std::byte> frame(const char* from, const char* to, std::uint8_t protocol, const Transport& transport,
                             std::size_t payload) {
  const IpAddress source = *IpAddress::parse(from), destination = *IpAddress::parse(to);
  const std::size_t ip_size = source.is_v4() ? 20 : 40;
  const std::size_t size = transport.size() + payload;
  std::vector<std::byte> bytes(14 + ip_size + size);
  EthernetFields{.ether_type = source.is_v4() ? kEtherTypeIpv4 : kEtherTypeIpv6}.emit(bytes);
  const MutableBytes ip = MutableBytes{bytes}.subspan(14);
  if (source.is_v4())
    Ipv4Fields{.payload_size = size, .protocol = protocol, .source = source, .destination = destination}.emit(ip);
  else
    Ipv6Fields{.payload_size = size, .next_header = protocol, .source = source, .destination = destination}.emit(ip);
  transport.emit(ip.subspan(ip_size));
  return bytes;
}

TEST(Format, Tcp) {
  TcpFields syn{.src_port = 34562, .dst_port = 80, .seq = Seq{1}, .flags = tcp_flag::kSyn, .window = 64240};
  syn.options.mss = 1460;
  EXPECT_EQ(format_frame(frame("10.77.0.1", "10.77.0.2", kProtocolTcp, syn, 0)),
            "IP 10.77.0.1:34562 > 10.77.0.2:80 TCP [S] seq 1 win 64240 <mss 1460> len 0");
  const TcpFields data{.src_port = 80,
                       .dst_port = 5,
                       .seq = Seq{7},
                       .ack_number = Seq{9},
                       .flags = tcp_flag::kPsh | tcp_flag::kAck,
                       .window = 1};
  EXPECT_EQ(format_frame(frame("fd77::2", "fd77::1", kProtocolTcp, data, 100)),
            "IP6 [fd77::2]:80 > [fd77::1]:5 TCP [P.] seq 7 ack 9 win 1 len 100");
  const TcpFields urgent{.flags = tcp_flag::kUrg, .urgent_pointer = 3};
  EXPECT_EQ(format_frame(frame("10.0.0.1", "10.0.0.2", kProtocolTcp, urgent, 0)),
            "IP 10.0.0.1:0 > 10.0.0.2:0 TCP [U] seq 0 urg 3 win 0 len 0");
}

TEST(Format, UdpAndIcmp) {
  EXPECT_EQ(format_frame(frame("10.0.0.1", "10.0.0.2", kProtocolUdp,
                               UdpFields{.src_port = 1, .dst_port = 2, .payload_size = 3}, 3)),
            "IP 10.0.0.1:1 > 10.0.0.2:2 UDP len 3");
  EXPECT_EQ(format_frame(frame("10.0.0.1", "10.0.0.2", kProtocolIcmp, IcmpFields{.type = 8, .rest = 0x00010002}, 56)),
            "IP 10.0.0.1 > 10.0.0.2 ICMP echo request id 1 seq 2 len 56");
  EXPECT_EQ(format_frame(frame("fe80::1", "ff02::1:ff00:2", kProtocolIcmpv6,
                               NeighborFields{.target = *IpAddress::parse("fe80::2")}, 0)),
            "IP6 fe80::1 > ff02::1:ff00:2 ICMPv6 neighbor solicitation fe80::2");
}

TEST(Format, Arp) {
  std::vector<std::byte> bytes(42);
  EthernetFields{.ether_type = kEtherTypeArp}.emit(bytes);
  ArpFields{.sender_ip = *IpAddress::parse("10.77.0.1"), .target_ip = *IpAddress::parse("10.77.0.2")}.emit(
      MutableBytes{bytes}.subspan(14));
  EXPECT_EQ(format_frame(bytes), "ARP who has 10.77.0.2, tell 10.77.0.1 (00:00:00:00:00:00)");
}

TEST(Format, SaysWhatCannotBeRead) {
  EXPECT_EQ(format_frame({}), "Ethernet (truncated_header)");
  EXPECT_EQ(format_ip({}), "IP (truncated_header)");
  EXPECT_EQ(format_transport(kProtocolTcp, {}), "TCP (truncated_header)");
  EXPECT_EQ(format_transport(132, {}), "protocol 132 len 0");
}

TEST(Format, AnyBytesGiveSomeText) {
  SeededRandom random{9};
  TcpFields tcp{.flags = 0xff};
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = frame(i % 2 == 0 ? "1.2.3.4" : "::5", i % 2 == 0 ? "1.2.3.5" : "::6",
                       static_cast<std::uint8_t>(random.below(70)), tcp, random.below(64));
    for (int flips = 0; flips < 4; ++flips)
      bytes[random.below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<std::byte>(random.below(256));
    bytes.resize(random.below(static_cast<std::uint32_t>(bytes.size()) + 1));
    ASSERT_FALSE(format_frame(bytes).empty());
  }
}

}  // namespace
}  // namespace stack::wire
