// What outsiders see and decide: the transport-in hook, discards, and the authorizations of bind, listen, connect,
// accept and established, at once or later.
#include <set>

#include "tests/unit/stack/tcp/tcp_script.hpp"

namespace stack::tcp::test {
namespace {

class Party final : public Inspector, public Authorizer, public DiscardObserver {
 public:
  std::optional<Packet> inspect(Packet packet, const PacketContext& context) override {
    seen.push_back(context);
    sizes.push_back(packet.size());
    if (absorb) {
      absorbed.push_back(std::move(packet));
      return std::nullopt;
    }
    return packet;
  }
  Authorization ask(const char* what, const Operation& operation) {
    asked.emplace_back(what, operation);
    if (later.erase(what) > 0) return {Decision::Later, ++tickets, 0};
    if (denied.contains(what)) return {Decision::Deny};
    const bool has_flow = std::string(what) == "connect" || std::string(what) == "accept";
    if (has_flow) live_flows.insert(++flows);
    return {Decision::Allow, 0, has_flow ? flows : 0};
  }
  Authorization bind(const Operation& o) override { return ask("bind", o); }
  Authorization listen(const Operation& o) override { return ask("listen", o); }
  Authorization connect(const Operation& o, Packet* packet) override {
    EXPECT_EQ(packet, nullptr);
    return ask("connect", o);
  }
  Authorization accept(const Operation& o, Packet& packet) override {
    const auto answer = ask("accept", o);
    if (answer.decision == Decision::Later) absorbed.push_back(std::move(packet));
    return answer;
  }
  bool established(const Operation& o, Packet* packet) override {
    asked.emplace_back("established", o);
    EXPECT_NE(packet, nullptr);
    return !denied.contains("established");
  }
  void flow_ended(FlowTag flow) override { EXPECT_EQ(live_flows.erase(flow), 1u); }
  void endpoint_closed(EndpointId id) override { EXPECT_TRUE(closed.insert(id.value).second); }
  bool discarded(const Packet&, Drop reason, const PacketContext& context) override {
    drops.emplace_back(reason, context);
    return !silence;
  }
  void discarded_early(const Packet&, Drop) override {}

