#include "src/app/daemon/net_events.hpp"

#include <gtest/gtest.h>

#include "stack/packet/packet_pool.hpp"

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
  context.protocol = 6;
  context.local_port = 80;
  EXPECT_FALSE(events.discarded({}, Drop::NotForUs, context)) << "the answer is that of the observer behind";
  behind.answer = true;
  EXPECT_TRUE(events.discarded({}, Drop::NotForUs, context));
  events.discarded_early({}, Drop::TruncatedHeader);
  EXPECT_EQ(behind.seen, 3);
  ASSERT_EQ(events.latest().size(), 3u);
  EXPECT_EQ(events.latest()[0].protocol, 6);
  EXPECT_EQ(events.latest()[0].local.port, 80);
  EXPECT_EQ(events.latest()[2].protocol, 0) << "nothing is known";
  EXPECT_EQ(events.latest()[2].reason, stack::name_of(Drop::TruncatedHeader));
}

TEST(NetEvents, ForgetsTheOldestAndSaysHowMany) {
  std::int64_t now = 0;
  NetEvents events(nullptr, [&now] { return stack::Instant::from_ns(++now); });
  for (std::size_t i = 0; i < NetEvents::kKept + 5; ++i) events.discarded_early({}, Drop::TruncatedHeader);
  EXPECT_EQ(events.latest().size(), NetEvents::kKept);
  EXPECT_EQ(events.forgotten_count(), 5u);
  EXPECT_EQ(events.latest().front().time.ns(), 6);
}

TEST(NetEvents, ABlockNamesItsLayerFilterAndCallout) {
  NetEvents events(nullptr, [] { return stack::Instant::from_ns(1); });
  shim::TraceRecord record;
  record.layer_name = "FWPS_LAYER_OUTBOUND_TRANSPORT_V4";
  record.protocol = 6;
  record.filter_id = 7;
  record.callout_id = 256;
  events.classified(record);
  ASSERT_EQ(events.latest().size(), 1u);
  EXPECT_EQ(events.latest()[0].reason, "blocked");
  EXPECT_EQ(events.latest()[0].where, "FWPS_LAYER_OUTBOUND_TRANSPORT_V4");
  EXPECT_EQ(events.latest()[0].filter_id, 7u);
  EXPECT_EQ(events.latest()[0].callout_id, 256u);
}

TEST(NetEvents, APacketWithoutContextHasTheAddressesThatItsMetadataHas) {
  stack::PacketPool pool(4);
  stack::Packet parent = pool.allocate(100);
  parent.meta().protocol = 6;
  parent.meta().direction = stack::Direction::Outbound;
  parent.meta().source = *stack::IpAddress::parse("10.77.0.2");
  parent.meta().destination = *stack::IpAddress::parse("10.77.0.1");
  NetEvents events(nullptr, [] { return stack::Instant::from_ns(1); });
  events.discarded_early(parent, Drop::EndpointGone);
  EXPECT_EQ(events.latest()[0].local.address.to_string(), "10.77.0.2");
  EXPECT_EQ(events.latest()[0].remote.address.to_string(), "10.77.0.1");
}

}  // namespace
}  // namespace app
