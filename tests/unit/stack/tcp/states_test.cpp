// Opening, closing, and what each state makes of each kind of segment (RFC 9293 3.5, 3.6, 3.10; RFC 5961; RFC 7323).
#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

using Handshake = TcpScript;
using Closing = TcpScript;
using Synchronized = TcpScript;
using TimeWait = TcpScript;
using Flood = TcpScript;

In syn(std::uint32_t seq = 0) { return {.seq = seq, .flags = flag::kSyn}; }
In rst(std::uint32_t seq) { return {.seq = seq, .flags = flag::kRst}; }
In fin(std::uint32_t seq, std::uint32_t number = 1) {
  return {.seq = seq, .ack = number, .flags = flag::kFin | flag::kAck};
}
In data(std::uint32_t seq, std::size_t size, std::uint32_t number = 1) {
  return {.seq = seq, .ack = number, .payload = pattern(size, seq - 1)};
}

TEST_F(Handshake, PassiveOpenAgreesOnOptions) {
  listen();
  receive(
      {.seq = 0, .flags = flag::kSyn, .options = syn_options({.sack = true, .timestamp = 9, .window_scale = 15})});
  const Sent syn_ack = expect_one();
  EXPECT_EQ(syn_ack.ack, irs + 1);
  EXPECT_EQ(syn_ack.options.mss, 1460);
  EXPECT_TRUE(syn_ack.options.sack_permitted);
  EXPECT_EQ(syn_ack.options.window_scale, 7);
  EXPECT_EQ(syn_ack.options.timestamps->echo, 9u);
  EXPECT_EQ(syn_ack.window, 65'535u);
  EXPECT_EQ(syn_ack.facts.origin, Origin::TcpSyn);
}
TEST_F(Handshake, PassiveOpenOffersNothingUnasked) {
  listen();
  receive(syn());
  const Sent syn_ack = expect_one();
  EXPECT_FALSE(syn_ack.options.sack_permitted);
  EXPECT_FALSE(syn_ack.options.window_scale);
  EXPECT_FALSE(syn_ack.options.timestamps);
}
TEST_F(Handshake, DefaultMssWithoutOption) {
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(ack(1));
  poll();
  write_bytes(2'000);
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].payload.size(), 536u);
}
TEST_F(Handshake, ActiveOpen) {
  connect({.sack = true, .timestamp = 1});
  EXPECT_EQ(observer->connected, 1);
}
TEST_F(Handshake, ActiveOpenOverIpv6) {
  local.address = *IpAddress::parse("fd00::2");
  remote.address = *IpAddress::parse("fd00::1");
  connect({});
}
TEST_F(Handshake, SynIsRetransmittedForThreeMinutes) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  observer = std::make_shared<RecordingObserver>();
  endpoint->set_observer(observer);
  const Instant begin = now;
  poll();
  std::vector<std::int64_t> seconds;
  advance(179s);
  for (const Sent& s : take_all()) seconds.push_back((s.at - begin) / 1s);
  EXPECT_EQ(seconds, (std::vector<std::int64_t>{0, 1, 3, 7, 15, 31, 63, 123}));
  EXPECT_EQ(observer->failed, 0);
  advance(20s);
  EXPECT_EQ(observer->error, Error::TimedOut);
}
TEST_F(Handshake, RefusedByResetWithTheRightAckOnly) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  observer = std::make_shared<RecordingObserver>();
  endpoint->set_observer(observer);
  poll();
  iss = expect_one().seq;
  receive({.seq = 0, .flags = flag::kRst});
  receive({.seq = 0, .ack = 77, .flags = flag::kRst | flag::kAck});
  poll();
  expect_nothing();
  EXPECT_EQ(observer->failed, 0);
  receive({.seq = 0, .ack = 1, .flags = flag::kRst | flag::kAck});
  poll();
  EXPECT_EQ(observer->error, Error::ConnectionRefused);
  EXPECT_EQ(endpoint->write(pattern(1)).error, Error::ConnectionRefused);
}
TEST_F(Handshake, HalfOpenPeerIsReset) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  iss = expect_one().seq;
  receive({.seq = 500, .ack = 300});
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst);
  EXPECT_EQ(reset.seq - iss, 300u);
  EXPECT_EQ(endpoint->state(), State::SynSent);
}
TEST_F(Handshake, SimultaneousOpen) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  observer = std::make_shared<RecordingObserver>();
  endpoint->set_observer(observer);
  poll();
  iss = expect_one().seq;
  receive(syn());
  const Sent syn_ack = expect_one();
  EXPECT_EQ(syn_ack.flags, flag::kSyn | flag::kAck);
  EXPECT_EQ(syn_ack.seq, iss);
  receive({.seq = 0, .ack = 1, .flags = flag::kSyn | flag::kAck});
  poll();
  EXPECT_EQ(endpoint->state(), State::Established);
  EXPECT_EQ(observer->connected, 1);
  take_all();
  write_bytes(10);
  expect_sent({{1, 10}});
}
TEST_F(Handshake, RefusedAfterSimultaneousSyn) {
  start();
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  iss = expect_one().seq;
  receive(syn());
  take_all();
  receive(rst(1));
  EXPECT_EQ(endpoint->error(), Error::ConnectionRefused);
}
TEST_F(Handshake, ResetInSynReceivedIsSilent) {
  listen();
  receive(syn());
  take_all();
  receive(rst(6));  // in the window, not exact
  EXPECT_EQ(expect_one().flags, flag::kAck);
  receive(rst(1));
  expect_nothing();
  EXPECT_EQ(tcp->connection_count(), 0u);
  receive(syn());
  EXPECT_TRUE(expect_one().has(flag::kSyn | flag::kAck));
}
TEST_F(Handshake, WrongAckInSynReceivedIsReset) {
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(ack(2));
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst);
  EXPECT_EQ(reset.seq - iss, 2u);
  receive(ack(1));
  poll();
  EXPECT_EQ(accepted_count, 1);
}
TEST_F(Handshake, RepeatedSynMakesOneConnection) {
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(syn());
  const Sent again = expect_one();
  EXPECT_TRUE(again.has(flag::kSyn | flag::kAck));
  EXPECT_EQ(again.seq, iss);
  receive(ack(1));
  poll();
  EXPECT_EQ(accepted_count, 1);
}
TEST_F(Handshake, SynAckGivesUp) {
  listen();
  receive(syn());
  advance(200s);
  EXPECT_EQ(take_all().size(), 6u);
  EXPECT_EQ(tcp->connection_count(), 0u);
}
TEST_F(Handshake, ListenerAnswersOnlyWhatItMust) {
  listen();
  receive({.seq = 5, .ack = 9});
  EXPECT_EQ(expect_one().flags, flag::kRst);
  receive(rst(5));
  receive({.seq = 5, .flags = flag::kFin});
  receive({.seq = 5, .flags = 0, .payload = pattern(5)});
  expect_nothing();
}
TEST_F(Handshake, ClosedPort) {
  start();
  receive(syn());
  const Sent reset = expect_one();
  EXPECT_EQ(reset.flags, flag::kRst | flag::kAck);
  EXPECT_EQ(reset.seq, Seq{0});
  EXPECT_EQ(reset.ack, irs + 1);
  EXPECT_EQ(reset.facts.origin, Origin::TcpReset);
  EXPECT_EQ(reset.facts.endpoint.match, EndpointMatch::None);
  receive(rst(1));
  expect_nothing();
}
TEST_F(Handshake, BadChecksumChangesNothing) {
  listen();
  Packet packet = make_packet(syn());
  auto bytes = packet.make_private(20);
  bytes[15] ^= std::byte{1};
  tcp->receive(std::move(packet), now);
  expect_nothing();
  EXPECT_EQ(stats.dropped(Drop::BadChecksum), 1u);
}
TEST_F(Handshake, GroupsAreRefused) {
  start();
  EXPECT_EQ(tcp->connect({*IpAddress::parse("224.0.0.1"), 80}, nullptr).error, Error::Invalid);
  EXPECT_EQ(tcp->connect({*IpAddress::parse("255.255.255.255"), 80}, nullptr).error, Error::Invalid);
  EXPECT_EQ(tcp->connect({*IpAddress::parse("ff02::1"), 80}, nullptr).error, Error::Invalid);
  listen();
  remote.address = *IpAddress::parse("224.0.0.1");
  receive(syn());
  expect_nothing();
  remote.address = *IpAddress::parse("10.0.0.255");
  receive(syn());
  expect_nothing();
}
TEST_F(Handshake, EphemeralPortsAreRandom) {
  start();
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 50; ++i) {
    auto made = tcp->connect(remote, nullptr);
    poll();
    ports.push_back(expect_one().local_port);
    made.endpoint->abort();
    poll();
  }
  int steps = 0;
  for (std::size_t i = 1; i < ports.size(); ++i) steps += ports[i] == ports[i - 1] + 1 ? 1 : 0;
  EXPECT_LT(steps, 3);
  for (const auto port : ports) EXPECT_GE(port, 49'152);
}
TEST_F(Handshake, ClosingTheListenerResetsWhatWaits) {
  start();
  auto listened = tcp->listen(local, nullptr);
  receive(syn());
  iss = expect_one().seq;
  receive(ack(1));
  listened.listener->close();
  poll();
  EXPECT_TRUE(expect_one().has(flag::kRst));
  EXPECT_EQ(tcp->connection_count(), 0u);
}