  std::vector<std::string> questions() const {
    std::vector<std::string> list;
    for (const auto& [what, operation] : asked) list.push_back(what);
    return list;
  }
  std::vector<PacketContext> seen;
  std::vector<std::size_t> sizes;
  std::vector<std::pair<std::string, Operation>> asked;
  std::vector<std::pair<Drop, PacketContext>> drops;
  std::vector<Packet> absorbed;
  std::set<std::string> denied, later;
  std::set<FlowTag> live_flows;
  std::set<std::uint64_t> closed;
  FlowTag flows = 100;
  Ticket tickets = 0;
  bool absorb = false, silence = false;
};

class HookScript : public TcpScript {
 protected:
  HookScript() {
    hooks.set_inspector(&party);
    hooks.set_authorizer(&party);
    hooks.set_discard_observer(&party);
    hooks.arm(Hook::TransportIn, Family::V4, true);
  }
  void TearDown() override {
    party.absorbed.clear();
    TcpScript::TearDown();
    EXPECT_TRUE(party.live_flows.empty());
  }
  In syn() { return {.seq = 0, .flags = flag::kSyn, .options = syn_options({})}; }
  // The packet that somebody took comes back as the injector would bring it.
  void reinject(std::size_t index = 0) {
    Packet packet = std::move(party.absorbed.at(index));
    packet.restore(packet.meta().transport_header_size);
    packet.meta().origin = Origin::Injected;
    tcp->receive(std::move(packet), now);
  }
  Party party;
};

using Contexts = HookScript;
using Accept = HookScript;
using Open = HookScript;

TEST_F(Contexts, OfAWholeConnection) {
  established({});
  ASSERT_EQ(party.seen.size(), 2u);
  EXPECT_EQ(party.seen[0].endpoint.match, EndpointMatch::Live);
  EXPECT_EQ(party.seen[0].endpoint.endpoint, listener->id());
  EXPECT_EQ(party.seen[0].endpoint.flow, 0u);
  EXPECT_TRUE(party.seen[0].needs_authorization);
  EXPECT_EQ(party.seen[0].transport_header_size, 24u);
  EXPECT_EQ(party.sizes[0], 0u);
  EXPECT_EQ(party.seen[1].endpoint.endpoint, endpoint->id());
  EXPECT_EQ(party.seen[1].endpoint.parent, listener->id());
  EXPECT_EQ(party.seen[1].endpoint.flow, 101u);
  EXPECT_FALSE(party.seen[1].needs_authorization);
  EXPECT_EQ(party.questions(), (std::vector<std::string>{"bind", "listen", "accept", "established"}));
  EXPECT_EQ(party.asked[3].second.endpoint.flow, 101u);
  EXPECT_EQ(party.asked[3].second.direction, Direction::Inbound);

  const EndpointId id = endpoint->id();
  endpoint->close();
  poll();
  receive(ack(2));
  EXPECT_TRUE(party.live_flows.empty());
  EXPECT_TRUE(party.closed.contains(id.value));
  receive({.seq = 1, .ack = 2, .flags = flag::kFin | flag::kAck});
  EXPECT_EQ(party.seen.back().endpoint.match, EndpointMatch::TimeWait);
  EXPECT_FALSE(party.seen.back().endpoint.endpoint);
  EXPECT_EQ(party.seen.back().endpoint.flow, 0u);
}
TEST_F(Contexts, NoEndpointIsADiscardAndMaySilenceTheReset) {
  start();
  receive(syn());
  ASSERT_EQ(party.drops.size(), 1u);
  EXPECT_EQ(party.drops[0].first, Drop::NoEndpoint);
  EXPECT_EQ(party.drops[0].second.hook, Hook::TransportIn);
  EXPECT_EQ(party.drops[0].second.endpoint.match, EndpointMatch::None);
  EXPECT_TRUE(party.seen.empty());
  EXPECT_EQ(expect_one().flags, flag::kRst | flag::kAck);
  party.silence = true;
  receive(syn());
  expect_nothing();
}
TEST_F(Contexts, AbsorbedDataComesBackLater) {
  established({});
  party.absorb = true;
  receive({.payload = pattern(100)});
  receive({.seq = 101, .payload = pattern(100, 100)});
  party.absorb = false;
  expect_nothing();
  reinject(1);
  reinject(0);
  EXPECT_EQ(read_all(), pattern(200));
  take_all();
}

TEST_F(Accept, DeniedIsSilent) {
  party.denied.insert("accept");
  listen();
  receive(syn());
  expect_nothing();
  EXPECT_EQ(tcp->connection_count(), 0u);
  ASSERT_EQ(party.drops.size(), 1u);
  EXPECT_EQ(party.drops[0].first, Drop::AuthorizationDenied);
}
TEST_F(Accept, LaterHoldsNoConnectionAndAsksOnceAgain) {
  listen();
  party.later.insert("accept");
  receive(syn());
  expect_nothing();
  EXPECT_EQ(tcp->connection_count(), 0u);
  EXPECT_EQ(tcp->pended_count(), 1u);
  const std::size_t seen = party.seen.size();
  receive(syn());  // retransmitted: neither classified nor asked about
  EXPECT_EQ(party.seen.size(), seen);
  EXPECT_EQ(stats.dropped(Drop::PendRetransmission), 1u);
  reinject();
  EXPECT_TRUE(party.asked.back().second.injected);
  EXPECT_TRUE(expect_one().has(flag::kSyn | flag::kAck));
  EXPECT_EQ(tcp->pended_count(), 0u);
}
TEST_F(Accept, ResumeForgetsTheTicket) {
  listen();
  party.later.insert("accept");
  receive(syn());
  EXPECT_TRUE(tcp->resume(1));
  EXPECT_FALSE(tcp->resume(1));
  receive(syn());  // counts as new
  EXPECT_TRUE(expect_one().has(flag::kSyn | flag::kAck));
}
TEST_F(Accept, ListenerGoneMeanwhile) {
  listen();
  party.later.insert("accept");
  receive(syn());
  listener->close();
  reinject();
  EXPECT_EQ(party.drops.back().first, Drop::NoEndpoint);
  EXPECT_EQ(expect_one().flags, flag::kRst | flag::kAck);
}
TEST_F(Accept, PendedSynsAreBoundedAndExpire) {
  config.pended_syn_limit = 3;
  listen();
  for (std::uint16_t i = 0; i < 6; ++i) {
    remote.port = static_cast<std::uint16_t>(1'000 + i);
    party.later.insert("accept");
    receive(syn());
  }
  EXPECT_EQ(tcp->pended_count(), 3u);
  EXPECT_EQ(stats.dropped(Drop::PendLimit), 3u);
  now += 100s;
  poll();
  EXPECT_EQ(tcp->pended_count(), 0u);
}
TEST_F(Accept, RefusedAtEstablishedIsReset) {
  party.denied.insert("established");
  listen();
  receive(syn());
  iss = expect_one().seq;
  receive(ack(1));
  poll();
  EXPECT_TRUE(expect_one().has(flag::kRst));
  EXPECT_EQ(accepted_count, 0);
  EXPECT_EQ(tcp->connection_count(), 0u);
  EXPECT_TRUE(party.live_flows.empty());
}
TEST_F(Accept, CookieIsAuthorizedByItsAck) {
  config.syn_backlog = 0;
  listen();
  receive(syn());
  EXPECT_FALSE(party.seen.back().needs_authorization);
  iss = expect_one().seq;
  EXPECT_EQ(party.questions().back(), "listen");
  receive(ack(1));
  EXPECT_TRUE(party.seen.back().needs_authorization);
  poll();
  EXPECT_EQ(accepted_count, 1);
  const auto asked = party.questions();
  EXPECT_EQ(asked.back(), "established");
  EXPECT_EQ(asked[asked.size() - 2], "accept");
}

TEST_F(Open, AsksInOrderBeforeTheSyn) {
  connect({});
  EXPECT_EQ(party.questions(), (std::vector<std::string>{"bind", "connect", "established"}));
  EXPECT_EQ(party.asked[1].second.local, local);
  EXPECT_EQ(party.asked[1].second.remote, remote);
  EXPECT_EQ(party.asked[2].second.endpoint.flow, 101u);
  EXPECT_EQ(party.asked[2].second.direction, Direction::Outbound);
}
TEST_F(Open, DeniedNeverSends) {
  for (const char* what : {"bind", "connect"}) {
    party.denied = {what};
    start();
    auto made = tcp->connect(remote, nullptr).endpoint;
    observer = std::make_shared<RecordingObserver>();
    made->set_observer(observer);
    poll();
    expect_nothing();
    EXPECT_EQ(observer->error, Error::AccessDenied);
    EXPECT_EQ(tcp->connection_count(), 0u);
  }
}
TEST_F(Open, LaterIsAskedAgainWhenResumed) {
  start();
  party.later = {"bind", "connect"};
  auto made = tcp->connect(remote, nullptr, local).endpoint;
  poll();
  expect_nothing();
  EXPECT_TRUE(tcp->resume(1));
  EXPECT_EQ(party.asked[1].second.resumed, 1u);
  poll();
  expect_nothing();
  EXPECT_TRUE(tcp->resume(2));
  EXPECT_EQ(party.asked[3].second.resumed, 2u);
  EXPECT_EQ(party.questions(), (std::vector<std::string>{"bind", "bind", "connect", "connect"}));
  expect_nothing();  // the SYN leaves in poll
  poll();
  EXPECT_EQ(expect_one().flags, flag::kSyn);
  made->abort();
  poll();
}
TEST_F(Open, ClosedWhileParked) {
  start();
  party.later = {"connect"};
  auto made = tcp->connect(remote, nullptr).endpoint;
  poll();
  made->close();
  poll();
  EXPECT_EQ(tcp->connection_count(), 0u);
  EXPECT_FALSE(tcp->resume(1));
  EXPECT_EQ(party.closed.size(), 1u);
}
TEST_F(Open, ListenLater) {
  start();
  party.later = {"listen"};
  auto listened = tcp->listen(local, nullptr);
  EXPECT_EQ(listened.error, Error::InProgress);
  receive(syn());
  EXPECT_TRUE(expect_one().has(flag::kRst));
  EXPECT_TRUE(tcp->resume(1));
  receive(syn());
  EXPECT_TRUE(expect_one().has(flag::kSyn | flag::kAck));
  listened.listener->close();
}
TEST_F(Open, ListenDenied) {
  start();
  party.denied = {"listen"};
  EXPECT_EQ(tcp->listen(local, nullptr).error, Error::AccessDenied);
  EXPECT_EQ(endpoints.size(), 0u);
}
TEST_F(Open, AbortedFlowIsReset) {
  established({});
  EXPECT_FALSE(tcp->abort_flow(55));
  EXPECT_TRUE(tcp->abort_flow(101));
  poll();
  EXPECT_TRUE(expect_one().has(flag::kRst));
  EXPECT_EQ(observer->error, Error::ConnectionAborted);
}

TEST_F(Open, WhatIsWrittenAndFinishedWhileParkedGoesOut) {
  start();
  party.later = {"connect"};
  endpoint = tcp->connect(remote, nullptr, local).endpoint;
  EXPECT_EQ(endpoint->write(pattern(10)).count, 10u);
  endpoint->shutdown_write();
  poll();
  EXPECT_TRUE(tcp->resume(1));
  poll();
  iss = expect_one().seq;
  receive({.seq = 0, .flags = flag::kSyn | flag::kAck, .options = syn_options({})});
  const auto sent = take_all();
  ASSERT_FALSE(sent.empty());
  EXPECT_TRUE(sent.back().has(flag::kFin));
  EXPECT_EQ(sent.back().payload, pattern(10));
}
TEST_F(Open, WithoutARouteTheAttemptEnds) {
  start();
  party.later = {"connect"};
  auto made = tcp->connect(remote, nullptr, local).endpoint;
  observer = std::make_shared<RecordingObserver>();
  made->set_observer(observer);
  poll();
  sender.has_route = false;  // gone while the connect waited
  EXPECT_TRUE(tcp->resume(1));
  advance(180s);
  EXPECT_EQ(observer->failed, 0);
  advance(20s);
  EXPECT_EQ(observer->error, Error::NetworkUnreachable);
  expect_nothing();
}
TEST_F(Open, ParkedOperationsAreBounded) {
  start();
  std::vector<std::shared_ptr<Endpoint>> made;
  std::size_t refused = 0;
  for (int i = 0; i < 1'030; ++i) {
    party.later = {"connect"};
    made.push_back(tcp->connect(remote, nullptr).endpoint);
    poll();
    refused += made.back()->error() == Error::AccessDenied ? 1 : 0;
  }
  EXPECT_EQ(refused, 6u);
  for (const auto& one : made) one->close();
  poll();
  EXPECT_EQ(tcp->connection_count(), 0u);
}

}  // namespace
}  // namespace stack::tcp::test
