#include "stack/ip/reassembly.hpp"

#include <algorithm>

#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

// Fragments of one datagram go in through Input; a UDP-like sink receives the whole.
class ReassemblyTest : public IpFixture {
 protected:
  ReassemblyTest() { transports.set(17, &udp); }
  void TearDown() override {
    udp.received.clear();
    IpFixture::TearDown();
  }
  // The datagram that the peer sends, cut for a small MTU.
  std::vector<ByteVector> fragments(const char* from, const char* to, std::size_t payload, std::uint32_t mtu = 500) {
    whole = make_udp(1, 2, payload);
    for (std::size_t i = 8; i < whole.size(); ++i) whole[i] = static_cast<std::byte>(i * 7);
    Packet packet = packet_of(pool, make_ip(address(from), address(to), 17, whole));
    std::optional<ip::ParameterProblem> problem;
    const auto header = ip::parse_ip_header(packet, problem);
    std::vector<ByteVector> all;
    const auto cut = ip::cut_into_fragments(pool, packet, *header, mtu, id_++,
                                            [&](Packet piece) { all.push_back(bytes_of(piece)); });
    EXPECT_TRUE(cut.complete);
    return all;
  }
  void expect_whole() {
    ASSERT_EQ(udp.received.size(), 1u);
    EXPECT_EQ(udp.received[0].size(), whole.size());
    EXPECT_TRUE(std::ranges::equal(Bytes{bytes_of(udp.received[0])}.subspan(8), Bytes{whole}.subspan(8)));
    EXPECT_TRUE(ip::is_transport_checksum_valid(udp.received[0]));
    EXPECT_TRUE(udp.received[0].meta().reassembled);
    EXPECT_EQ(input.reassembly().datagrams(), 0u);
    EXPECT_EQ(input.reassembly().bytes(), 0u);
    udp.received.clear();
  }
  RecordingSink udp;
  ByteVector whole;
  std::uint32_t id_ = 9;
};

