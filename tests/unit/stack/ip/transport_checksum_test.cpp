#include "stack/ip/transport_checksum.hpp"

#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

class TransportChecksumTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(pool.in_use(), 0u); }
  // A datagram in pieces of the given sizes, the first of which has the header.
  Packet datagram(const std::vector<std::size_t>& sizes, const char* from = "10.0.0.1", const char* to = "10.0.0.2") {
    std::size_t total = 0;
    for (std::size_t size : sizes) total += size;
    ByteVector bytes = make_udp(1, 2, total - 8);
    for (std::size_t i = 8; i < total; ++i) bytes[i] = static_cast<std::byte>(i * 37);
    Packet packet = packet_of(pool, Bytes{bytes}.first(sizes[0]));
    std::size_t at = sizes[0];
    for (std::size_t i = 1; i < sizes.size(); ++i) {
      const BufferRef block = make_buffer(sizes[i]);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), sizes[i], block.bytes().begin());
      EXPECT_TRUE(packet.append(block, 0, sizes[i]));
      at += sizes[i];
    }
    PacketMeta& meta = packet.meta();
    meta.family = address(from).family();
    meta.protocol = wire::kProtocolUdp;
    meta.source = address(from);
    meta.destination = address(to);
    return packet;
  }
  PacketPool pool;
};

TEST_F(TransportChecksumTest, PiecesOfAnySizeGiveTheSameSum) {
  std::uint16_t expected = 0;
  for (const auto& sizes : {std::vector<std::size_t>{60}, {8, 52}, {9, 51}, {11, 1, 1, 47}, {21, 13, 26}}) {
    Packet packet = datagram(sizes);
    ASSERT_TRUE(ip::set_partial_checksum(packet));
    EXPECT_TRUE(packet.checksum().transport_partial);
    ASSERT_TRUE(ip::finish_checksum(packet, 0));
    EXPECT_FALSE(packet.checksum().transport_partial);
    EXPECT_TRUE(ip::is_transport_checksum_valid(packet));
    const std::uint16_t made = load_be16(packet.head(8), 6);
    if (expected == 0) expected = made;
    EXPECT_EQ(made, expected);
  }
}

TEST_F(TransportChecksumTest, ALinksWordIsTaken) {
  Packet packet = datagram({20});
  EXPECT_FALSE(ip::is_transport_checksum_valid(packet));
  packet.set_checksum({.transport_verified = true});
  EXPECT_TRUE(ip::is_transport_checksum_valid(packet));
}

TEST_F(TransportChecksumTest, SettingItAgainWritesNothing) {
  Packet packet = datagram({20});
  ASSERT_TRUE(ip::set_partial_checksum(packet));
  const Bytes before = packet.head(8);
  const Packet other = packet.share();
  ASSERT_TRUE(ip::set_partial_checksum(packet));
  EXPECT_EQ(packet.head(8).data(), before.data()) << "shared bytes stay where they are";
}

TEST_F(TransportChecksumTest, UdpNeverSendsZero) {  // RFC 768: it would mean that there is none
  Packet packet = datagram({10});
  const MutableBytes bytes = packet.make_private(10);
  store_be16(bytes, 8, 0);
  ASSERT_TRUE(ip::set_partial_checksum(packet));
  ASSERT_TRUE(ip::finish_checksum(packet, 0));
  const std::uint16_t rest = load_be16(packet.head(8), 6);
  // A payload word that makes the sum of everything else all ones.
  store_be16(packet.make_private(10), 8, rest);
  ASSERT_TRUE(ip::set_partial_checksum(packet));
  ASSERT_TRUE(ip::finish_checksum(packet, 0));
  EXPECT_EQ(load_be16(packet.head(8), 6), 0xffff);
  EXPECT_TRUE(ip::is_transport_checksum_valid(packet));
}

TEST_F(TransportChecksumTest, IcmpHasNoPseudoHeader) {
  EXPECT_EQ(ip::checksum_offset(132), 0u);
  Packet packet = packet_of(pool, make_icmp(8, 0, 5));
  packet.meta().protocol = wire::kProtocolIcmp;
  packet.meta().source = address("10.0.0.1");
  EXPECT_EQ(ip::partial_checksum(packet.meta(), packet.size()), 0);
}

}  // namespace
}  // namespace stack::test
