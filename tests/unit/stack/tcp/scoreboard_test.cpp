// The account of what was sent: acknowledged, reported, lost, sent again (RFC 6675).
#include <random>

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

Instant ms(int n) { return Instant::from_ns(n * 1'000'000LL); }
const Seq kBase{0xffff'ff00};

TEST(Scoreboard, AcknowledgesPartOfALargeSegment) {
  Scoreboard board;
  board.on_sent(kBase, kBase + 10'000, ms(1));
  board.on_sent(kBase + 10'000, kBase + 12'000, ms(2));
  EXPECT_EQ(board.pipe(), 12'000u);
  const auto delivered = board.acknowledge(kBase + 3'000);
  EXPECT_EQ(delivered.bytes, 3'000u);
  EXPECT_EQ(delivered.sample_sent_at, ms(1));
  EXPECT_EQ(board.pipe(), 9'000u);
  EXPECT_EQ(board.acknowledge(kBase + 12'000).sample_sent_at, ms(2));
  EXPECT_TRUE(board.empty());
}
TEST(Scoreboard, SackSplitsMergesAndCountsOnce) {
  Scoreboard board;
  board.on_sent(kBase, kBase + 10'000, ms(1));
  EXPECT_EQ(board.sack(kBase + 2'000, kBase + 4'000).bytes, 2'000u);
  EXPECT_EQ(board.sack(kBase + 3'000, kBase + 5'000).bytes, 1'000u);
  EXPECT_EQ(board.sack(kBase + 2'000, kBase + 5'000).bytes, 0u);
  EXPECT_EQ(board.range_count(), 3u);
  EXPECT_EQ(board.sacked_bytes(), 3'000u);
  EXPECT_EQ(board.pipe(), 7'000u);
  EXPECT_EQ(board.sack(kBase, kBase + 10'000).bytes, 7'000u);
  EXPECT_EQ(board.range_count(), 1u);
  EXPECT_EQ(board.acknowledge(kBase + 10'000).bytes, 0u);  // all was reported before
  EXPECT_EQ(board.sacked_bytes(), 0u);
}
TEST(Scoreboard, TinySegmentsAreBounded) {
  Scoreboard board;
  const auto most = static_cast<std::uint32_t>(Scoreboard::kMaxRanges);
  for (std::uint32_t i = 0; i < most + 10; ++i) board.on_sent(kBase + i * 8, kBase + (i + 1) * 8, ms(1));
  EXPECT_EQ(board.range_count(), most);
  EXPECT_EQ(board.pipe(), (most + 10) * 8);
  EXPECT_EQ(board.acknowledge(kBase + (most + 10) * 8).bytes, (most + 10) * 8);
}
TEST(Scoreboard, LossRuleOfRfc6675) {
  Scoreboard board;
  for (std::uint32_t i = 0; i < 10; ++i) board.on_sent(kBase + i * 1000, kBase + (i + 1) * 1000, ms(1));
  board.sack(kBase + 1000, kBase + 2000);
  EXPECT_FALSE(board.mark_lost_by_sack(1000));
  board.sack(kBase + 3000, kBase + 4000);
  EXPECT_FALSE(board.mark_lost_by_sack(1000));
  board.sack(kBase + 5000, kBase + 6000);  // three blocks above the first segment
  EXPECT_TRUE(board.mark_lost_by_sack(1000));
  EXPECT_EQ(board.lost_bytes(), 1000u);
  board.sack(kBase + 8000,
             kBase + 10'000);  // two more segments: the hole at 2000 follows, and with bytes that at 4000
  EXPECT_TRUE(board.mark_lost_by_sack(1000));
  const auto lost = board.next_lost(5000);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->begin, kBase);
  EXPECT_EQ(lost->size(), 1000u);
}
TEST(Scoreboard, RetransmissionIsNotMarkedAgainAndGivesNoSample) {
  Scoreboard board;
  board.on_sent(kBase, kBase + 5'000, ms(1));
  board.sack(kBase + 1000, kBase + 5'000);
  EXPECT_TRUE(board.mark_lost_by_sack(1000));
  board.on_retransmitted(kBase, kBase + 1000, ms(5));
  EXPECT_EQ(board.pipe(), 1000u);
  EXPECT_FALSE(board.mark_lost_by_sack(1000));
  const auto delivered = board.acknowledge(kBase + 5'000);
  EXPECT_TRUE(delivered.any_retransmitted);
  EXPECT_FALSE(delivered.sample_sent_at);
}
TEST(Scoreboard, TimeoutForgetsSacks) {
  Scoreboard board;
  board.on_sent(kBase, kBase + 3'000, ms(1));
  board.sack(kBase + 1000, kBase + 3'000);
  board.mark_all_lost(true);
  EXPECT_EQ(board.sacked_bytes(), 0u);
  EXPECT_EQ(board.lost_bytes(), 3'000u);
  EXPECT_EQ(board.pipe(), 0u);
  EXPECT_EQ(board.next_lost(10'000)->size(), 3'000u);
}
TEST(Scoreboard, RangesAreBounded) {
  Scoreboard board;
  board.on_sent(kBase, kBase + 100'000, ms(1));
  for (std::uint32_t i = 0; i < 50'000; ++i) board.sack(kBase + 2 * i + 1, kBase + 2 * i + 2);
  EXPECT_LE(board.range_count(), Scoreboard::kMaxRanges);
  board.acknowledge(kBase + 100'000);
  EXPECT_EQ(board.sacked_bytes() + board.lost_bytes() + board.pipe(), 0u);
}
// Random operations against one byte of truth for each byte.
TEST(Scoreboard, MatchesAModel) {
  std::mt19937 random{5};
  for (int round = 0; round < 200; ++round) {
    Scoreboard board;
    std::uint32_t una = 0, nxt = 0;
    std::vector<int> sacked(20'000, 0);
    for (int step = 0; step < 60; ++step) {
      switch (random() % 4) {
        case 0:
          if (nxt < 19'000) {
            const std::uint32_t size = 1 + static_cast<std::uint32_t>(random() % 900);
            board.on_sent(kBase + nxt, kBase + nxt + size, ms(step));
            nxt += size;
          }
          break;
        case 1:
          if (nxt > una) {
            const std::uint32_t left = una + static_cast<std::uint32_t>(random()) % (nxt - una);
            const std::uint32_t right = left + 1 + static_cast<std::uint32_t>(random()) % (nxt - left);
            std::uint32_t fresh = 0;
            for (std::uint32_t i = left; i < right; ++i) fresh += sacked[i] == 0 ? 1 : 0, sacked[i] = 1;
            EXPECT_EQ(board.sack(kBase + left, kBase + right).bytes, fresh);
          }
          break;
        case 2:
          if (nxt > una) una += static_cast<std::uint32_t>(random()) % (nxt - una + 1);
          board.acknowledge(kBase + una);
          break;
        default:
          board.mark_lost_by_sack(100);
          if (const auto lost = board.next_lost(150)) board.on_retransmitted(lost->begin, lost->end, ms(step));
      }
      std::uint32_t expected = 0;
      for (std::uint32_t i = una; i < nxt; ++i) expected += static_cast<std::uint32_t>(sacked[i]);
      ASSERT_EQ(board.sacked_bytes(), expected);
      ASSERT_EQ(board.outstanding_bytes(), nxt - una);
      ASSERT_EQ(board.pipe() + board.sacked_bytes() + board.lost_bytes(), nxt - una);
    }
  }
}

TEST(Scoreboard, WhatWasSentAgainInDoubtCountsTwiceUntilItIsKnown) {
  Scoreboard board;
  for (std::uint32_t i = 0; i < 6; ++i) board.on_sent(kBase + i * 1000, kBase + (i + 1) * 1000, ms(1));
  board.sack(kBase + 1000, kBase + 2000);
  const auto hole = board.next_hole(600);
  ASSERT_TRUE(hole);
  EXPECT_EQ(hole->begin, kBase);
  EXPECT_EQ(hole->size(), 600u);
  board.on_retransmitted(hole->begin, hole->end, ms(2));
  EXPECT_EQ(board.pipe(), 5600u);
  EXPECT_EQ(board.next_hole(1000)->begin, kBase + 600);
  board.on_retransmitted(kBase + 600, kBase + 1000, ms(2));
  EXPECT_EQ(board.pipe(), 6000u);
  EXPECT_FALSE(board.next_hole(1000));  // nothing reported lies above the rest
  board.sack(kBase + 3000, kBase + 6000);
  board.mark_lost_by_sack(1000);  // the first copies are lost; the second ones are under way
  EXPECT_EQ(board.lost_bytes(), 1000u);
  EXPECT_EQ(board.pipe(), 1000u);
  board.acknowledge(kBase + 300);
  EXPECT_EQ(board.pipe(), 700u);
}
TEST(Scoreboard, TwoCopiesEndWithAnAcknowledgementAReportOrATimeout) {
  for (int how = 0; how < 3; ++how) {
    Scoreboard board;
    board.on_sent(kBase, kBase + 2000, ms(1));
    board.sack(kBase + 1000, kBase + 2000);
    board.on_retransmitted(kBase, kBase + 1000, ms(2));
    EXPECT_EQ(board.pipe(), 2000u);
    if (how == 0) board.acknowledge(kBase + 1000);
    if (how == 1) board.sack(kBase, kBase + 1000);
    if (how == 2) board.mark_all_lost(false);
    EXPECT_EQ(board.pipe(), 0u) << how;
  }
}

}  // namespace
}  // namespace stack::tcp::test
