// The place of a mistake: the innermost call in a driver's image, and what of an object's history is known.
#include "wfp/ledger/place.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "wfp/ledger/irql.hpp"
#include "wfp/ledger/ledger.hpp"
#include "wfp/ledger/violation.hpp"

namespace {

int object;

}  // namespace

// Two drivers: functions in sections of their own, whose names give their bounds (ld: __start_NAME, __stop_NAME). They
// are compiled as a driver may be, without frame pointers.
#if defined(__clang__)
#define IN_DRIVER(section_name) extern "C" [[gnu::noinline, gnu::section(section_name)]]
#else
#define IN_DRIVER(section_name) \
  extern "C" [[gnu::noinline, gnu::section(section_name), gnu::optimize("omit-frame-pointer")]]
#endif

IN_DRIVER("driver_one") void place_test_acquire() {
  wfp::ledger::acquire(wfp::ledger::Kind::clone, &object);
  asm volatile("");  // the call above is no tail call
}
IN_DRIVER("driver_one") wfp::ledger::Release place_test_release() {
  const auto result = wfp::ledger::release(wfp::ledger::Kind::clone, &object);
  asm volatile("");
  return result;
}
IN_DRIVER("driver_one") void place_test_irql() {
  wfp::ledger::assert_irql_at_most(PASSIVE_LEVEL, "Something");
  asm volatile("");
}
IN_DRIVER("driver_two") int place_test_compare(const void*, const void*) {
  wfp::ledger::report({.rule = "R", .message = "in a callback", .packet = {}, .stack = {}});
  asm volatile("");
  return 0;
}
IN_DRIVER("driver_two") void place_test_sort() {
  std::array<int, 2> items{2, 1};
  std::qsort(items.data(), items.size(), sizeof items[0], place_test_compare);
  asm volatile("");
}

extern "C" const char __start_driver_one, __stop_driver_one, __start_driver_two, __stop_driver_two;