TEST_F(ReassemblyTest, AnyOrderOfFragmentsOfBothFamilies) {
  for (const auto& [from, to] : {std::pair{"10.77.0.1", "10.77.0.2"}, std::pair{"fd77::1", "fd77::2"}}) {
    std::vector<std::size_t> order{0, 1, 2, 3};
    do {
      const auto pieces = fragments(from, to, 1500);
      ASSERT_EQ(pieces.size(), 4u);
      for (std::size_t i : order) receive(pieces[i]);
      expect_whole();
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST_F(ReassemblyTest, HooksSeeEachFragmentTwiceAndTheWholeOnce) {
  arm_all();
  const auto pieces = fragments("10.77.0.1", "10.77.0.2", 700);
  for (const auto& piece : pieces) receive(piece);
  ASSERT_EQ(recorder.seen.size(), 5u);
  EXPECT_FALSE(recorder.seen[0].context.is_fragment);
  EXPECT_TRUE(recorder.seen[1].context.is_fragment);
  EXPECT_EQ(recorder.seen[1].context.fragment.offset, 0u);
  EXPECT_TRUE(recorder.seen[1].context.fragment.more);
  EXPECT_TRUE(recorder.seen[3].context.is_fragment);
  EXPECT_EQ(recorder.seen[3].context.fragment.offset, 480u);
  EXPECT_EQ(recorder.seen[3].context.fragment.length, 708u);
  EXPECT_TRUE(recorder.seen[4].context.is_reassembled);
  EXPECT_EQ(recorder.seen[4].bytes.size(), 708u);
  expect_whole();
}

TEST_F(ReassemblyTest, DuplicatesAreDroppedAlone) {
  const auto pieces = fragments("10.77.0.1", "10.77.0.2", 700);
  receive(pieces[0]);
  receive(pieces[0]);
  receive(pieces[1]);
  expect_whole();
  EXPECT_EQ(stats.dropped(Drop::FragmentDuplicate), 1u);
}

TEST_F(ReassemblyTest, OverlapsPoisonTheDatagram) {
  auto pieces = fragments("fd77::1", "fd77::2", 1000);
  ASSERT_EQ(pieces.size(), 3u);
  auto moved = pieces[1];
  store_be16(moved, 42, static_cast<std::uint16_t>(load_be16(moved, 42) - 8));
  receive(pieces[0]);
  receive(moved);
  receive(pieces[1]);
  receive(pieces[2]);
  EXPECT_TRUE(udp.received.empty());
  EXPECT_GE(stats.dropped(Drop::FragmentOverlap), 4u);
  EXPECT_EQ(input.reassembly().bytes(), 0u);
  input.expire(at(2min));
  EXPECT_EQ(input.reassembly().datagrams(), 0u);
  EXPECT_TRUE(take_sent().empty()) << "no time exceeded about a poisoned datagram";
}

TEST_F(ReassemblyTest, TimesOutWithAnErrorWhenTheFirstFragmentIsThere) {
  const auto pieces = fragments("10.77.0.1", "10.77.0.2", 700);
  receive(pieces[0], at(1s));
  EXPECT_EQ(input.next_deadline(), at(31s));
  input.expire(at(31s) - 1ns);
  EXPECT_TRUE(card.sent.empty());
  input.expire(at(31s));
  ASSERT_EQ(card.sent.size(), 1u);
  const ByteVector error = bytes_of(card.sent[0]);
  EXPECT_EQ(load_u8(error, 20), wire::icmpv4::kTimeExceeded);
  EXPECT_EQ(load_u8(error, 21), 1);
  card.sent.clear();
  receive(pieces[1], at(40s));
  input.expire(at(80s));
  EXPECT_TRUE(card.sent.empty());
  EXPECT_EQ(stats.dropped(Drop::ReassemblyTimeout), 2u);
}

TEST_F(ReassemblyTest, IsBoundedInDatagrams) {
  for (int i = 0; i < 300; ++i) receive(fragments("10.77.0.1", "10.77.0.2", 700)[0]);
  EXPECT_EQ(input.reassembly().datagrams(), ip::ReassemblyConfig{}.max_datagrams);
  EXPECT_EQ(stats.dropped(Drop::ReassemblyLimit), 300 - ip::ReassemblyConfig{}.max_datagrams);
}

TEST_F(ReassemblyTest, RejectsImpossibleFragments) {
  auto pieces = fragments("10.77.0.1", "10.77.0.2", 700);
  auto bad = pieces[0];
  store_be16(bad, 6, 0x2000 | 0x1fff);  // reaches beyond 65,535
  store_be16(bad, 10, 0);
  store_be16(bad, 10, wire::checksum_of(Bytes{bad}.first(20)));
  receive(bad);
  EXPECT_EQ(stats.dropped(Drop::FragmentTooLarge), 1u);
  bad = {pieces[0].begin(), pieces[0].end() - 3};  // not a multiple of eight, with more to come
  store_be16(bad, 2, static_cast<std::uint16_t>(bad.size()));
  store_be16(bad, 10, 0);
  store_be16(bad, 10, wire::checksum_of(Bytes{bad}.first(20)));
  receive(bad);
  EXPECT_EQ(stats.dropped(Drop::BadLength), 1u);
}

TEST_F(ReassemblyTest, AtomicFragmentsNeedNoReassembly) {  // RFC 6946
  whole = make_udp(1, 2, 10);
  auto bytes = make_ip(address("fd77::1"), address("fd77::2"), 17, whole);
  const ByteVector header{std::byte{17}, std::byte{0}, std::byte{0}, std::byte{0},
                          std::byte{1},  std::byte{2}, std::byte{3}, std::byte{4}};
  bytes.insert(bytes.begin() + 40, header.begin(), header.end());
  store_be16(bytes, 4, static_cast<std::uint16_t>(bytes.size() - 40));
  store_u8(bytes, 6, 44);
  receive(bytes);
  ASSERT_EQ(udp.received.size(), 1u);
  EXPECT_FALSE(udp.received[0].meta().reassembled);
  EXPECT_EQ(udp.received[0].meta().ip_header_size, 48u);
}

}  // namespace
}  // namespace stack::test
