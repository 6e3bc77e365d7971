// The queue of nearest deadlines.
#include "stack/tcp/deadline_queue.hpp"

#include <gtest/gtest.h>

namespace stack::tcp {
namespace {

Instant at(int seconds) { return Instant::from_ns(seconds * 1'000'000'000LL); }

TEST(DeadlineQueue, HoldsOneEntryAnObject) {
  DeadlineQueue queue;
  Instant near = kNever, far = kNever;
  queue.schedule(1, at(7200), far);
  for (int i = 0; i < 1000; ++i) {  // a long deadline, and a short one again and again
    queue.schedule(2, at(7200), near);
    queue.schedule(2, at(i), near);
    EXPECT_EQ(near, at(i));
    EXPECT_EQ(queue.size(), 2u);
    EXPECT_EQ(queue.take_due(at(i)), 2u);
    near = kNever;
  }
  EXPECT_EQ(queue.next(), at(7200));
}
TEST(DeadlineQueue, LaterDeadlinesLeaveTheEntry) {
  DeadlineQueue queue;
  Instant scheduled = kNever;
  queue.schedule(1, at(5), scheduled);
  queue.schedule(1, at(9), scheduled);
  EXPECT_EQ(queue.next(), at(5));
  EXPECT_FALSE(queue.take_due(at(4)));
  EXPECT_EQ(queue.take_due(at(5)), 1u);
  EXPECT_EQ(queue.next(), kNever);
}
TEST(DeadlineQueue, ComesInOrderAndForgetsWhatIsRemoved) {
  DeadlineQueue queue;
  Instant a = kNever, b = kNever, c = kNever;
  queue.schedule(3, at(2), a);
  queue.schedule(2, at(1), b);
  queue.schedule(1, at(2), c);
  queue.remove(2, b);
  EXPECT_EQ(b, kNever);
  queue.remove(2, b);  // once more says nothing
  EXPECT_EQ(queue.take_due(at(9)), 1u);
  EXPECT_EQ(queue.take_due(at(9)), 3u);
  EXPECT_FALSE(queue.take_due(at(9)));
}

}  // namespace
}  // namespace stack::tcp
