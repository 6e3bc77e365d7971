// Accounting by driver: who holds what, what is given back twice, what is left at unload.
#include "wfp/ledger/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "wfp/ledger/violation.hpp"

// As a driver's function would: its frame is found by .eh_frame, not by a frame pointer.
extern "C" __attribute__((noinline)) void ledger_test_acquire(const void* object) {
  wfp::ledger::acquire(wfp::ledger::Kind::clone, object);
  asm volatile("");  // the call above is no tail call
}
extern "C" __attribute__((noinline)) int ledger_test_compare(const void* left, const void*) {
  ledger_test_acquire(left);
  return 0;
}

namespace wfp::ledger {
namespace {

constexpr std::ptrdiff_t kSmallFunction = 512;  // bytes: more than the two above have

bool is_inside(void* address, std::uintptr_t function) {
  const auto distance = static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(address) - function);
  return distance > 0 && distance < kSmallFunction;
}

class LedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    reset();
    set_level(Level::standard);
    first_ = add_driver("first");
    second_ = add_driver("second");
  }
  void TearDown() override { reset(); }

  DriverId first_ = kNoDriver;
  DriverId second_ = kNoDriver;
  int objects_[64] = {};
};

TEST_F(LedgerTest, ObjectsBelongToTheDriverThatAcquiredThem) {
  {
    const DriverScope scope(first_);
    acquire(Kind::clone, &objects_[0], "a clone");
    const DriverScope inner(second_);
    acquire(Kind::clone, &objects_[1]);
  }
  EXPECT_EQ(alive_count(first_, Kind::clone), 1u);
  EXPECT_EQ(alive_count(second_, Kind::clone), 1u);

  const DriverScope scope(second_);  // releasing what another driver acquired is fine
  EXPECT_EQ(release(Kind::clone, &objects_[0]), Release::ok);
  EXPECT_EQ(alive(first_).total(), 0u);
  EXPECT_EQ(alive(second_).total(), 1u);
}

TEST_F(LedgerTest, NothingIsEnteredOutsideADriver) {
  acquire(Kind::clone, &objects_[0]);
  EXPECT_EQ(alive_count(kNoDriver, Kind::clone), 0u);
  EXPECT_EQ(current_driver(), kNoDriver);
}

TEST_F(LedgerTest, SecondReleaseIsUnknown) {
  const DriverScope scope(first_);
  acquire(Kind::mdl, &objects_[0]);
  EXPECT_EQ(release(Kind::mdl, &objects_[0]), Release::ok);
  EXPECT_EQ(release(Kind::mdl, &objects_[0]), Release::unknown);
}

TEST_F(LedgerTest, KindsAtOneAddressAreApart) {
  const DriverScope scope(first_);
  acquire(Kind::clone, &objects_[0]);
  acquire(Kind::injection, &objects_[0]);
  EXPECT_EQ(release(Kind::injection, &objects_[0]), Release::ok);
  EXPECT_EQ(alive_count(first_, Kind::clone), 1u);
}

TEST_F(LedgerTest, ReferencesNest) {
  const DriverScope scope(first_);
  acquire(Kind::nbl_reference, &objects_[0]);
  acquire(Kind::nbl_reference, &objects_[0]);
  EXPECT_EQ(alive_count(first_, Kind::nbl_reference), 2u);
  EXPECT_EQ(release(Kind::nbl_reference, &objects_[0]), Release::ok);
  EXPECT_EQ(release(Kind::nbl_reference, &objects_[0]), Release::ok);
  EXPECT_EQ(release(Kind::nbl_reference, &objects_[0]), Release::unknown);
  EXPECT_EQ(alive(first_).total(), 0u);
}

TEST_F(LedgerTest, EachDriverGivesBackItsOwnReferencesFirst) {
  const DriverScope scope(first_);
  acquire(Kind::nbl_reference, &objects_[0]);
  {
    const DriverScope inner(second_);
    acquire(Kind::nbl_reference, &objects_[0]);
    acquire(Kind::nbl_reference, &objects_[0]);
  }
  EXPECT_EQ(alive_count(first_, Kind::nbl_reference), 1u);
  EXPECT_EQ(alive_count(second_, Kind::nbl_reference), 2u);
  EXPECT_EQ(forget(first_), 1u);  // unloaded with a leak: the other driver's references are not touched
  const DriverScope inner(second_);
  EXPECT_EQ(release(Kind::nbl_reference, &objects_[0]), Release::ok);
  EXPECT_EQ(release(Kind::nbl_reference, &objects_[0]), Release::ok);
  EXPECT_EQ(release(Kind::nbl_reference, &objects_[0]), Release::unknown);
}

TEST_F(LedgerTest, ReferenceOfAnotherDriverMayBeGivenBack) {
  {
    const DriverScope scope(first_);
    acquire(Kind::nbl_reference, &objects_[0]);
  }
  const DriverScope scope(second_);
  EXPECT_EQ(release(Kind::nbl_reference, &objects_[0]), Release::ok);
  EXPECT_EQ(alive(first_).total(), 0u);
}

