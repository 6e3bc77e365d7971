#include "src/app/daemon/main_loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace app {
namespace {

TEST(MainLoop, RunsTasksOfOtherThreadsInOrder) {
  MainLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(loop.call([&order, i] { return order.push_back(i), i; }), i);
    loop.end();
  });
  loop.run();
  other.join();
  EXPECT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(MainLoop, CallersOfAnEndedLoopAreNotKeptWaiting) {
  MainLoop loop;
  std::optional<int> result = 7;
  std::thread waiting([&] { result = loop.call([] { return 1; }); });
  std::this_thread::sleep_for(std::chrono::milliseconds{20});
  loop.end();
  waiting.join();
  EXPECT_FALSE(result);
  EXPECT_FALSE(loop.post([] {}));
  loop.run();  // comes back at once
}

TEST(MainLoop, TasksAreBounded) {
  MainLoop loop;
  for (std::size_t i = 0; i < MainLoop::kMaxTasks; ++i) EXPECT_TRUE(loop.post([] {}));
  EXPECT_FALSE(loop.post([] {}));
}

TEST(MainLoop, WatchesADescriptor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  MainLoop loop;
  std::string seen;
  loop.watch(ends[0], [&] {
    char byte = 0;
    if (read(ends[0], &byte, 1) != 1) return loop.end();
    seen += byte;
  });
  EXPECT_EQ(write(ends[1], "ab", 2), 2);
  close(ends[1]);
  loop.run();
  close(ends[0]);
  EXPECT_EQ(seen, "ab");
}

}  // namespace
}  // namespace app
