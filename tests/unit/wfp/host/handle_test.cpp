// Handles of processor, slot and generation: a stale one names nothing, and the table is bounded.
#include "wfp/host/handle.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace wfp {
namespace {

using Table = HandleTable<std::string>;

TEST(Handle, NamesItsObjectUntilErased) {
  Table table(4);
  const HandleValue handle = table.emplace("first");
  ASSERT_NE(handle, 0u);
  ASSERT_NE(table.find(handle), nullptr);
  EXPECT_EQ(*table.find(handle), "first");
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(table.erase(handle));
  EXPECT_EQ(table.find(handle), nullptr);
  EXPECT_FALSE(table.erase(handle));
  EXPECT_EQ(table.size(), 0u);
}

TEST(Handle, StaleOneDoesNotNameTheNextInItsSlot) {
  Table table(1);
  const HandleValue before = table.emplace("before");
  table.erase(before);
  const HandleValue after = table.emplace("after");
  EXPECT_NE(before, after);
  EXPECT_EQ(static_cast<std::uint32_t>(before >> 32), static_cast<std::uint32_t>(after >> 32));  // one slot
  EXPECT_EQ(table.find(before), nullptr);
  EXPECT_EQ(*table.find(after), "after");
}

TEST(Handle, NothingNamesNothing) {
  Table table(4, 2);
  const HandleValue handle = table.emplace("mine");
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(table.find(~HandleValue{0}), nullptr);
  EXPECT_EQ(table.find(handle + (HandleValue{1} << 32)), nullptr);  // a slot that was never used
  EXPECT_EQ(Table(4, 1).find(handle), nullptr);
}

TEST(Handle, ProcessorsAreApart) {
  Table first(4, 0), second(4, 1);
  const HandleValue mine = first.emplace("first");
  second.emplace("second");
  EXPECT_EQ(second.find(mine), nullptr);
  EXPECT_EQ(mine >> 56, 1u);  // processor + 1, so that no handle is zero
}

TEST(Handle, FullTableGivesNoneAndTakesAgainAfterAnErase) {
  Table table(3);
  std::vector<HandleValue> handles;
  for (int i = 0; i < 3; ++i) handles.push_back(table.emplace(std::to_string(i)));
  EXPECT_EQ(table.emplace("too many"), 0u);
  EXPECT_EQ(table.size(), table.limit());
  table.erase(handles[1]);
  EXPECT_NE(table.emplace("again"), 0u);
  EXPECT_EQ(table.emplace("too many"), 0u);
}

TEST(Handle, VisitorSeesTheLiveOnesWithTheirHandles) {
  Table table(8);
  std::vector<HandleValue> handles;
  for (int i = 0; i < 5; ++i) handles.push_back(table.emplace(std::to_string(i)));
  table.erase(handles[0]);
  table.erase(handles[3]);
  std::set<std::string> seen;
  table.for_each([&](HandleValue handle, const std::string& text) {
    EXPECT_EQ(*table.find(handle), text);
    seen.insert(text);
  });
  EXPECT_EQ(seen, (std::set<std::string>{"1", "2", "4"}));
}

TEST(Handle, SurvivesTheTripThroughAWindowsHandle) {
  Table table(4, 63);
  const HandleValue handle = table.emplace("x");
  EXPECT_EQ(from_windows(to_windows(handle)), handle);
}

}  // namespace
}  // namespace wfp
