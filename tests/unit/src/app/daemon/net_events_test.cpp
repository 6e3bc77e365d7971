#include "src/app/daemon/net_events.hpp"

#include <gtest/gtest.h>

namespace app {
namespace {

using stack::Drop;

struct Behind final : stack::DiscardObserver {
  bool discarded(const stack::Packet&, Drop, const stack::PacketContext&) override { return ++seen, answer; }
  void discarded_early(const stack::Packet&, Drop) override { ++seen; }
  int seen = 0;
  bool answer = false;
};

TEST(NetEvents, KeepsTheLatestAndPassesEverythingOn) {
  Behind behind;
  std::int64_t now = 0;
  NetEvents events(&behind, [&now] { return stack::Instant::from_ns(++now); });
  stack::PacketContext context;
  context.local_port = 80;
  EXPECT_FALSE(events.discarded({}, Drop::NotForUs, context)) << "the answer is that of the observer behind";
  behind.answer = true;
  EXPECT_TRUE(events.discarded({}, Drop::NotForUs, context));
  events.discarded_early({}, Drop::TruncatedHeader);
  EXPECT_EQ(behind.seen, 3);
  ASSERT_EQ(events.latest().size(), 3u);
  EXPECT_TRUE(events.latest()[0].has_context);
  EXPECT_EQ(events.latest()[0].context.local_port, 80);
  EXPECT_FALSE(events.latest()[2].has_context);
  EXPECT_EQ(events.latest()[2].reason, Drop::TruncatedHeader);
}

TEST(NetEvents, ForgetsTheOldestAndSaysHowMany) {
  std::int64_t now = 0;
  NetEvents events(nullptr, [&now] { return stack::Instant::from_ns(++now); });
  for (std::size_t i = 0; i < NetEvents::kKept + 5; ++i) events.discarded_early({}, Drop::TruncatedHeader);
  EXPECT_EQ(events.latest().size(), NetEvents::kKept);
  EXPECT_EQ(events.forgotten_count(), 5u);
  EXPECT_EQ(events.latest().front().time.ns(), 6);
}

}  // namespace
}  // namespace app
