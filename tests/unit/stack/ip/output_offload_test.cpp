// What hooks see of what is left to links: nothing where the link does not do it or an observer has not agreed.
#include <array>

#include "tests/unit/stack/ip/output_fixture.hpp"

namespace stack::test {
namespace {

constexpr LinkCapabilities kEverything{.checksum = true, .tso4 = true, .tso6 = true};
constexpr std::array kPeers{"10.77.0.1", "fd77::1"};

class OutputOffloadTest : public OutputTest {
 protected:
  void refuse(bool on) {
    for (const auto family : {Family::V4, Family::V6}) hooks.refuse_offload(Direction::Outbound, family, on);
  }
  Ready large(const char* to, std::size_t payload) {
    Ready r = ready(to, payload, wire::kProtocolTcp);
    r.packet.set_large_send({.segment_size = 1400});
    return r;
  }
  // Every packet shown is as it would be on a wire without a card that helps.
  void expect_seen_finished() {
    for (const auto& seen : recorder.seen) {
      EXPECT_FALSE(seen.partial);
      EXPECT_EQ(seen.segment_size, 0u);
      const bool v4 = seen.context.family == Family::V4;
      const std::size_t header = seen.context.hook == Hook::IpOut ? (v4 ? 20U : 40U) : 0U;
      EXPECT_LE(seen.bytes.size(), 1500u - (header == 0 ? (v4 ? 20U : 40U) : 0U));
      const auto transport = Bytes{seen.bytes}.subspan(header);
      wire::Checksum sum = wire::pseudo_header(seen.context.local, seen.context.remote, seen.context.protocol,
                                               static_cast<std::uint32_t>(transport.size()));
      sum.add(transport);
      EXPECT_TRUE(sum.is_valid()) << wire::format_transport(seen.context.protocol, transport);
    }
  }
};

TEST_F(OutputOffloadTest, WithConsentHooksSeeWhatIsLeftToTheLink) {
  card.offload = kEverything;
  arm_all();
  for (const char* to : kPeers) {
    send(large(to, 3500));
    ASSERT_EQ(recorder.seen.size(), 2u);
    for (const auto& seen : recorder.seen) {
      EXPECT_TRUE(seen.partial);
      EXPECT_EQ(seen.segment_size, 1400u);
    }
    recorder.seen.clear();
  }
}

TEST_F(OutputOffloadTest, SumsAreFinishedBeforeTheHooksWithoutTheLinkOrTheConsent) {
  arm_all();
  for (const bool has_link : {false, true})
    for (const char* to : kPeers)
      for (const auto protocol : {wire::kProtocolTcp, wire::kProtocolUdp}) {
        card.offload = has_link ? kEverything : LinkCapabilities{};
        refuse(has_link);
        send(ready(to, 100, protocol));
        EXPECT_EQ(recorder.seen.size(), 2u);
        expect_seen_finished();
        recorder.seen.clear();
        ASSERT_EQ(card.sent.size(), 1u);
        expect_valid(card.sent[0]);
        card.sent.clear();
      }
}

TEST_F(OutputOffloadTest, ARefusalIsForItsFamilyAndDirection) {
  card.offload = kEverything;
  arm_all();
  hooks.refuse_offload(Direction::Outbound, Family::V4, true);
  hooks.refuse_offload(Direction::Inbound, Family::V6, true);
  send(ready("10.77.0.1", 10));
  send(ready("fd77::1", 10));
  ASSERT_EQ(recorder.seen.size(), 4u);
  EXPECT_FALSE(recorder.seen[0].partial || recorder.seen[1].partial);
  EXPECT_TRUE(recorder.seen[2].partial && recorder.seen[3].partial);
}

TEST_F(OutputOffloadTest, ARouteSaysWhatIsRefusedAndAgesWhenThatChanges) {
  card.offload = kEverything;
  const auto generation = output.route_generation();
  auto route = output.route(address("10.77.0.1"), std::nullopt);
  EXPECT_TRUE(route->checksum_offload);
  EXPECT_GT(route->large_send_max, 0u);
  hooks.refuse_offload(Direction::Outbound, Family::V4, true);
  EXPECT_NE(output.route_generation(), generation);
  route = output.route(address("10.77.0.1"), std::nullopt);
  EXPECT_FALSE(route->checksum_offload);
  EXPECT_EQ(route->large_send_max, 0u);
  const auto same = output.route_generation();
  hooks.refuse_offload(Direction::Outbound, Family::V4, true);
  EXPECT_EQ(output.route_generation(), same);
}

// It was made while it was allowed, and a driver had it since.
TEST_F(OutputOffloadTest, ALateLargeSendIsCutBeforeTheHooks) {
  card.offload = kEverything;
  refuse(true);
  arm_all();
  for (const char* to : kPeers) {
    send(large(to, 3500));
    EXPECT_EQ(recorder.seen.size(), 6u) << "three segments, two hooks";
    expect_seen_finished();
    EXPECT_EQ(recorder.seen[0].context.tcp_flags & wire::tcp_flag::kFin, 0);
    EXPECT_NE(recorder.seen[5].context.tcp_flags & wire::tcp_flag::kFin, 0);
    EXPECT_EQ(recorder.seen[0].context.local_port, 5000);
    recorder.seen.clear();
    EXPECT_EQ(expect_segments(1500), 3500u);
  }
}

TEST_F(OutputOffloadTest, ALargeSendWithItsHeaderIsCutBeforeTheHooks) {
  card.offload = kEverything;
  refuse(true);
  arm_all();
  for (const char* to : kPeers) {
    Packet packet = with_header(to, 3500);
    packet.set_large_send({.segment_size = 1400});
    output.send_with_header(std::move(packet), at(1s));
    EXPECT_EQ(recorder.seen.size(), 6u);
    expect_seen_finished();
    recorder.seen.clear();
    EXPECT_EQ(expect_segments(1500), 3500u);
  }
}

// Its size says that there is nothing to cut.
TEST_F(OutputOffloadTest, ALargeSendThatIsNoneLosesItsMark) {
  refuse(true);
  arm_all();
  send(large("10.77.0.1", 700));
  EXPECT_EQ(recorder.seen.size(), 2u);
  expect_seen_finished();
  ASSERT_EQ(card.sent.size(), 1u);
  expect_valid(card.sent[0]);
}

// A driver changes a byte and forgets the sum: where sums are finished, the receiver notices.
TEST_F(OutputOffloadTest, AnOldSumStaysWrong) {
  for (const bool refused : {true, false}) {
    card.offload = kEverything;
    refuse(refused);
    Packet packet = with_header("10.77.0.1", 100);
    if (!refused) packet.set_checksum({.transport_partial = true});
    packet.make_private(60)[50] ^= std::byte{1};
    output.send_with_header(std::move(packet), at(1s));
    ASSERT_EQ(card.sent.size(), 1u);
    EXPECT_EQ(card.sent[0].checksum().transport_partial, !refused) << "the link would hide it";
    card.sent[0].pull(20);
    if (refused) {
      card.sent[0].set_checksum({});
      EXPECT_FALSE(ip::is_transport_checksum_valid(card.sent[0]));
    }
    card.sent.clear();
  }
}

TEST_F(OutputOffloadTest, EachSegmentIsTheHooksToTake) {
  card.offload = kEverything;
  arm_all();
  Ready r = large("10.77.0.1", 3500);
  refuse(true);
  recorder.block = [](const PacketContext&) { return true; };
  send(std::move(r));
  EXPECT_EQ(recorder.seen.size(), 3u);
  EXPECT_TRUE(card.sent.empty());
}

}  // namespace
}  // namespace stack::test