// --- closing ---

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
TEST_F(Closing, UnreadDataIsReset) {
  established({});
  receive(data(1, 10));
  endpoint->close();
  poll();
  EXPECT_TRUE(take_all().back().has(flag::kRst));
}
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

// --- TIME_WAIT ---

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
  EXPECT_LE(take_all().size(), config.challenge_acks_per_second);
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

// --- synchronized states ---

TEST_F(Synchronized, ChallengeAcks) {
  established({});
  receive(rst(2));  // RFC 5961 3.2: in the window but not exact
  expect_ack(1);
  receive(rst(0));  // outside
  expect_nothing();
  receive(syn(0));
  expect_ack(1);
  receive(syn(5));
  expect_ack(1);
  EXPECT_EQ(endpoint->state(), State::Established);
  for (int i = 0; i < 1'000; ++i) receive(rst(3));
  EXPECT_LE(take_all().size(), config.challenge_acks_per_second);
  advance(1s);
  receive(rst(3));
  expect_ack(1);
  receive(rst(1));
  poll();
  EXPECT_EQ(observer->error, Error::ConnectionReset);
  EXPECT_EQ(observer->failed, 1);
  expect_nothing();
}
TEST_F(Synchronized, AckOfUnsentDataAndAncientAck) {
  established({.window = 1'000});
  receive(data(1, 10, 2));  // acknowledges what was never sent
  expect_ack(1);
  EXPECT_EQ(endpoint->readable_bytes(), 0u);
  In old = data(1, 10, 1);
  old.ack = 1 - 1'001U;
  receive(old);
  expect_ack(1);
  EXPECT_EQ(endpoint->readable_bytes(), 0u);
  old.ack = 1 - 1'000U;
  receive(old);
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
}
TEST_F(Synchronized, NoAckBitIsDropped) {
  established({});
  In in = data(1, 10);
  in.flags = 0;
  receive(in);
  expect_nothing();
  EXPECT_EQ(endpoint->readable_bytes(), 0u);
}
TEST_F(Synchronized, OutsideTheWindowIsAcknowledged) {
  established({});
  receive(data(1'000'000'000, 10));
  expect_ack(1);
  receive(data(1, 100));
  receive(data(1, 100));  // again
  EXPECT_EQ(take_all().back().ack - irs, 101u);
  EXPECT_EQ(read_all(), pattern(100));
}
TEST_F(Synchronized, OverlapIsDeliveredOnceAndWraps) {
  established({});
  receive(data(1, 1'000));
  receive(data(501, 1'000));
  receive(data(2'001, 500));
  receive(data(1'401, 700));
  EXPECT_EQ(read_all(), pattern(2'500));
}
TEST_F(Synchronized, FinIsTakenInOrder) {
  established({});
  In late = data(101, 100);
  late.flags |= flag::kFin;
  receive(late);
  expect_ack(1);
  EXPECT_EQ(endpoint->state(), State::Established);
  receive(data(1, 100));
  expect_ack(202);
  EXPECT_EQ(endpoint->state(), State::CloseWait);
  EXPECT_EQ(read_all(), pattern(200));
}
TEST_F(Synchronized, DelayedAck) {
  established({});
  receive(data(1, 1'000));
  expect_nothing();
  advance(39ms);
  expect_nothing();
  advance(1ms);
  expect_ack(1'001);
  receive(data(1'001, 1'000));
  expect_nothing();
  receive(data(2'001, 1'000));  // every second full segment
  expect_ack(3'001);
  In coalesced = data(3'001, 4'000);
  coalesced.segment_count = 4;
  receive(coalesced);
  expect_ack(7'001);
}
TEST_F(Synchronized, OutOfOrderIsAcknowledgedAtOnce) {
  established({.sack = true});
  receive(data(1'001, 1'000));
  Sent duplicate = expect_one();
  EXPECT_EQ(duplicate.ack - irs, 1u);
  ASSERT_EQ(duplicate.options.sack_count, 1);
  EXPECT_EQ(duplicate.options.sack_storage[0], (wire::SackBlock{irs + 1'001, irs + 2'001}));
  receive(data(1, 1'000));
  const Sent filled = expect_one();
  EXPECT_EQ(filled.ack - irs, 2'001u);
  EXPECT_EQ(filled.options.sack_count, 0);
  receive(data(1, 500));  // RFC 2883
  EXPECT_EQ(expect_one().options.sack_storage[0], (wire::SackBlock{irs + 1, irs + 501}));
}
TEST_F(Synchronized, NoSackUnlessAgreed) {
  established({});
  receive(data(1'001, 1'000));
  EXPECT_EQ(expect_one().options.sack_count, 0);
}
TEST_F(Synchronized, Paws) {
  established({.timestamp = 1'000});
  peer_timestamp = 1'010;
  receive(data(1, 10));
  peer_timestamp = 1'005;
  receive(data(11, 10));
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
  EXPECT_EQ(take_all().back().ack - irs, 11u);
  EXPECT_EQ(stats.dropped(Drop::TcpPaws), 1u);
  In bare = data(11, 10);
  bare.is_raw_timestamp = true;
  receive(bare);  // without the option: dropped, silently
  expect_nothing();
  In reset = rst(11);
  reset.options.timestamps = wire::Timestamps{1, 0};  // not applied to RST
  receive(reset);
  EXPECT_EQ(endpoint->error(), Error::ConnectionReset);
}
TEST_F(Synchronized, PawsComesBeforeTheSequenceTest) {
  established({.timestamp = 1'000});
  peer_timestamp = 900;
  receive(data(1'000'000'000, 10));  // both old and outside the window
  EXPECT_EQ(take_all().size(), 1u);
  EXPECT_EQ(stats.dropped(Drop::TcpPaws), 1u);
  EXPECT_EQ(stats.dropped(Drop::TcpUnacceptable), 0u);
}
TEST_F(Synchronized, PawsForgetsAfter24Days) {
  established({.timestamp = 1'000});
  advance(25 * 24h);
  peer_timestamp = 5;
  receive(data(1, 10));
  EXPECT_EQ(endpoint->readable_bytes(), 10u);
}
TEST_F(Synchronized, EchoesTheEarliestUnacknowledged) {
  established({.timestamp = 1'000});
  peer_timestamp = 1'001;
  receive(data(1, 1'000));
  peer_timestamp = 1'002;
  receive(data(1'001, 1'000));
  EXPECT_EQ(expect_one().options.timestamps->echo, 1'001u);
  peer_timestamp = 1'050;
  receive(data(3'001, 1'000));  // out of order: not echoed
  EXPECT_EQ(expect_one().options.timestamps->echo, 1'001u);
  peer_timestamp = 1'060;
  receive(data(2'001, 1'000));
  EXPECT_EQ(expect_one().options.timestamps->echo, 1'060u);
}
TEST_F(Synchronized, ZeroReceiveWindow) {
  config.receive_buffer = 4'000;
  established({});
  for (std::uint32_t i = 0; i < 4; ++i) receive(data(1 + i * 1'000, i == 3 ? 744 : 1'000));
  advance(1s);
  const Sent full = take_all().back();
  const std::uint32_t next = full.ack - irs;
  receive(data(next, static_cast<std::size_t>(full.window)));
  advance(1s);
  const Sent closed = take_all().back();
  EXPECT_EQ(closed.window, 0u);
  const std::uint32_t at = closed.ack - irs;
  receive(data(at, 1));  // a probe
  EXPECT_EQ(expect_one().window, 0u);
  ByteVector bytes(100);
  endpoint->read(bytes);
  poll();
  expect_nothing();  // not for so little (RFC 9293 3.8.6.2.2)
  ByteVector more(3'000);
  endpoint->read(more);
  poll();
  EXPECT_GE(expect_one().window, 1'460u);
  receive(rst(at));
  EXPECT_EQ(endpoint->error(), Error::ConnectionReset);
}
TEST_F(Synchronized, RightEdgeNeverMovesLeft) {
  config.receive_buffer = 100'000;
  established({.window_scale = 7});
  Seq edge{};
  std::uint32_t at = 1;
  for (int i = 0; i < 200; ++i) {
    const std::size_t size = 1 + static_cast<std::size_t>(i * 37 % 900);
    receive(data(at, size));
    at += static_cast<std::uint32_t>(size);
    if (i % 7 == 0) {
      ByteVector some(777);
      endpoint->read(some);
      poll();
    }
    advance(50ms);
    for (const Sent& s : take_all()) {
      const Seq now_edge = s.ack + (s.window << 1);  // 100,000 bytes need a shift of one
      if (edge != Seq{}) {
        EXPECT_FALSE(now_edge.before(edge));
      }
      edge = later(edge == Seq{} ? now_edge : edge, now_edge);
    }
  }
}
TEST_F(Synchronized, KeepAlive) {
  established({});
  advance(3h);
  expect_nothing();
  endpoint->set_keep_alive_times(10s, 5s, 3);
  endpoint->set_keep_alive(true);
  poll();
  take_all();
  receive(ack(1));
  advance(10s);
  const auto probes = take_all();
  ASSERT_EQ(probes.size(), 1u);
  EXPECT_EQ(probes[0].seq - iss, 0u);
  EXPECT_TRUE(probes[0].payload.empty());
  receive(ack(1));
  advance(10s);
  EXPECT_EQ(take_all().size(), 1u);
  advance(30s);
  EXPECT_EQ(observer->error, Error::TimedOut);
}

// --- floods ---

TEST_F(Flood, CookiesWhenTheBacklogIsFull) {
  config.syn_backlog = 10;
  listen();
  const auto me = remote;
  for (int i = 0; i < 2'000; ++i) {
    remote = {IpAddress::v4(0x0a000100U + static_cast<std::uint32_t>(i)), static_cast<std::uint16_t>(1'000 + i)};
    receive({.seq = 0, .flags = flag::kSyn, .options = syn_options({})});
  }
  EXPECT_EQ(tcp->connection_count(), 10u);
  take_all();
  remote = me;
  receive({.seq = 0,
           .flags = flag::kSyn,
           .options = syn_options({.mss = 1'460, .sack = true, .timestamp = 50, .window_scale = 3})});
  const Sent cookie = expect_one();
  EXPECT_EQ(cookie.facts.origin, Origin::TcpCookie);
  EXPECT_EQ(tcp->connection_count(), 10u);
  iss = cookie.seq;
  In forged = ack(2);
  forged.options.timestamps = wire::Timestamps{51, cookie.options.timestamps->value};
  receive(forged);
  EXPECT_EQ(expect_one().flags, flag::kRst);
  In good = ack(1);
  good.payload = pattern(10);
  good.window = 1'000;
  good.options.timestamps = wire::Timestamps{51, cookie.options.timestamps->value};
  receive(good);
  poll();
  ASSERT_EQ(accepted_count, 1);
  EXPECT_EQ(endpoint->tcb().snd_wnd, 8'000u);
  EXPECT_TRUE(endpoint->tcb().sack_ok);
  EXPECT_EQ(endpoint->tcb().peer_mss, 1'460u);
  EXPECT_EQ(read_all(), pattern(10));
}
TEST_F(Flood, ConnectionsAreBounded) {
  config.connection_limit = 5;
  config.syn_cookies = false;
  listen();
  for (std::uint16_t i = 0; i < 50; ++i) {
    remote.port = static_cast<std::uint16_t>(1'000 + i);
    receive({.seq = 0, .flags = flag::kSyn, .options = syn_options({})});
  }
  EXPECT_EQ(tcp->connection_count(), 5u);
  EXPECT_EQ(stats.dropped(Drop::ListenQueueFull), 45u);
}
TEST_F(Flood, RandomSegmentsNeitherCrashNorLeak) {
  SeededRandom chaos{4};
  listen();
  for (int i = 0; i < 30'000; ++i) {
    In in;
    const bool near = chaos.below(4) != 0;
    in.seq = near ? chaos.below(5'000) : chaos.next_u32();
    in.ack = near ? chaos.below(5) : chaos.next_u32();
    in.flags = static_cast<std::uint8_t>(chaos.below(64));
    if (chaos.below(2) == 0) in.flags = flag::kAck;
    in.window = chaos.below(65'536);
    if (chaos.below(3) == 0) in.payload = pattern(chaos.below(1'400));
    remote.port = static_cast<std::uint16_t>(40'000 + chaos.below(20));
    receive(in);
    if (chaos.below(50) == 0) advance(Duration{chaos.below(2'000'000'000)});
    if (endpoint && chaos.below(20) == 0) read_all();
    if (endpoint && chaos.below(20) == 0) endpoint->write(pattern(5'000));
    if (endpoint && chaos.below(200) == 0) endpoint->close(), endpoint.reset();
    sender.segments.clear();
  }
}

}  // namespace
}  // namespace stack::tcp::test
