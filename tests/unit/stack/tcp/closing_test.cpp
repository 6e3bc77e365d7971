// How connections end (RFC 9293 3.6): closes from either side or both, half closes, resets, and what is left.
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Closing = TcpScript;

// checklist: TCP-029, TCP-030
TEST_F(Closing, ActiveCloseLeavesABlockWithoutEndpoint) {
  established({});
  const EndpointId id = endpoint->id();
  endpoint->close();
  poll();
  const Sent first_fin = expect_one();
  EXPECT_TRUE(first_fin.has(flag::kFin));
  EXPECT_EQ(first_fin.facts.endpoint.match, EndpointMatch::Live);
  receive(ack(2));
  EXPECT_EQ(endpoints.find(id), nullptr);
  EXPECT_EQ(endpoint->state(), State::Closed);
  EXPECT_EQ(tcp->time_wait_count(), 1u);
  receive(fin(1, 2));
  const Sent last = expect_one();
  EXPECT_EQ(last.flags, flag::kAck);
  EXPECT_EQ(last.ack - irs, 2u);
  EXPECT_EQ(last.facts.origin, Origin::TcpTimeWait);
  EXPECT_EQ(last.facts.endpoint.match, EndpointMatch::TimeWait);
  EXPECT_FALSE(last.facts.endpoint.endpoint);
  advance(30s);
  receive(fin(1, 2));  // restarts 2 MSL
  EXPECT_EQ(expect_one().facts.origin, Origin::TcpTimeWait);
  advance(45s);
  EXPECT_EQ(tcp->time_wait_count(), 1u);
  advance(16s);
  EXPECT_EQ(tcp->time_wait_count(), 0u);
  receive(fin(1, 2));
  EXPECT_EQ(expect_one().flags, flag::kRst | 0);
}
// checklist: TCP-087
TEST_F(Closing, FinThatAlsoAcknowledgesIsSeenByTheEndpoint) {
  established({});
  endpoint->close();
  poll();
  take_all();
  receive(fin(1, 2));
  const Sent last = expect_one();
  EXPECT_EQ(last.facts.endpoint.match, EndpointMatch::Live);
  EXPECT_EQ(tcp->time_wait_count(), 1u);
  EXPECT_EQ(tcp->connection_count(), 0u);
}
TEST_F(Closing, FinWait2BlockGivesUp) {
  established({});
  endpoint->close();
  poll();
  receive(ack(2));
  take_all();
  advance(61s);
  EXPECT_EQ(tcp->time_wait_count(), 0u);
}
// checklist: TCP-028
TEST_F(Closing, DataAfterCloseIsReset) {
  established({});
  endpoint->close();
  poll();
  take_all();
  receive(data(1, 10, 1));
  EXPECT_TRUE(expect_one().has(flag::kRst));
  EXPECT_EQ(tcp->connection_count(), 0u);
}
TEST_F(Closing, DataForABlockIsReset) {
  established({});
  endpoint->close();
  poll();
  receive(ack(2));
  take_all();
  receive(data(1, 10, 2));
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst);
  EXPECT_EQ(tcp->time_wait_count(), 0u);
}
// checklist: TCP-028
TEST_F(Closing, UnreadDataIsReset) {
  established({});
  receive(data(1, 10));
  endpoint->close();
  poll();
  EXPECT_TRUE(take_all().back().has(flag::kRst));
}
// checklist: TCP-087
TEST_F(Closing, PassiveClose) {
  established({});
  receive(fin(1));
  expect_ack(2);
  poll();
  EXPECT_EQ(endpoint->state(), State::CloseWait);
  EXPECT_EQ(observer->readable, 1);
  ByteVector bytes(1);
  EXPECT_EQ(endpoint->read(bytes).error, Error::None);
  write_bytes(100);  // half closed: our side goes on
  take_all();
  endpoint->close();
  poll();
  EXPECT_TRUE(expect_one().has(flag::kFin));
  receive({.seq = 2, .ack = 102});
  EXPECT_EQ(tcp->connection_count(), 0u);
  EXPECT_EQ(tcp->time_wait_count(), 0u);
}
// checklist: TCP-033, TCP-087
TEST_F(Closing, SimultaneousClose) {
  established({});
  endpoint->close();
  poll();
  take_all();
  receive(fin(1, 1));
  expect_ack(2);
  receive({.seq = 2, .ack = 2});
  EXPECT_EQ(tcp->time_wait_count(), 1u);
}
// checklist: TCP-087
TEST_F(Closing, HalfCloseStillReceives) {
  established({});
  endpoint->shutdown_write();
  poll();
  take_all();
  receive(ack(2));
  EXPECT_EQ(endpoint->state(), State::FinWait2);
  receive(data(1, 100, 2));
  EXPECT_EQ(read_all(), pattern(100));
  advance(10min);  // the application is there: no timeout
  EXPECT_EQ(endpoint->state(), State::FinWait2);
  take_all();
  receive(fin(101, 2));
  EXPECT_EQ(endpoint->state(), State::TimeWait);
  EXPECT_EQ(expect_one().facts.endpoint.match, EndpointMatch::Live);
  endpoint->close();
  poll();
  EXPECT_EQ(tcp->time_wait_count(), 1u);
}
TEST_F(Closing, FinTravelsOnTheLastData) {
  established({});
  endpoint->finish_after_next_write();
  write_bytes(1'500);
  const auto sent = take_all();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_FALSE(sent[0].has(flag::kFin));
  EXPECT_TRUE(sent[1].has(flag::kFin | flag::kPsh));
  EXPECT_EQ(sent[1].payload.size(), 500u);
  EXPECT_EQ(endpoint->state(), State::FinWait1);
}
TEST_F(Closing, LostFinIsRetransmitted) {
  established({});
  write_bytes(100);
  endpoint->close();
  poll();
  take_all();
  receive(ack(101));
  advance(3s);
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_TRUE(sent[0].has(flag::kFin));
  EXPECT_EQ(sent[0].seq - iss, 101u);
}
TEST_F(Closing, AbortSendsReset) {
  established({});
  endpoint->abort();
  poll();
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst | flag::kAck);
  EXPECT_EQ(reset.facts.origin, Origin::TcpAbort);
  EXPECT_EQ(reset.facts.endpoint.match, EndpointMatch::Live);
}

// checklist: TCP-030
TEST_F(Closing, TimeWaitOfALivingEndpointBeginsAnewWithTheFin) {
  established({});
  endpoint->shutdown_write();
  poll();
  receive(fin(1, 2));
  ASSERT_EQ(endpoint->state(), State::TimeWait);
  take_all();
  advance(50s);
  receive(fin(1, 2));
  expect_ack(2);
  advance(50s);
  EXPECT_EQ(endpoint->state(), State::TimeWait);
  advance(11s);
  EXPECT_EQ(endpoint->state(), State::Closed);
}
// checklist: TCP-027
TEST_F(Closing, FinNeedsRoomInTheWindow) {
  established({.window = 1'000});
  write_bytes(1'000);
  endpoint->close();
  poll();
  const Sent last = expect_one();
  EXPECT_EQ(last.payload.size(), 1'000u);
  EXPECT_FALSE(last.has(flag::kFin));
  receive({.ack = 1'001, .window = 1'000});
  EXPECT_TRUE(expect_one().has(flag::kFin));
}

}  // namespace
}  // namespace stack::tcp::test
