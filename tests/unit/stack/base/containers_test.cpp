// The intrusive list and the bounded ring.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "stack/base/intrusive_list.hpp"
#include "stack/base/ring.hpp"

namespace stack {
namespace {

struct Item : ListNode<> {
  explicit Item(int v) : value(v) {}
  int value;
};
std::vector<int> values(IntrusiveList<Item>& list) {
  std::vector<int> all;
  list.for_each([&all](Item& item) { all.push_back(item.value); });
  return all;
}

TEST(IntrusiveList, KeepsOrderAndForgetsUnlinked) {
  Item a{1}, b{2}, c{3};
  IntrusiveList<Item> list;
  EXPECT_TRUE(list.empty());
  list.push_back(b);
  list.push_back(c);
  list.push_front(a);
  EXPECT_EQ(values(list), (std::vector{1, 2, 3}));
  b.unlink();
  EXPECT_FALSE(b.is_linked());
  EXPECT_EQ(values(list), (std::vector{1, 3}));
  EXPECT_EQ(&list.front(), &a);
  EXPECT_EQ(&list.back(), &c);
  EXPECT_EQ(&list.pop_front(), &a);
  IntrusiveList<Item> other;
  other.push_back(a);
  other.take_all(list);
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(values(other), (std::vector{1, 3}));
}

TEST(IntrusiveList, AnItemMayLeaveWhileVisited) {
  Item a{1}, b{2}, c{3};
  IntrusiveList<Item> list;
  for (Item* item : {&a, &b, &c}) list.push_back(*item);
  list.for_each([](Item& item) {
    if (item.value != 2) item.unlink();
  });
  EXPECT_EQ(values(list), (std::vector{2}));
}

TEST(Ring, RefusesWhatDoesNotFitAndLeavesItWithTheCaller) {
  Ring<std::unique_ptr<int>> ring{3};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.push(std::make_unique<int>(i)));
  auto extra = std::make_unique<int>(9);
  EXPECT_FALSE(ring.push(std::move(extra)));
  EXPECT_NE(extra, nullptr);
  EXPECT_EQ(*ring.pop(), 0);
  EXPECT_TRUE(ring.push(std::move(extra)));
  EXPECT_EQ(*ring.front(), 1);
}

struct Copied {  // moving it leaves it as it was
  Copied() = default;
  explicit Copied(std::shared_ptr<int> p) : held(std::move(p)) {}
  Copied(const Copied&) = default;
  Copied& operator=(const Copied&) = default;
  std::shared_ptr<int> held;
};

TEST(Ring, HoldsNothingThatWasTaken) {
  Ring<Copied> ring{3};
  const auto value = std::make_shared<int>(1);
  ring.push(Copied{value});
  EXPECT_EQ(ring.pop().held, value);
  EXPECT_EQ(value.use_count(), 1);
}

TEST(Ring, KeepsOrderWhileItGrowsAndWraps) {
  Ring<int> ring{100};
  int in = 0, out = 0;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 5; ++i) ring.push(int{in++});
    for (int i = 0; i < 4; ++i) ASSERT_EQ(ring.pop(), out++);
  }
  EXPECT_EQ(ring.size(), 60u);
  while (!ring.empty()) ASSERT_EQ(ring.pop(), out++);
}

}  // namespace
}  // namespace stack