namespace wfp::ledger {
namespace {

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

MATCHER_P(IsIn, function, "") {
  const auto begin = address(reinterpret_cast<const void*>(function)) - address(&__start_driver_one);
  return arg.offset > begin && arg.offset < begin + 512;
}

class PlaceTest : public testing::Test {
 protected:
  void SetUp() override {
    reset();
    set_level(Level::standard);
    const auto one = address(&__start_driver_one), two = address(&__start_driver_two);
    ASSERT_TRUE(add_image("one.so", one, one, address(&__stop_driver_one)));
    ASSERT_TRUE(add_image("two.so", two, two, address(&__stop_driver_two)));
    driver_ = add_driver("one");
  }
  void TearDown() override {
    running_irql = PASSIVE_LEVEL;
    remove_image(address(&__start_driver_one));
    remove_image(address(&__start_driver_two));
    reset();
  }
  DriverId driver_ = kNoDriver;
};

TEST_F(PlaceTest, AnAddressIsNamedByImageAndOffset) {
  const auto place = place_of(&__start_driver_one + 3);
  EXPECT_STREQ(place.image, "one.so");
  EXPECT_EQ(place.offset, 3u);
  EXPECT_EQ(place_of_call(&__start_driver_one + 3).offset, 2u) << "a call ends before its return address";
  EXPECT_FALSE(place_of(&__stop_driver_one + 4096));
  EXPECT_FALSE(place_of(&driver_));
  EXPECT_FALSE(place_of_call(nullptr));
}

TEST_F(PlaceTest, AnImageThatIsUnmappedIsKnownNoMore) {
  remove_image(address(&__start_driver_one));
  EXPECT_FALSE(place_of(&__start_driver_one));
  EXPECT_TRUE(place_of(&__start_driver_two));
}

TEST_F(PlaceTest, ImagesAreBounded) {
  std::size_t taken = 0;
  for (std::size_t i = 0; i < 2 * kImageLimit; ++i) taken += add_image("many.so", i + 1, 1, 2) ? 1u : 0u;
  EXPECT_EQ(taken, kImageLimit - 2);
  for (std::size_t i = 0; i < 2 * kImageLimit; ++i) remove_image(i + 1);
  EXPECT_FALSE(place_of(reinterpret_cast<const void*>(1)));
}

TEST_F(PlaceTest, WhatIsLeftNamesTheCallThatAcquiredIt) {
  {
    const DriverScope scope(driver_);
    place_test_acquire();
  }
  const auto origins = acquired_at(driver_, Kind::clone);
  ASSERT_EQ(origins.size(), 1u);
  ASSERT_EQ(origins[0].places.size(), 1u);
  EXPECT_STREQ(origins[0].places[0].image, "one.so");
  EXPECT_THAT(origins[0].places[0], IsIn(place_test_acquire));
  EXPECT_TRUE(acquired_at(driver_, Kind::mdl).empty());
  EXPECT_TRUE(acquired_at(driver_, Kind::clone, "another tag").empty());
}

TEST_F(PlaceTest, WhatIsGivenBackTwiceNamesBothPlaces) {
  for (const Level level : {Level::standard, Level::full}) {
    set_level(level);
    const DriverScope scope(driver_);
    place_test_acquire();
    EXPECT_EQ(place_test_release(), Release::ok);
    EXPECT_EQ(place_test_release(), Release::unknown);
    const auto origins = history_of(Kind::clone, &object);
    ASSERT_EQ(origins.size(), 2u);
    EXPECT_STREQ(origins[0].what, "acquired");
    EXPECT_THAT(origins[0].places, testing::ElementsAre(IsIn(place_test_acquire)));
    EXPECT_STREQ(origins[1].what, "released");
    EXPECT_THAT(origins[1].places, testing::ElementsAre(IsIn(place_test_release)));
  }
}

TEST_F(PlaceTest, AViolationNamesTheCallAndWhatIsKnownOfItsObject) {
  set_callout_describer(+[] { return std::string("callout 256"); });
  running_irql = DISPATCH_LEVEL;
  const DriverScope scope(driver_);
  place_test_irql();
  ASSERT_EQ(violations().size(), 1u);
  EXPECT_THAT(violations()[0].places, testing::ElementsAre(IsIn(place_test_irql)));
  EXPECT_EQ(violations()[0].callout, "callout 256");
  set_callout_describer(nullptr);
  place_test_acquire();
  report({.rule = "R", .message = "m", .packet = {}, .stack = {}, .kind = Kind::clone, .about = &object});
  ASSERT_EQ(violations()[1].origins.size(), 1u);
  EXPECT_THAT(violations()[1].origins[0].places, testing::ElementsAre(IsIn(place_test_acquire)));
}

// qsort has no frame pointers, and is not asked: the innermost driver is found before it.
TEST_F(PlaceTest, StacksAtLevelFullHaveTheDriversFramesOnly) {
  const auto offset = [](auto* function) {
    return address(reinterpret_cast<const void*>(function)) - address(&__start_driver_two);
  };
  for (const Level level : {Level::standard, Level::full}) {
    clear_violations();
    set_level(level);
    const DriverScope scope(driver_);
    place_test_sort();
    ASSERT_EQ(violations().size(), 1u);
    const auto places = violations()[0].places;
    ASSERT_EQ(places.size(), level == Level::full ? 2u : 1u);
    EXPECT_TRUE(std::ranges::all_of(places, [](const Place& place) { return place.image == std::string("two.so"); }));
    EXPECT_GT(places[0].offset, offset(place_test_compare));
    EXPECT_GT(places.back().offset, level == Level::full ? offset(place_test_sort) : offset(place_test_compare));
  }
}

TEST_F(PlaceTest, OutsideADriverThereIsNoPlace) {
  place_test_acquire();
  EXPECT_EQ(calling_address(), nullptr);
  report({.rule = "R", .message = "m", .packet = {}, .stack = {}});
  EXPECT_TRUE(violations()[0].places.empty());
}

TEST_F(PlaceTest, OneMistakeAtTwoPlacesIsTwo) {
  running_irql = DISPATCH_LEVEL;
  const DriverScope scope(driver_);
  for (int i = 0; i < 3; ++i) place_test_irql();
  ASSERT_EQ(violations().size(), 1u);
  EXPECT_EQ(violations()[0].count, 3u);
  assert_irql_at_most(PASSIVE_LEVEL, "Something");
  EXPECT_EQ(violations().size(), 2u);
}

}  // namespace
}  // namespace wfp::ledger
