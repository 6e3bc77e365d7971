#include "stack/ip/reassembly.hpp"

#include <algorithm>
#include <tuple>

#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
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
    EXPECT_FALSE(udp.received[0].checksum().transport_verified) << "nobody has seen the whole before";
    EXPECT_EQ(input.reassembly().datagrams(), 0u);
    EXPECT_EQ(input.reassembly().bytes(), 0u);
    udp.received.clear();
  }
  RecordingSink udp;
  ByteVector whole;
  std::uint32_t id_ = 9;
};

// checklist: TCP-214
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

// checklist: TCP-214
TEST_F(ReassemblyTest, DuplicatesAreDroppedAlone) {
  const auto pieces = fragments("10.77.0.1", "10.77.0.2", 700);
  receive(pieces[0]);
  receive(pieces[0]);
  receive(pieces[1]);
  expect_whole();
  EXPECT_EQ(stats.dropped(Drop::FragmentDuplicate), 1u);
}

// checklist: TCP-234
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

// Whichever comes first, and wherever they overlap (RFC 5722).
// checklist: TCP-214, TCP-234
TEST_F(ReassemblyTest, EveryWayToOverlapIsSeen) {
  struct Piece {
    std::size_t offset, size;
    bool more;
  };
  const auto receive_piece = [this](const Piece& piece, std::uint32_t id) {
    ByteVector bytes(8 + piece.size);
    wire::Ipv6FragmentFields{.next_header = 17, .offset = piece.offset, .more = piece.more, .id = id}.emit(bytes);
    receive(make_ip(address("fd77::1"), address("fd77::2"), 44, bytes));
  };
  const std::tuple<const char*, Piece, Piece> cases[] = {
      {"the end of the one before", {0, 64, true}, {56, 64, true}},
      {"the start of the one behind", {64, 64, true}, {8, 64, true}},
      {"all of another", {64, 16, true}, {8, 128, true}},
      {"a part of another", {8, 128, true}, {64, 16, true}},
      {"behind the end", {64, 16, false}, {80, 16, true}},
      {"an end before what is there", {80, 16, true}, {64, 16, false}},
      {"two ends", {128, 16, false}, {64, 16, false}},
  };
  std::uint32_t id = 1000;
  for (const auto& [what, first, second] : cases) {
    const auto dropped = stats.dropped(Drop::FragmentOverlap);
    receive_piece(first, ++id);
    EXPECT_EQ(input.reassembly().fragments(), 1u) << what;
    receive_piece(second, id);
    EXPECT_EQ(stats.dropped(Drop::FragmentOverlap), dropped + 2) << what;
    EXPECT_EQ(input.reassembly().fragments(), 0u) << what;
  }
}

// checklist: TCP-102
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

// checklist: TCP-231
TEST_F(ReassemblyTest, Ipv6WaitsLonger) {  // RFC 8200 4.5
  receive(fragments("fd77::1", "fd77::2", 700)[0], at(1s));
  EXPECT_EQ(input.next_deadline(), at(61s));
  input.expire(at(61s));
  ASSERT_EQ(card.sent.size(), 1u);
  EXPECT_EQ(load_u8(bytes_of(card.sent[0]), 40), wire::icmpv6::kTimeExceeded);
  EXPECT_EQ(load_u8(bytes_of(card.sent[0]), 41), 1);
}

TEST_F(ReassemblyTest, OnlyTheFirstFragmentSaysWhatIpv6Carries) {  // RFC 8200 4.5; for IPv4 it is part of the name
  auto pieces = fragments("fd77::1", "fd77::2", 700);
  store_u8(pieces[1], 40, 200);
  for (const auto& piece : pieces) receive(piece);
  expect_whole();
  pieces = fragments("10.77.0.1", "10.77.0.2", 700);
  store_u8(pieces[1], 9, 200);
  store_be16(pieces[1], 10, 0);
  store_be16(pieces[1], 10, wire::checksum_of(Bytes{pieces[1]}.first(20)));
  for (const auto& piece : pieces) receive(piece);
  EXPECT_EQ(input.reassembly().datagrams(), 2u);
}

TEST_F(ReassemblyTest, IsBoundedInDatagrams) {
  for (int i = 0; i < 300; ++i) receive(fragments("10.77.0.1", "10.77.0.2", 700)[0]);
  EXPECT_EQ(input.reassembly().datagrams(), ip::ReassemblyConfig{}.max_datagrams);
  EXPECT_EQ(stats.dropped(Drop::ReassemblyLimit), 300 - ip::ReassemblyConfig{}.max_datagrams);
}

// checklist: TCP-216
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

TEST_F(ReassemblyTest, IsBoundedInFragmentsHoweverSmall) {
  const ip::ReassemblyConfig config{.max_waiting_fragments = 100};
  ip::Reassembly small{pool, teller, hooks, SipKey{}, config, [](const Packet&, Instant) {}};
  for (int i = 0; i < 30; ++i) {
    const auto pieces = fragments("10.77.0.1", "10.77.0.2", 100, 28);  // eight bytes each
    for (std::size_t k = 0; k + 1 < pieces.size(); ++k) {
      Packet piece = packet_of(pool, pieces[k]);
      std::optional<ip::ParameterProblem> problem;
      const auto header = ip::parse_ip_header(piece, problem);
      piece.pull(header->header_size);
      EXPECT_FALSE(small.add(std::move(piece), *header, at(1s)));
      EXPECT_LE(small.fragments(), 100u);
    }
  }
  EXPECT_GT(small.fragments(), 80u);
  EXPECT_EQ(stats.dropped(Drop::ReassemblyLimit) + small.fragments(), 30u * 13);
  small.clear();
  EXPECT_EQ(small.fragments(), 0u);
  EXPECT_EQ(small.bytes(), 0u);
}

