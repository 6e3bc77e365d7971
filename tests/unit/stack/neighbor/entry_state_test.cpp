// RFC 4861 7.3 and appendix C, row by row.
#include "stack/neighbor/entry_state.hpp"

#include <gtest/gtest.h>

namespace stack::neighbor {
namespace {

using Heed = EntryState::Heed;

const Timing kTiming;
const MacAddress kA{{std::byte{2}, {}, {}, {}, {}, std::byte{1}}};
const MacAddress kB{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};
Instant at(Duration d) { return Instant{} + d; }

EntryState resolved(Instant now = at(0s)) {
  EntryState entry;
  entry.start(kTiming, now);
  EXPECT_EQ(entry.on_advertisement({.mac = &kA, .solicited = true}, kTiming, now), Heed::Answered);
  return entry;
}

// checklist: TCP-249
TEST(EntryState, GivesUpAfterThreeQuestions) {
  EntryState entry;
  EXPECT_EQ(entry.start(kTiming, at(0s)), Solicit::Multicast);
  EXPECT_EQ(entry.on_timer(kTiming, at(1s)), Solicit::Multicast);
  EXPECT_EQ(entry.on_timer(kTiming, at(2s)), Solicit::Multicast);
  EXPECT_EQ(entry.deadline(), at(3s));
  EXPECT_EQ(entry.on_timer(kTiming, at(3s)), Solicit::GiveUp);
}

TEST(EntryState, AnswersMakeItReachableAndTimeStale) {
  EntryState entry = resolved();
  EXPECT_EQ(entry.state(), State::Reachable);
  EXPECT_EQ(entry.mac(), kA);
  EXPECT_EQ(entry.deadline(), at(30s));
  EXPECT_EQ(entry.on_timer(kTiming, at(30s)), Solicit::None);
  EXPECT_EQ(entry.state(), State::Stale);
  EXPECT_EQ(entry.deadline(), kNever);
}

// checklist: TCP-252
TEST(EntryState, UseOfAStaleEntryLeadsToProbesAndLoss) {
  EntryState entry = resolved();
  entry.on_timer(kTiming, at(30s));
  entry.on_send(kTiming, at(40s));
  EXPECT_EQ(entry.state(), State::Delay);
  EXPECT_EQ(entry.deadline(), at(45s));
  EXPECT_EQ(entry.on_timer(kTiming, at(45s)), Solicit::Unicast);
  EXPECT_EQ(entry.state(), State::Probe);
  EXPECT_EQ(entry.on_timer(kTiming, at(46s)), Solicit::Unicast);
  EXPECT_EQ(entry.on_timer(kTiming, at(47s)), Solicit::Unicast);
  EXPECT_EQ(entry.on_timer(kTiming, at(48s)), Solicit::GiveUp);
}

// checklist: TCP-252
TEST(EntryState, ConfirmationFromAboveSavesProbes) {
  EntryState entry = resolved();
  entry.on_timer(kTiming, at(30s));
  entry.on_send(kTiming, at(40s));
  entry.on_confirmation(kTiming, at(41s));
  EXPECT_EQ(entry.state(), State::Reachable);
  EXPECT_EQ(entry.deadline(), at(71s));
  EntryState incomplete;
  incomplete.start(kTiming, at(0s));
  incomplete.on_confirmation(kTiming, at(0s));
  EXPECT_EQ(incomplete.state(), State::Incomplete);
}

TEST(EntryState, AnotherAddressNeedsTheOverrideFlag) {
  EntryState entry = resolved();
  EXPECT_EQ(entry.on_advertisement({.mac = &kB, .solicited = true, .override_entry = false}, kTiming, at(1s)),
            Heed::Ignored);
  EXPECT_EQ(entry.mac(), kA);
  EXPECT_EQ(entry.state(), State::Stale);
  EXPECT_EQ(entry.on_advertisement({.mac = &kB, .solicited = true, .override_entry = true}, kTiming, at(2s)),
            Heed::Taken);
  EXPECT_EQ(entry.mac(), kB);
  EXPECT_EQ(entry.state(), State::Reachable);
  entry.on_advertisement({.mac = &kA, .solicited = false, .override_entry = true}, kTiming, at(3s));
  EXPECT_EQ(entry.mac(), kA);
  EXPECT_EQ(entry.state(), State::Stale);
}

TEST(EntryState, UnsolicitedFirstAnswersAreStale) {
  EntryState entry;
  entry.start(kTiming, at(0s));
  EXPECT_EQ(entry.on_advertisement({.solicited = true}, kTiming, at(0s)), Heed::Ignored)
      << "without an address it says nothing";
  EXPECT_EQ(entry.on_advertisement({.mac = &kA}, kTiming, at(0s)), Heed::Answered);
  EXPECT_EQ(entry.state(), State::Stale);
}

TEST(EntryState, HearingTheNeighbourItself) {
  EntryState entry;
  entry.start(kTiming, at(0s));
  EXPECT_TRUE(entry.on_heard(kA));
  EXPECT_EQ(entry.state(), State::Stale);
  EntryState known = resolved();
  EXPECT_FALSE(known.on_heard(kA));
  EXPECT_EQ(known.state(), State::Reachable) << "nothing new";
  EXPECT_FALSE(known.on_heard(kB));
  EXPECT_EQ(known.state(), State::Stale);
  EXPECT_EQ(known.mac(), kB);
}

}  // namespace
}  // namespace stack::neighbor
