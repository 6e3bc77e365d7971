#include "stack/wire/ipv6_ext.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "stack/base/rng.hpp"
#include "stack/wire/ipv6.hpp"

namespace stack::wire {
namespace {

using Verdict = Ipv6Chain::Verdict;
using Problem = Ipv6Chain::ProblemCode;

// A packet with extension headers given as bytes; the first one's type stands in the IPv6 header.
std::vector<std::byte> packet(int next_header, std::initializer_list<int> chain, std::size_t payload = 20) {
  std::vector<std::byte> bytes(40 + chain.size() + payload);
  Ipv6Fields{.payload_size = chain.size() + payload, .next_header = static_cast<std::uint8_t>(next_header)}.emit(
      bytes);
  std::size_t at = 40;
  for (int v : chain) bytes[at++] = static_cast<std::byte>(v);
  return bytes;
}

TEST(Ipv6Chain, PlainTransportHeader) {
  const auto chain = Ipv6Chain::walk(packet(6, {}));
  EXPECT_EQ(chain.verdict, Verdict::Ok);
  EXPECT_EQ(chain.protocol, 6);
  EXPECT_EQ(chain.offset, 40u);
  EXPECT_EQ(chain.next_header_offset, 6u);
}

// checklist: TCP-229
TEST(Ipv6Chain, WalksOverOptionsAndRoutingWithoutSegments) {
  const auto chain = Ipv6Chain::walk(packet(0, {43, 0, 1, 4, 0, 0, 0, 0,  //
                                                60, 0, 0, 0, 0, 0, 0, 0,  //
                                                17, 1, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0, 0}));
  EXPECT_EQ(chain.verdict, Verdict::Ok);
  EXPECT_EQ(chain.protocol, 17);
  EXPECT_EQ(chain.offset, 72u);
  EXPECT_EQ(chain.next_header_offset, 56u);
}

TEST(Ipv6Chain, StopsBehindAFragmentHeader) {
  const auto chain = Ipv6Chain::walk(packet(60, {44, 0, 1, 4, 0, 0, 0, 0,  //
                                                 6, 0, 0x05, 0xa9, 1, 2, 3, 4}));
  ASSERT_EQ(chain.verdict, Verdict::Ok);
  ASSERT_TRUE(chain.fragment);
  EXPECT_EQ(chain.fragment->header_offset, 48u);
  EXPECT_EQ(chain.fragment->next_header_offset, 40u);
  EXPECT_EQ(chain.fragment->offset, 1448u);
  EXPECT_TRUE(chain.fragment->more);
  EXPECT_EQ(chain.fragment->id, 0x01020304u);
  EXPECT_EQ(chain.protocol, 6);
  EXPECT_EQ(chain.offset, 56u);
}

TEST(Ipv6Chain, AtomicFragmentsAreWalkedOver) {  // RFC 6946
  const auto chain = Ipv6Chain::walk(packet(44, {6, 0, 0, 0, 1, 2, 3, 4}));
  EXPECT_EQ(chain.verdict, Verdict::Ok);
  EXPECT_FALSE(chain.fragment);
  EXPECT_TRUE(chain.has_fragment_header);
  EXPECT_EQ(chain.offset, 48u);
}

TEST(Ipv6Chain, FragmentFieldsRoundTrip) {
  std::vector<std::byte> header(8);
  Ipv6FragmentFields{.next_header = 17, .offset = 65528, .more = true, .id = 99}.emit(header);
  auto bytes = packet(44, {0, 0, 0, 0, 0, 0, 0, 0});
  std::copy(header.begin(), header.end(), bytes.begin() + 40);
  const auto chain = Ipv6Chain::walk(bytes);
  ASSERT_TRUE(chain.fragment);
  EXPECT_EQ(chain.fragment->offset, 65528u);
  EXPECT_EQ(chain.fragment->id, 99u);
}

// checklist: TCP-229, TCP-230
TEST(Ipv6Chain, RoutingWithSegmentsLeftIsRefused) {
  for (int type : {0, 2, 4}) {
    const auto chain = Ipv6Chain::walk(packet(43, {6, 0, type, 1, 0, 0, 0, 0}));
    EXPECT_EQ(chain.verdict, Verdict::ParameterProblem);
    EXPECT_EQ(chain.problem_code, Problem::ErroneousField);
    EXPECT_EQ(chain.problem_offset, 42u);
  }
}

// checklist: TCP-226
TEST(Ipv6Chain, HopByHopIsLegalAsTheFirstHeaderOnly) {
  const auto chain = Ipv6Chain::walk(packet(60, {0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0}));
  EXPECT_EQ(chain.verdict, Verdict::ParameterProblem);
  EXPECT_EQ(chain.problem_code, Problem::UnknownNextHeader);
  EXPECT_EQ(chain.problem_offset, 40u);
}

// checklist: TCP-227
TEST(Ipv6Chain, UnknownOptionsByTheirHighBits) {
  const auto with = [](int type) { return Ipv6Chain::walk(packet(60, {6, 0, type, 4, 0, 0, 0, 0})); };
  EXPECT_EQ(with(0x1e).verdict, Verdict::Ok);
  EXPECT_EQ(with(0x5e).verdict, Verdict::Drop);
  EXPECT_EQ(with(0x9e).verdict, Verdict::ParameterProblem);
  EXPECT_TRUE(with(0x9e).answer_multicast);
  EXPECT_EQ(with(0xde).verdict, Verdict::ParameterProblem);
  EXPECT_FALSE(with(0xde).answer_multicast);
  EXPECT_EQ(with(0xde).problem_code, Problem::UnknownOption);
  EXPECT_EQ(with(0xde).problem_offset, 42u);
}

TEST(Ipv6Chain, OptionsMustEndWithTheirHeader) {
  EXPECT_EQ(Ipv6Chain::walk(packet(60, {6, 0, 1, 5, 0, 0, 0, 0})).problem_offset, 43u);
  EXPECT_EQ(Ipv6Chain::walk(packet(60, {6, 0, 1, 3, 0, 0, 0, 1})).problem_offset, 47u);
}

TEST(Ipv6Chain, CutOffHeadersAreDropped) {
  EXPECT_EQ(Ipv6Chain::walk(packet(60, {6, 9, 1, 4, 0, 0, 0, 0})).verdict, Verdict::Drop);
  EXPECT_EQ(Ipv6Chain::walk(packet(44, {6, 0, 0, 1}, 0)).verdict, Verdict::Drop);
}

TEST(Ipv6Chain, AllHeadersTogetherAreBounded) {
  const auto chain_of = [](int units) {  // one destination header, padded
    std::vector<std::byte> bytes = packet(60, {6, units - 1}, static_cast<std::size_t>(units) * 8 - 2 + 20);
    for (std::size_t at = 42; at < 40 + static_cast<std::size_t>(units) * 8;) {
      const std::size_t size = std::min<std::size_t>(257, 40 + static_cast<std::size_t>(units) * 8 - at);
      bytes[at] = std::byte{static_cast<unsigned char>(size == 1 ? 0 : 1)};
      if (size > 1) bytes[at + 1] = static_cast<std::byte>(size - 2);
      at += size;
    }
    return Ipv6Chain::walk(bytes);
  };
  EXPECT_EQ(chain_of(155).verdict, Verdict::Ok);  // 40 + 1240 bytes
  EXPECT_EQ(chain_of(156).verdict, Verdict::Drop);
}

TEST(Ipv6Chain, HeadersAndOptionsAreBounded) {
  std::vector<std::byte> many = packet(60, {}, 8 * 12);
  for (std::size_t at = 40; at < many.size(); at += 8) {
    many[at] = std::byte{60};
    many[at + 2] = std::byte{1};
    many[at + 3] = std::byte{4};
  }
  EXPECT_EQ(Ipv6Chain::walk(many).verdict, Verdict::Drop);
  std::vector<std::byte> options = packet(60, {6, 5, 0, 0, 0, 0, 0, 0}, 60);
  EXPECT_EQ(Ipv6Chain::walk(options).verdict, Verdict::Drop);
}

TEST(FindUpperLayer, LooksBehindWhatTheWalkRefuses) {
  const auto bad_option = packet(60, {6, 0, 0xde, 9, 0, 0, 0, 0});
  EXPECT_EQ(Ipv6Chain::walk(bad_option).verdict, Verdict::ParameterProblem);
  auto found = find_upper_layer(bad_option);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->protocol, 6);
  EXPECT_EQ(found->offset, 48u);
  found = find_upper_layer(packet(44, {58, 0, 0, 1, 0, 0, 0, 1}));  // a first fragment is looked into
  EXPECT_FALSE(found->is_later_fragment);
  EXPECT_EQ(found->offset, 48u);
  found = find_upper_layer(packet(44, {60, 0, 0, 8, 0, 0, 0, 1}));
  EXPECT_TRUE(found->is_later_fragment);
  EXPECT_EQ(found->protocol, 60) << "which is not there to be read";
  EXPECT_FALSE(find_upper_layer(packet(60, {6, 9, 1, 4, 0, 0, 0, 0})));
  EXPECT_FALSE(find_upper_layer(packet(44, {6, 0, 0, 1}, 0)));
  std::vector<std::byte> many = packet(60, {}, 8 * 12);
  for (std::size_t at = 40; at < many.size(); at += 8) many[at] = std::byte{60};
  EXPECT_FALSE(find_upper_layer(many));
}

TEST(Ipv6Chain, RandomChainsStayInside) {
  SeededRandom random{3};
  for (int i = 0; i < 50'000; ++i) {
    std::vector<std::byte> bytes(40 + random.below(80));
    constexpr int kTypes[] = {0, 43, 44, 60, 6, 17};
    for (auto& b : bytes) b = static_cast<std::byte>(random.below(3) == 0 ? kTypes[random.below(6)] : 0);
    bytes[6] = static_cast<std::byte>(kTypes[random.below(6)]);
    const auto chain = Ipv6Chain::walk(bytes);
    ASSERT_LE(chain.offset, bytes.size());
    if (const auto upper = find_upper_layer(bytes)) {
      ASSERT_LE(upper->offset, bytes.size());
    }
    ASSERT_LT(chain.problem_offset, bytes.size());
  }
}

}  // namespace
}  // namespace stack::wire