// The account has no room: the oldest datagram goes, and no fragment holds the packet that it came in.
TEST_F(ReassemblyTest, IsBoundedByTheAccount) {
  std::size_t taken = 0;
  ASSERT_TRUE(account->take(Use::Fragments, taken = account->most(Use::Fragments) - 14'000));
  const auto lost = fragments("10.77.0.1", "10.77.0.2", 2'000, 576);
  for (std::size_t i = 0; i + 1 < lost.size(); ++i) receive(lost[i]);
  EXPECT_EQ(account->held(Use::Fragments),
            taken + pool.in_use() * PacketPool::charge_of(0) + input.reassembly().bytes() + 20 * pool.in_use());
  for (const auto& piece : fragments("10.77.0.1", "10.77.0.2", 3'000, 576)) receive(piece);
  expect_whole();
  EXPECT_GT(stats.dropped(Drop::ReassemblyLimit), 0u);
  EXPECT_EQ(account->held(Use::Fragments), taken);
  account->give(Use::Fragments, taken);
}

TEST_F(ReassemblyTest, ImpossibleFragmentsTakeNoPlace) {
  auto pieces = fragments("10.77.0.1", "10.77.0.2", 700);
  Packet bad = packet_of(pool, pieces[0]);
  std::optional<ip::ParameterProblem> problem;
  auto header = *ip::parse_ip_header(bad, problem);
  bad.pull(header.header_size);
  header.fragment->offset = 65'528;
  ip::Reassembly reassembly{pool, teller, hooks, SipKey{}, {}, [](const Packet&, Instant) {}};
  EXPECT_FALSE(reassembly.add(std::move(bad), header, at(1s)));
  EXPECT_EQ(reassembly.datagrams(), 0u);
  EXPECT_EQ(stats.dropped(Drop::FragmentTooLarge), 1u);
}

// checklist: TCP-101
TEST_F(ReassemblyTest, TheLargestDatagramOfEachFamily) {
  for (const auto& [from, to, most] :
       {std::tuple{"10.77.0.1", "10.77.0.2", 65'535 - 20 - 8}, std::tuple{"fd77::1", "fd77::2", 65'535 - 8}}) {
    for (const auto& piece : fragments(from, to, static_cast<std::size_t>(most), 1500)) receive(piece);
    expect_whole();
  }
}

// RFC 8200 4.5 wants the sender to be told, and where the mistake is.
// checklist: TCP-232, TCP-233, TCP-236
TEST_F(ReassemblyTest, BadIpv6FragmentsAreAnswered) {
  const auto problem_of = [this](const ByteVector& fragment) -> std::string {
    receive(fragment);
    if (card.sent.size() != 1) return "no answer";
    const ByteVector error = bytes_of(card.sent[0]);
    card.sent.clear();
    EXPECT_EQ(load_u8(error, 40), wire::icmpv6::kParameterProblem);
    return "code " + std::to_string(load_u8(error, 41)) + " at " + std::to_string(load_be32(error, 44));
  };
  const auto pieces = fragments("fd77::1", "fd77::2", 700);
  ByteVector odd{pieces[0].begin(), pieces[0].end() - 3};
  store_be16(odd, 4, static_cast<std::uint16_t>(odd.size() - 40));
  EXPECT_EQ(problem_of(odd), "code 0 at 4");
  EXPECT_EQ(stats.dropped(Drop::BadLength), 1u);
  ByteVector late = pieces[0];
  store_be16(late, 42, 0xfff8 | 1);
  EXPECT_EQ(problem_of(late), "code 0 at 42");
  store_u8(late, 40, 58);
  EXPECT_EQ(problem_of(late), "no answer") << "it may belong to an ICMPv6 error";
  EXPECT_EQ(stats.dropped(Drop::FragmentTooLarge), 2u);
  ByteVector tiny{pieces[0].begin(), pieces[0].begin() + 56};  // RFC 7112: eight bytes of what says it is TCP
  store_be16(tiny, 4, 16);
  store_u8(tiny, 40, 6);
  EXPECT_EQ(problem_of(tiny), "code 3 at 0");
  store_u8(tiny, 40, 60);  // or a header that goes on in the next one
  store_u8(tiny, 49, 1);
  EXPECT_EQ(problem_of(tiny), "code 3 at 0");
  EXPECT_EQ(stats.dropped(Drop::TruncatedHeader), 2u);
  EXPECT_EQ(input.reassembly().datagrams(), 0u);
}

TEST_F(ReassemblyTest, AFragmentWithinFragmentsGoesNoFurther) {
  ByteVector inner(8 + 8 + 24);
  store_u8(inner, 0, 44);  // a destination header, padded; its next one is a fragment header
  store_be16(inner, 2, 0x0104);
  store_u8(inner, 8, 17);
  store_be16(inner, 10, 8 | 1);  // offset 8, more to come
  Packet packet = packet_of(pool, make_ip(address("fd77::1"), address("fd77::2"), 60, inner));
  ip::IpHeader header;
  header.family = Family::V6;
  header.protocol = 60;
  header.header_size = 40;
  header.total_size = 80;
  header.next_header_offset = 6;
  std::vector<ByteVector> pieces;
  ip::cut_into_fragments(pool, packet, header, 72, 5, [&](Packet piece) { pieces.push_back(bytes_of(piece)); });
  ASSERT_EQ(pieces.size(), 2u);
  for (const auto& piece : pieces) receive(piece);
  EXPECT_TRUE(udp.received.empty());
  EXPECT_EQ(stats.dropped(Drop::BadOption), 1u);
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
