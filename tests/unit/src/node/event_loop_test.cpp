#include "src/node/event_loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "tap/file_descriptor.hpp"

namespace node {
namespace {

using namespace std::chrono_literals;
using tap::FileDescriptor;

constexpr auto kLong = 5s;

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    in.reset(ends[0]);
    out.reset(ends[1]);
  }
  void put() const { EXPECT_EQ(::write(out.get(), "x", 1), 1); }
  void take() const {
    char byte = 0;
    EXPECT_EQ(::read(in.get(), &byte, 1), 1);
  }
  FileDescriptor in, out;
};

// Both engines behind it; io_uring only where it is allowed.
class EventLoopTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam() && !tap::probe_io_uring().available) GTEST_SKIP() << tap::probe_io_uring().why;
    make({});
  }
  void make(tap::FrameIoOptions options) {
    options.use_io_uring = GetParam();
    auto made = EventLoop::create(options);
    ASSERT_TRUE(made) << made.error().what;
    loop_ = std::move(*made);
  }
  std::unique_ptr<EventLoop> loop_;
};

INSTANTIATE_TEST_SUITE_P(, EventLoopTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "IoUring" : "Epoll"; });

TEST_P(EventLoopTest, CallsBackWhileReadable) {
  const Pipe pipe;
  int calls = 0;
  ASSERT_FALSE(loop_->watch(pipe.in.get(), POLLIN, [&](short events) {
    EXPECT_EQ(events, POLLIN);
    if (++calls == 2) pipe.take();
  }));
  loop_->run_once(0s);
  EXPECT_EQ(calls, 0);
  pipe.put();
  loop_->run_once(kLong);
  loop_->run_once(kLong);
  EXPECT_EQ(calls, 2);
}

TEST_P(EventLoopTest, CallbackMayUnwatchItself) {
  const Pipe pipe;
  int calls = 0;
  std::string captured = "captured, and long enough to live on the heap";
  ASSERT_FALSE(loop_->watch(pipe.in.get(), POLLIN, [&, captured](short) {
    loop_->unwatch(pipe.in.get());
    calls += captured.empty() ? 0 : 1;
  }));
  pipe.put();
  loop_->run_once(kLong);
  loop_->run_once(1ms);
  EXPECT_EQ(calls, 1);
}

TEST_P(EventLoopTest, CallbackMayUnwatchAnotherOfTheSameRound) {
  const Pipe a, b;
  int calls = 0;
  const auto both = [&](short) {
    ++calls;
    loop_->unwatch(a.in.get());
    loop_->unwatch(b.in.get());
  };
  ASSERT_FALSE(loop_->watch(a.in.get(), POLLIN, both));
  ASSERT_FALSE(loop_->watch(b.in.get(), POLLIN, both));
  a.put();
  b.put();
  loop_->run_once(kLong);
  loop_->run_once(1ms);
  EXPECT_EQ(calls, 1);
}

TEST_P(EventLoopTest, ReusedDescriptorGetsTheNewCallback) {
  int first = 0, second = 0;
  {
    const Pipe old;
    ASSERT_FALSE(loop_->watch(old.in.get(), POLLIN, [&](short) { ++first; }));
    loop_->run_once(1ms);
    loop_->unwatch(old.in.get());
  }
  const Pipe pipe;  // most likely the same numbers
  ASSERT_FALSE(loop_->watch(pipe.in.get(), POLLIN, [&](short) { ++second; }));
  pipe.put();
  loop_->run_once(kLong);
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
}

TEST_P(EventLoopTest, HangUpIsSeen) {
  Pipe pipe;
  short seen = 0;
  ASSERT_FALSE(loop_->watch(pipe.in.get(), POLLIN, [&](short events) { seen = events; }));
  pipe.out.reset();
  loop_->run_once(kLong);
  EXPECT_TRUE(seen & POLLHUP);
}

TEST_P(EventLoopTest, WatchingTwiceIsRefused) {
  const Pipe pipe;
  ASSERT_FALSE(loop_->watch(pipe.in.get(), POLLIN, [](short) {}));
  EXPECT_TRUE(loop_->watch(pipe.in.get(), POLLIN, [](short) {}));
  EXPECT_TRUE(loop_->watch(-1, POLLIN, [](short) {}));
}

TEST_P(EventLoopTest, NegativeTimeDoesNotWait) {
  const auto start = std::chrono::steady_clock::now();
  loop_->run_once(-1s);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST_P(EventLoopTest, WakesFromAnotherThreadOutOfTheLongestWait) {
  std::thread other([this] { loop_->wake(); });
  EXPECT_TRUE(loop_->run_once(stack::kNever - stack::Instant{}).woken);
  other.join();
}

TEST_P(EventLoopTest, MadeOnOneThreadRunsOnAnother) {
  const Pipe pipe;
  std::atomic<int> calls{0};
  ASSERT_FALSE(loop_->watch(pipe.in.get(), POLLIN, [&](short) { ++calls; }));
  pipe.put();
  std::thread processor([this] { loop_->run_once(kLong); });
  processor.join();
  EXPECT_EQ(calls, 1);
}

TEST_P(EventLoopTest, ReturnsFramesBesideCallbacks) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const FileDescriptor near{ends[0]}, far{ends[1]};
  make({.fd = near.get()});
  std::array<std::byte, 128> memory;
  ASSERT_TRUE(loop_->frames().post({memory.data(), memory.size(), nullptr}));
  const Pipe pipe;
  int calls = 0;
  ASSERT_FALSE(loop_->watch(pipe.in.get(), POLLIN, [&](short) { ++calls; }));
  pipe.put();
  const std::array<char, 40> frame{};
  ASSERT_EQ(::send(far.get(), frame.data(), frame.size(), 0), 40);
  std::size_t frames = 0;
  for (int i = 0; i < 3 && (frames == 0 || calls == 0); ++i) frames += loop_->run_once(kLong).received.size();
  EXPECT_EQ(frames, 1u);
  EXPECT_GE(calls, 1);
}

}  // namespace
}  // namespace node