TEST_F(LedgerTest, AddressThatComesBackUnseenTakesTheEntryOver) {
  {
    const DriverScope scope(first_);
    acquire(Kind::clone, &objects_[0], "old", 7);
  }
  const DriverScope scope(second_);
  acquire(Kind::clone, &objects_[0], "new");
  EXPECT_EQ(alive(first_).total(), 0u);
  EXPECT_EQ(alive(first_).bytes, 0u);
  ASSERT_EQ(alive(second_).samples.size(), 1u);
  EXPECT_STREQ(alive(second_).samples[0].detail, "new");
}

// Open addressing with backward shift: whatever the order of erasing, what is left is still found.
TEST_F(LedgerTest, ErasingInAnyOrderLosesNothing) {
  const DriverScope scope(first_);
  std::vector<int> many(5000);
  for (auto& object : many) acquire(Kind::mdl, &object);
  for (std::size_t step : {3u, 2u, 1u})
    for (std::size_t i = 0; i < many.size(); i += step) {
      if (std::exchange(many[i], 1) != 0) continue;
      EXPECT_EQ(release(Kind::mdl, &many[i]), Release::ok) << i;
    }
  EXPECT_EQ(alive(first_).total(), 0u);
}

TEST_F(LedgerTest, OffCostsNothingAndAccusesNobody) {
  set_level(Level::off);
  const DriverScope scope(first_);
  acquire(Kind::clone, &objects_[0]);
  EXPECT_EQ(release(Kind::clone, &objects_[0]), Release::untracked);
  set_level(Level::standard);  // what was acquired unseen must not look like a double release
  EXPECT_EQ(release(Kind::clone, &objects_[0]), Release::untracked);
}

