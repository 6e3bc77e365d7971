#include "src/app/main_loop.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "src/app/channel.hpp"

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
  Channel one, other;
  ASSERT_TRUE(Channel::make_pair(one, other));
  MainLoop loop;
  std::string seen;
  loop.watch(one.fd(), [&] {
    const auto message = one.receive();
    seen += message ? type_of(*message) : "(gone)";
    if (!message) loop.end();
  });
  EXPECT_TRUE(other.send({{"type", "hello"}}));
  other = {};
  loop.run();
  EXPECT_EQ(seen, "hello(gone)");
  EXPECT_FALSE(one.send({{"type", "x"}}));
}

}  // namespace
}  // namespace app
