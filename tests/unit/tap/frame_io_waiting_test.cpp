// Waiting: wake-ups, watched descriptors, time, and what ends it; the same tests for both kinds of FrameIo.
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "tests/unit/tap/frame_io_fixture.hpp"

namespace tap::test {
namespace {

template <class Kind>
class FrameIoWaiting : public FrameIoConformance<Kind> {};
TYPED_TEST_SUITE(FrameIoWaiting, Kinds);

TYPED_TEST(FrameIoWaiting, WithoutBuffersFramesWaitAndPollDoesNotSpin) {
  this->send_far("early");
  const auto blocked = this->io_->stats().blocked;
  EXPECT_TRUE(this->io_->poll(20ms).received.empty());
  EXPECT_LE(this->io_->stats().blocked, blocked + 1);
  EXPECT_TRUE(this->io_->poll(20ms).received.empty());
  this->post(1);
  EXPECT_EQ(this->receive(1), std::vector<std::string>{"early"});
}

TYPED_TEST(FrameIoWaiting, PeerGoneEndsReception) {
  this->post(2);
  this->far_.reset();
  int error = 0;
  for (int i = 0; i < 3 && error == 0; ++i) error = this->io_->poll(100ms).device_error;
  EXPECT_NE(error, 0);
  // It waits from now on, rather than to report the same again and again. Calls are counted, not time: the kernel
  // interrupts a wait or two while it takes down the rings of tests before this one.
  const auto calls = this->io_->stats().system_calls;
  const auto deadline = std::chrono::steady_clock::now() + 40ms;
  while (std::chrono::steady_clock::now() < deadline) this->io_->poll(20ms);
  EXPECT_LE(this->io_->stats().system_calls, calls + 40);
}

TYPED_TEST(FrameIoWaiting, WakeFromAnotherThreadEndsTheWait) {
  this->post(1);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      this->io_->wake();
      std::this_thread::yield();
    }
  });
  int woken = 0;
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (woken < 2000 && std::chrono::steady_clock::now() < deadline) woken += this->io_->poll(kLong).woken;
  stop = true;
  other.join();
  EXPECT_EQ(woken, 2000);
}

TYPED_TEST(FrameIoWaiting, EveryHandoverIsSeen) {  // the waiting side never sleeps through a wake-up
  std::atomic<int> produced{0}, consumed{0};
  constexpr int kRounds = 5000;
  std::thread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      produced = i;
      this->io_->wake();
      while (consumed < i) std::this_thread::yield();
    }
  });
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (consumed < kRounds && std::chrono::steady_clock::now() < deadline) {
    this->io_->poll(kLong);
    consumed = produced.load();
  }
  EXPECT_LT(std::chrono::steady_clock::now(), deadline);
  consumed = kRounds;
  other.join();
}

TYPED_TEST(FrameIoWaiting, WakeBeforeThePollIsKept) {
  this->io_->wake();
  this->io_->wake();
  EXPECT_TRUE(this->io_->poll(kLong).woken);
  EXPECT_FALSE(this->io_->poll(0ns).woken);
}

TYPED_TEST(FrameIoWaiting, WaitsAboutAsLongAsAsked) {
  this->post(1);
  for (const auto wait : {200us, 3000us}) {
    const auto start = std::chrono::steady_clock::now();
    this->io_->poll(wait);
    EXPECT_GE(std::chrono::steady_clock::now() - start, wait - 50us);
  }
}

TYPED_TEST(FrameIoWaiting, WatchIsLevelTriggeredUntilUnwatched) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
  const FileDescriptor in{pipe_ends[0]}, out{pipe_ends[1]};
  ASSERT_FALSE(this->io_->watch(in.get(), POLLIN, 77));
  EXPECT_TRUE(this->io_->watch(in.get(), POLLIN, 78)) << "twice";
  EXPECT_TRUE(this->io_->poll(1ms).ready.empty());
  ASSERT_EQ(::write(out.get(), "a", 1), 1);
  for (int i = 0; i < 3; ++i) {  // until it is read
    const Completions& done = this->io_->poll(kLong);
    ASSERT_EQ(done.ready.size(), 1u) << i;
    EXPECT_EQ(done.ready[0].token, 77u);
    EXPECT_EQ(done.ready[0].events, POLLIN);
  }
  char byte;
  ASSERT_EQ(::read(in.get(), &byte, 1), 1);
  this->io_->poll(0ns);  // one report may have been under way
  EXPECT_TRUE(this->io_->poll(1ms).ready.empty());
  ASSERT_EQ(::write(out.get(), "b", 1), 1);
  this->io_->unwatch(in.get());
  EXPECT_TRUE(this->io_->poll(1ms).ready.empty());
  ASSERT_FALSE(this->io_->watch(in.get(), POLLIN, 79));
  ASSERT_EQ(this->io_->poll(kLong).ready.size(), 1u);
}

TYPED_TEST(FrameIoWaiting, WatchIsSeenWhileFramesFlow) {
  this->post(4);
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
  const FileDescriptor in{pipe_ends[0]}, out{pipe_ends[1]};
  ASSERT_FALSE(this->io_->watch(in.get(), POLLIN, 5));
  ASSERT_EQ(::write(out.get(), "a", 1), 1);
  bool seen = false;
  for (int i = 0; i < 100 && !seen; ++i) {
    this->send_far("busy");
    const Completions& done = this->io_->poll(kLong);
    seen = !done.ready.empty();
    for (const Received& received : done.received) this->io_->post(received.buffer);
  }
  EXPECT_TRUE(seen);
}

TYPED_TEST(FrameIoWaiting, WatchesAreBounded) {
  std::vector<FileDescriptor> fds;
  for (std::size_t i = 0; i < kMaxWatches; ++i) {
    fds.emplace_back(::dup(this->far_.get()));
    ASSERT_FALSE(this->io_->watch(fds.back().get(), POLLIN, i));
  }
  this->io_->poll(0ns);
  EXPECT_EQ(this->io_->watch(this->far_.get(), POLLIN, 99).code, ENOSPC);
  for (const FileDescriptor& fd : fds) this->io_->unwatch(fd.get());
  EXPECT_FALSE(this->io_->watch(this->far_.get(), POLLIN, 99));
}

// Whoever has just got a frame looks out for the next without sleeping, also when there was something to do in between.
TYPED_TEST(FrameIoWaiting, ARoundWithoutSleepLeavesTheThreadAwakeForTheNextFrame) {
  this->make({.fd = this->near_.get(), .spin = kLong});
  this->post(4);
  this->send_far("first");
  EXPECT_EQ(this->receive(1), std::vector<std::string>{"first"});
  const auto blocked = this->io_->stats().blocked;
  this->io_->wake();
  EXPECT_TRUE(this->io_->poll(kLong).woken);
  this->io_->poll(0ns);  // a deadline was due
  std::thread other([this] {
    std::this_thread::sleep_for(20ms);  // by then a thread that does not look out would sleep
    this->send_far("second");
  });
  EXPECT_EQ(this->receive(1), std::vector<std::string>{"second"});
  other.join();
  EXPECT_EQ(this->io_->stats().blocked, blocked);
}

TYPED_TEST(FrameIoWaiting, WithoutADeviceItOnlyWaits) {
  this->make({.fd = -1});
  EXPECT_FALSE(this->submit("frame"));
  EXPECT_TRUE(this->io_->poll(1ms).received.empty());
  this->io_->wake();
  EXPECT_TRUE(this->io_->poll(kWaitForever).woken);
}

}  // namespace
}  // namespace tap::test
