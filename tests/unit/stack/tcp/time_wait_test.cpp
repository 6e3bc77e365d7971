// Blocks without an endpoint: TIME_WAIT (RFC 9293 3.6.1, RFC 1337, RFC 6191) and their table.
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

class InTimeWait : public TcpScript {
 protected:
  void reach(const Setup& setup) {
    established(setup);
    endpoint->close();
    poll();
    receive(fin(1, 2));
    take_all();
    ASSERT_EQ(tcp->time_wait_count(), 1u);
  }
};

// checklist: TCP-124
TEST_F(InTimeWait, ResetIsIgnored) {
  reach({});
  receive(rst(2));
  expect_nothing();
  EXPECT_EQ(tcp->time_wait_count(), 1u);
}
TEST_F(InTimeWait, NewerSynReopens) {
  reach({});
  receive({.seq = 100, .flags = flag::kSyn});
  const Sent syn_ack = expect_one();
  EXPECT_TRUE(syn_ack.has(flag::kSyn | flag::kAck));
  EXPECT_TRUE(syn_ack.seq.after(iss + 2));
  EXPECT_EQ(tcp->time_wait_count(), 0u);
}
TEST_F(InTimeWait, OldSynIsAcknowledged) {
  reach({});
  receive({.seq = 0, .flags = flag::kSyn});
  expect_ack(2);
  EXPECT_EQ(tcp->time_wait_count(), 1u);
}
// checklist: TCP-032
TEST_F(InTimeWait, NewerTimestampReopens) {
  reach({.timestamp = 1000});
  receive({.seq = 0, .flags = flag::kSyn, .options = syn_options({.timestamp = 999})});
  EXPECT_EQ(expect_one().flags, flag::kAck);
  receive({.seq = 0, .flags = flag::kSyn, .options = syn_options({.timestamp = 1001})});
  EXPECT_TRUE(expect_one().has(flag::kSyn | flag::kAck));
}
TEST_F(InTimeWait, AnswersAreLimited) {
  reach({});
  for (int i = 0; i < 1'000; ++i) receive(data(50, 1, 2));
  EXPECT_EQ(take_all().size(), config.challenge_acks_per_second);
  advance(100ms);
  for (int i = 0; i < 1'000; ++i) receive(data(50, 1, 2));
  EXPECT_EQ(take_all().size(), 1u);
}
TEST_F(InTimeWait, AnswersOfTheConnectionCount) {
  established({});
  for (int i = 0; i < 1'000; ++i) receive(rst(3));
  EXPECT_EQ(take_all().size(), config.challenge_acks_per_second);
  endpoint->close();
  poll();
  receive(fin(1, 2));
  take_all();
  ASSERT_EQ(tcp->time_wait_count(), 1u);
  receive(data(50, 1, 2));
  expect_nothing();
}
TEST_F(InTimeWait, TableIsBounded) {
  config.time_wait_limit = 5;
  listen();
  for (std::uint16_t i = 0; i < 20; ++i) {
    remote.port = static_cast<std::uint16_t>(40'000 + i);
    established({});
    endpoint->close();
    poll();
    receive(fin(1, 2));
    take_all();
  }
  EXPECT_EQ(tcp->time_wait_count(), 5u);
}

// The same for a block whose peer has not finished.
class InFinWait2 : public TcpScript {
 protected:
  void reach() {
    established({});
    endpoint->close();
    poll();
    receive(ack(2));
    take_all();
    ASSERT_EQ(tcp->time_wait_count(), 1u);
  }
};
TEST_F(InFinWait2, DataOutsideTheWindowIsAnsweredAndLeavesIt) {
  reach();
  receive(data(1'000'000'000, 10, 2));
  expect_ack(1);
  receive(data(1, 10, 3));  // acknowledges what was never sent
  expect_ack(1);
  EXPECT_EQ(tcp->time_wait_count(), 1u);
}
TEST_F(InFinWait2, FinWithoutAckIsIgnored) {
  reach();
  In in = fin(1, 2);
  in.flags = flag::kFin;
  receive(in);
  expect_nothing();
  receive(fin(1, 2));
  expect_ack(2);
}
TEST_F(InFinWait2, ResetMustBeExact) {
  reach();
  receive(rst(2));
  EXPECT_EQ(tcp->time_wait_count(), 1u);
  receive(rst(1));
  EXPECT_EQ(tcp->time_wait_count(), 0u);
  expect_nothing();
}

TEST_F(InTimeWait, OlderTimestampIsOldWhateverTheNumber) {
  reach({.timestamp = 1'000});
  receive({.seq = 50'000, .flags = flag::kSyn, .options = syn_options({.timestamp = 999})});
  EXPECT_EQ(expect_one().flags, flag::kAck);
  receive({.seq = 1, .flags = flag::kSyn, .options = syn_options({.timestamp = 1'000})});
  EXPECT_EQ(expect_one().flags, flag::kAck);
  receive({.seq = 50'000, .flags = flag::kSyn, .options = syn_options({.timestamp = 1'000})});
  EXPECT_TRUE(expect_one().has(flag::kSyn | flag::kAck));
}

}  // namespace
}  // namespace stack::tcp::test