TEST_F(LedgerTest, SamplesAreTheOldestWithTheirDetail) {
  const DriverScope scope(first_);
  for (int i = 0; i < 40; ++i) acquire(Kind::pool_allocation, &objects_[i], "tag", 100);
  const Alive left = alive(first_, 4);
  EXPECT_EQ(left.counts[static_cast<std::size_t>(Kind::pool_allocation)], 40u);
  EXPECT_EQ(left.bytes, 4000u);
  ASSERT_EQ(left.samples.size(), 4u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(left.samples[static_cast<std::size_t>(i)].object, &objects_[i]);
  EXPECT_STREQ(left.samples[0].detail, "tag");
}

TEST_F(LedgerTest, FullKeepsAStackForEachObject) {
  set_level(Level::full);
  const DriverScope scope(first_);
  acquire(Kind::thread, &objects_[0]);
  ASSERT_EQ(alive(first_).samples.size(), 1u);
  const auto stack = alive(first_).samples[0].stack;
  EXPECT_GT(stack.size(), 1u);
}

TEST_F(LedgerTest, ForgetStrikesOutTheRestOfOneDriver) {
  {
    const DriverScope scope(first_);
    for (int i = 0; i < 10; ++i) acquire(Kind::timer, &objects_[i]);
  }
  const DriverScope scope(second_);
  acquire(Kind::timer, &objects_[20]);
  EXPECT_EQ(forget(first_), 10u);
  EXPECT_EQ(alive(first_).total(), 0u);
  EXPECT_EQ(alive(second_).total(), 1u);
}

TEST_F(LedgerTest, ReloadedDriverKeepsItsRow) {
  EXPECT_EQ(add_driver("first"), first_);
  EXPECT_EQ(driver_name(second_), "second");
  EXPECT_NE(first_, second_);
}

TEST_F(LedgerTest, DriverNamesAreBounded) {
  for (std::size_t i = 0; i < 2 * kDriverLimit; ++i) add_driver("driver " + std::to_string(i));
  EXPECT_EQ(add_driver("one too many"), kNoDriver);
  EXPECT_EQ(driver_name(kDriverLimit), "");
  EXPECT_EQ(add_driver("first"), first_);
  const DriverScope scope(kDriverLimit + 1);  // an id that nobody was given stands for no driver
  EXPECT_EQ(current_driver(), kNoDriver);
}

TEST_F(LedgerTest, ManyThreadsKeepTheCount) {
  constexpr std::size_t kPerThread = 2000;
  std::vector<std::vector<int>> mine(4, std::vector<int>(kPerThread));
  std::vector<std::thread> threads;
  for (auto& objects : mine)
    threads.emplace_back([&] {
      const DriverScope scope(first_);
      for (auto& object : objects) acquire(Kind::clone, &object);
      for (std::size_t i = 0; i < objects.size(); i += 2) EXPECT_EQ(release(Kind::clone, &objects[i]), Release::ok);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(alive_count(first_, Kind::clone), mine.size() * kPerThread / 2);
  for (auto& objects : mine)
    for (std::size_t i = 1; i < objects.size(); i += 2) EXPECT_EQ(release(Kind::clone, &objects[i]), Release::ok);
  EXPECT_EQ(alive(first_).total(), 0u);
}

// Also through a library that was compiled without frame pointers: qsort of libc calls us back.
TEST_F(LedgerTest, StackOfWhatWasAcquiredNamesTheCallers) {
  set_level(Level::full);
  const DriverScope scope(first_);
  std::array<int, 2> items{2, 1};
  std::qsort(items.data(), items.size(), sizeof items[0], ledger_test_compare);
  const auto found = alive(first_);
  ASSERT_FALSE(found.samples.empty());
  const auto& stack = found.samples[0].stack;
  const auto acquired_in = reinterpret_cast<std::uintptr_t>(&ledger_test_acquire);
  const auto compared_in = reinterpret_cast<std::uintptr_t>(&ledger_test_compare);
  EXPECT_TRUE(std::ranges::any_of(stack, [&](void* frame) { return is_inside(frame, acquired_in); }));
  EXPECT_TRUE(std::ranges::any_of(stack, [&](void* frame) { return is_inside(frame, compared_in); }));

  report({.rule = "R", .message = "at full level", .packet = {}, .stack = {}});
  EXPECT_GT(violations()[0].stack.size(), 1u);
}

TEST_F(LedgerTest, PacketOfTheClassifyThatAcquiredIsKnownAtLevelFull) {
  set_packet_describer(+[] { return std::string("TCP SYN"); });
  const DriverScope scope(first_);
  acquire(Kind::clone, &objects_[0]);
  EXPECT_EQ(packet_of(Kind::clone, &objects_[0]), "");
  set_level(Level::full);
  acquire(Kind::mdl, &objects_[1]);
  EXPECT_EQ(packet_of(Kind::mdl, &objects_[1]), "TCP SYN");
  EXPECT_EQ(oldest_packet(first_, Kind::mdl), "TCP SYN");
  EXPECT_EQ(oldest_packet(first_, Kind::clone), "");
  report({.rule = "R", .message = "without a packet", .packet = {}, .stack = {}});
  EXPECT_EQ(violations()[0].packet, "TCP SYN");
  set_packet_describer(nullptr);
}

TEST_F(LedgerTest, TheObjectIsShownAndNotCompared) {
  const DriverScope scope(first_);
  for (const char* object : {"0x1000", "0x2000"})
    report({.rule = "R", .message = "freed twice", .packet = {}, .stack = {}, .object = object});
  ASSERT_EQ(violations().size(), 1u);
  EXPECT_EQ(violations()[0].count, 2u);
  EXPECT_EQ(violations()[0].message, "freed twice (0x1000)");
}

TEST_F(LedgerTest, EqualViolationsAreKeptOnceAndTheListIsBounded) {
  int seen = 0;
  set_sink([&](const Violation&) { ++seen; });
  const DriverScope scope(first_);
  for (int i = 0; i < 3; ++i) report({.rule = "R", .message = "same", .packet = {}, .stack = {}});
  ASSERT_EQ(violations().size(), 1u);
  EXPECT_EQ(violations()[0].count, 3u);
  EXPECT_EQ(violations()[0].driver, first_);
  EXPECT_EQ(seen, 1);
  for (std::size_t i = 0; i < 2 * kViolationLimit; ++i)
    report({.rule = "R", .message = std::to_string(i), .packet = {}, .stack = {}});
  EXPECT_EQ(violations().size(), kViolationLimit);
  EXPECT_EQ(violation_count(), 2 * kViolationLimit + 3);
}

TEST_F(LedgerTest, NotesStandBesideViolations) {
  std::vector<bool> seen;
  set_sink([&](const Violation& shown) { seen.push_back(shown.is_note); });
  const DriverScope scope(first_);
  for (int i = 0; i < 2; ++i) note({.rule = "N", .message = "never asked", .packet = {}, .stack = {}});
  report({.rule = "R", .message = "wrong", .packet = {}, .stack = {}});
  EXPECT_EQ(seen, (std::vector<bool>{true, false}));
  ASSERT_EQ(notes().size(), 1u);
  EXPECT_EQ(notes()[0].rule, "N");
  EXPECT_EQ(notes()[0].count, 2u);
  EXPECT_EQ(notes()[0].driver, first_);
  EXPECT_EQ(note_count(), 2u);
  ASSERT_EQ(violations().size(), 1u);
  EXPECT_FALSE(violations()[0].is_note);
  EXPECT_EQ(violation_count(), 1u);
  for (std::size_t i = 0; i < kViolationLimit; ++i)
    note({.rule = "N", .message = std::to_string(i), .packet = {}, .stack = {}});
  EXPECT_EQ(notes().size(), kViolationLimit);
  report({.rule = "R", .message = "also wrong", .packet = {}, .stack = {}});
  EXPECT_EQ(violations().size(), 2u) << "notes take no room from violations";
  clear_violations();
  EXPECT_EQ(notes().size() + note_count(), 0u);
}

TEST_F(LedgerTest, NothingIsNotedWhileTheLevelIsOff) {
  set_level(Level::off);
  note({.rule = "N", .message = "never asked", .packet = {}, .stack = {}});
  EXPECT_EQ(note_count(), 0u);
}

}  // namespace
}  // namespace wfp::ledger
