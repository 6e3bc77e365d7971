#include "tap/waker.hpp"

#include <gtest/gtest.h>
#include <poll.h>

namespace tap {
namespace {

class WakerTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(waker.open()); }
  bool is_readable() const {
    pollfd one{.fd = waker.fd(), .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, 0) == 1;
  }
  Waker waker;
};

TEST_F(WakerTest, NobodySleepsThroughAWakeUpThatCameBefore) {
  waker.wake();
  EXPECT_FALSE(waker.begin_sleep());
  EXPECT_FALSE(is_readable()) << "no system call for one who is awake";
  EXPECT_TRUE(waker.take());
  EXPECT_FALSE(waker.take());
  EXPECT_TRUE(waker.begin_sleep());
  waker.end_sleep();
}

TEST_F(WakerTest, ASleeperIsWokenThroughTheDescriptor) {
  ASSERT_TRUE(waker.begin_sleep());
  waker.wake();
  waker.wake();
  EXPECT_TRUE(is_readable());
  waker.end_sleep();
  waker.drain();
  EXPECT_FALSE(is_readable());
  EXPECT_TRUE(waker.take());
}

}  // namespace
}  // namespace tap
