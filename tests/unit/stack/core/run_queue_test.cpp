#include "stack/core/run_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace stack::core {
namespace {

TEST(RunQueue, RunsInOrderWithinTheLimit) {
  RunQueue queue{{}};
  std::vector<int> ran;
  for (int i = 0; i < 5; ++i) queue.post([&ran, i] { ran.push_back(i); });
  EXPECT_EQ(queue.drain(3), 3u);
  EXPECT_EQ(ran, (std::vector{0, 1, 2}));
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.drain(100), 2u);
  EXPECT_TRUE(queue.empty());
}

TEST(RunQueue, TasksMayPostTasks) {
  RunQueue queue{{}};
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth < 10) queue.post(again);
  };
  queue.post(again);
  EXPECT_EQ(queue.drain(4), 4u);
  EXPECT_EQ(queue.drain(100), 6u);
}

TEST(RunQueue, WakesWhenItBecomesNonEmpty) {
  int woken = 0;
  RunQueue queue{[&woken] { ++woken; }};
  queue.post([] {});
  queue.post([] {});
  EXPECT_EQ(woken, 1);
  queue.drain(10);
  queue.post([] {});
  EXPECT_EQ(woken, 2);
}

TEST(RunQueue, TakesTasksFromManyThreads) {
  std::atomic<int> woken = 0;
  RunQueue queue{[&woken] { ++woken; }};
  queue.set_own_thread();
  EXPECT_TRUE(queue.is_own_thread());
  int ran = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      EXPECT_FALSE(queue.is_own_thread());
      for (int i = 0; i < 1000; ++i) queue.post([&ran] { ++ran; });
    });
  std::size_t drained = 0;
  while (drained < 4000) drained += queue.drain(64);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ran, 4000);
  EXPECT_GE(woken.load(), 1);
}

}  // namespace
}  // namespace stack::core
