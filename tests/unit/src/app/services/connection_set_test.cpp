// Who has to go when a service is full, and when a deadline is over.
#include <gtest/gtest.h>

#include "src/app/services/connection.hpp"
#include "tests/unit/src/app/services/fake_network.hpp"

namespace app::services {
namespace {

using namespace std::chrono_literals;

class Idle final : public Connection {
 public:
  Idle(ConnectionSet& set, std::unique_ptr<ByteStream> stream, stack::Instant deadline)
      : Connection(set, std::move(stream)) {
    set_deadline(deadline);
  }
  void on_readable() override { progressed(); }
  void on_writable() override {}
};

class ConnectionSetTest : public testing::Test {
 protected:
  std::shared_ptr<FakeWire> add(const char* remote, stack::Instant deadline = stack::kNever) {
    auto wire = std::make_shared<FakeWire>();
    wire->remote = {*stack::IpAddress::parse(remote), 1};
    set_.add<Idle>(std::make_unique<FakeStream>(wire), deadline);
    network_.run();
    return wire;
  }
  FakeNetwork network_;
  ConnectionSet set_{network_, 4};
};

TEST_F(ConnectionSetTest, TheIdlestOfTheHostThatHasTheMostMakesRoom) {
  auto other = add("10.0.0.9");
  std::array<std::shared_ptr<FakeWire>, 3> greedy;
  for (auto& wire : greedy) {
    network_.advance(1s);
    wire = add("10.0.0.1");
  }
  greedy[0]->observer->on_readable();
  auto newcomer = add("10.0.0.7");
  EXPECT_TRUE(greedy[1]->reset) << "the others made progress later";
  EXPECT_FALSE(other->reset || newcomer->reset || greedy[0]->reset || greedy[2]->reset);
  EXPECT_EQ(set_.size(), 4u);
  EXPECT_EQ(set_.displaced_count(), 1u);
  add("10.0.0.1");
  EXPECT_TRUE(greedy[2]->reset) << "a host's own newcomers displace its own";
  EXPECT_FALSE(other->reset) << "however idle it is";
}

TEST_F(ConnectionSetTest, OneHostAloneDisplacesItsIdlest) {
  auto first = add("10.0.0.1"), second = add("10.0.0.1");
  for (int i = 0; i < 2; ++i) add("10.0.0.1");
  first->observer->on_readable();
  auto newcomer = add("10.0.0.1");
  EXPECT_TRUE(second->reset);
  EXPECT_FALSE(first->reset || newcomer->reset);
}

TEST_F(ConnectionSetTest, ANetworkOfIpv6IsOneHost) {
  auto other = add("fd00:0:0:2::1");
  std::vector<std::shared_ptr<FakeWire>> many;
  for (const char* remote : {"fd00:0:0:1::1", "fd00:0:0:1::2", "fd00:0:0:1::3"}) many.push_back(add(remote));
  add("fd00:0:0:3::1");
  EXPECT_FALSE(other->reset);
  EXPECT_TRUE(many[0]->reset);
}

TEST_F(ConnectionSetTest, WhoHasLeftIsNotCounted) {
  auto gone = add("10.0.0.1");
  for (int i = 0; i < 3; ++i) add("10.0.0.1");
  gone->observer->on_failed(stack::Error::ConnectionReset);
  network_.run();
  auto newcomer = add("10.0.0.2");
  EXPECT_EQ(set_.displaced_count(), 0u);
  EXPECT_EQ(set_.size(), 4u);
}

TEST_F(ConnectionSetTest, ADeadlineEndsWhatMakesProgress) {
  auto wire = add("10.0.0.1", network_.now() + 90s);
  for (int i = 0; i < 8; ++i) {
    network_.advance(11s);
    wire->observer->on_readable();
  }
  EXPECT_FALSE(wire->reset);
  network_.advance(4s);
  EXPECT_TRUE(wire->reset);
  EXPECT_EQ(set_.size(), 0u);
}

}  // namespace
}  // namespace app::services
