#include "stack/udp/udp.hpp"

#include "tests/unit/stack/ip/fixture.hpp"

namespace stack::test {
namespace {

class UdpTest : public IpFixture {
 protected:
  UdpTest() : owner(std::make_shared<const Owner>()) {
    udp = std::make_unique<udp::Udp>(parts, output, icmp_reply, endpoints, SipKey{8, 9}, udp::UdpConfig{}, now);
    transports.set(wire::kProtocolUdp, udp.get());
  }
  void TearDown() override {
    for (auto& endpoint : held) endpoint->close();
    held.clear();
    udp.reset();
    hooks.set_authorizer(nullptr);
    IpFixture::TearDown();
  }
  std::shared_ptr<udp::Endpoint> open(const char* local, std::uint16_t port) {
    auto opened = udp->open({address(local), port}, owner);
    EXPECT_EQ(opened.error, Error::None);
    if (opened.endpoint) held.push_back(opened.endpoint);
    return opened.endpoint;
  }
  ByteVector datagram(std::uint16_t from, std::uint16_t to, std::size_t size = 3, const char* source = "10.77.0.1",
                      const char* destination = "10.77.0.2") {
    return make_ip(address(source), address(destination), 17, make_udp(from, to, size));
  }
  void inject(const ByteVector& bytes) {
    Packet packet = packet_of(pool, bytes);
    packet.meta().interface_index = 2;
    packet.meta().origin = Origin::Injected;
    input.receive(std::move(packet), now);
  }

  Instant now = at(1s);
  std::shared_ptr<const Owner> owner;
  std::unique_ptr<udp::Udp> udp;
  std::vector<std::shared_ptr<udp::Endpoint>> held;
};

// checklist: TCP-096, TCP-108
TEST_F(UdpTest, DeliversToTheMostExactEndpoint) {
  auto any = open("0.0.0.0", 53);
  receive(datagram(1000, 53));
  auto got = any->receive();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->payload.size(), 3u);
  EXPECT_EQ(got->remote.to_string(), "10.77.0.1:1000");
  EXPECT_EQ(got->local.to_string(), "10.77.0.2:53");
  auto bound = open("10.77.0.2", 54), connected = open("10.77.0.2", 55);
  EXPECT_EQ(connected->connect({address("10.77.0.1"), 7}), Error::None);
  receive(datagram(1000, 54));
  receive(datagram(7, 55));
  receive(datagram(8, 55));
  EXPECT_TRUE(bound->receive());
  EXPECT_TRUE(connected->receive());
  EXPECT_FALSE(connected->receive()) << "others are not for a connected endpoint";
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2 > 10.77.0.1 ICMP port unreachable"}));
}

TEST_F(UdpTest, BothFamiliesAndNotificationFromTheRunQueue) {
  auto six = open("::", 53);
  int called = 0;
  six->set_readable_handler([&] { ++called; });
  receive(datagram(1, 53, 3, "fd77::1", "fd77::2"));
  receive(datagram(1, 53, 3, "fd77::1", "fd77::2"));
  EXPECT_EQ(called, 0);
  executor.run();
  EXPECT_EQ(called, 1);
  EXPECT_TRUE(six->receive() && six->receive());
}

// checklist: TCP-239
TEST_F(UdpTest, ChecksumRules) {
  auto endpoint = open("0.0.0.0", 53), six = open("::", 53);
  auto bytes = datagram(1, 53);
  store_be16(bytes, 26, 0);
  receive(bytes);
  EXPECT_TRUE(endpoint->receive()) << "no checksum over IPv4";
  bytes = datagram(1, 53);
  store_u8(bytes, 29, 0);
  receive(bytes);
  EXPECT_FALSE(endpoint->receive());
  bytes = datagram(1, 53, 3, "fd77::1", "fd77::2");
  store_be16(bytes, 46, 0);
  receive(bytes);
  EXPECT_FALSE(six->receive()) << "RFC 8200 8.1";
  EXPECT_EQ(stats.dropped(Drop::BadChecksum), 2u);
}

TEST_F(UdpTest, BadLengthsAreCountedAndPaddingIsCut) {
  auto endpoint = open("0.0.0.0", 53);
  ByteVector bytes = make_udp(1, 53, 4);
  store_be16(bytes, 4, 7);
  receive(make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, bytes));
  EXPECT_EQ(stats.dropped(Drop::BadHeaderLength), 1u);
  store_be16(bytes, 4, 13);
  receive(make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, bytes));
  EXPECT_EQ(stats.dropped(Drop::BadLength), 1u);
  bytes = make_udp(1, 53, 4);
  store_be16(bytes, 4, 10);
  auto padded = make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, bytes);
  store_be16(padded, 26, 0);
  receive(padded);
  EXPECT_EQ(endpoint->receive()->payload.size(), 2u);
}

TEST_F(UdpTest, NoSocketIsDiscardedAtIpAndAnsweredUnlessVetoed) {
  arm_all();
  receive(datagram(1, 99));
  ASSERT_EQ(recorder.discards.size(), 1u);
  EXPECT_EQ(recorder.discards[0].context.hook, Hook::IpIn);
  EXPECT_EQ(recorder.discards[0].reason, Drop::NoEndpoint);
  EXPECT_EQ(hooks_seen(), (std::vector{Hook::IpIn, Hook::IcmpErrorOut, Hook::TransportOut, Hook::IpOut}));
  EXPECT_EQ(take_sent().size(), 1u);
  recorder.silence = true;
  receive(datagram(1, 99));
  EXPECT_TRUE(card.sent.empty());
}

TEST_F(UdpTest, SaysWhatWasSentToAll) {
  const auto endpoint = open("0.0.0.0", 7);
  addresses.join(2, address("224.0.0.77"));
  for (const char* to : {"255.255.255.255", "10.77.0.255", "224.0.0.1", "224.0.0.77"}) {
    receive(datagram(9, 7, 3, "10.77.0.1", to));
    const auto got = endpoint->receive();
    ASSERT_TRUE(got) << to;
    EXPECT_TRUE(got->to_group) << to;
  }
  receive(datagram(9, 7));
  EXPECT_FALSE(endpoint->receive()->to_group);
}
// RFC 1122 3.2.2, RFC 4443 2.4 (e): no port unreachable, nor any other error.
TEST_F(UdpTest, WhatWasSentToAllIsNoErrorForUs) {
  for (const char* to : {"255.255.255.255", "10.77.0.255", "224.0.0.1"})
    receive(datagram(9, 4'000, 3, "10.77.0.1", to));
  receive(datagram(9, 4'000, 3, "fd77::1", "ff02::1"));
  EXPECT_TRUE(take_sent().empty());
}
TEST_F(UdpTest, TheQueueIsBounded) {
  auto endpoint = open("0.0.0.0", 53);
  for (std::size_t i = 0; i < udp::UdpConfig{}.receive_queue_limit + 7; ++i) receive(datagram(1, 53));
  EXPECT_EQ(stats.dropped(Drop::ReceiveQueueFull), 7u);
}

// The account leaves every endpoint something; what is received gives back.
TEST_F(UdpTest, WaitingDatagramsCountInTheAccount) {
  auto hog = open("0.0.0.0", 53), other = open("0.0.0.0", 54);
  std::size_t taken = 0;
  ASSERT_TRUE(account->take(Use::Datagrams, taken = account->most(Use::Datagrams) - 20'000));
  for (int i = 0; i < 100; ++i) receive(datagram(1, 53));
  EXPECT_GT(stats.dropped(Drop::ReceiveMemory), 0u);
  EXPECT_LE(hog->queued_memory(), 12'000u);
  receive(datagram(1, 54));
  EXPECT_GT(other->queued_memory(), 0u);
  EXPECT_EQ(account->held(Use::Datagrams), taken + hog->queued_memory() + other->queued_memory());
  EXPECT_TRUE(hog->receive());
  while (hog->receive()) {
  }
  EXPECT_EQ(hog->queued_memory(), 0u);
  other->close();
  EXPECT_EQ(account->held(Use::Datagrams), taken);
  account->give(Use::Datagrams, taken);
}

TEST_F(UdpTest, SendsFromTheBoundOrChosenAddress) {
  auto endpoint = open("0.0.0.0", 53);
  const ByteVector payload(5, std::byte{'q'});
  EXPECT_EQ(endpoint->send_to(payload, {address("10.77.0.1"), 9}), Error::None);
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2:53 > 10.77.0.1:9 UDP len 5"}));
  EXPECT_EQ(endpoint->send_to(payload, {address("10.77.0.1"), 9}, address("10.77.0.99")), Error::AddressNotAvailable);
  EXPECT_EQ(endpoint->send_to(payload, {address("fd77::1"), 9}), Error::Invalid);
  EXPECT_EQ(endpoint->send_to(payload, {address("10.77.0.1"), 0}), Error::Invalid);
  EXPECT_EQ(endpoint->send_to(ByteVector(65'508), {address("10.77.0.1"), 9}), Error::MessageTooLarge);
  EXPECT_EQ(endpoint->send_to(ByteVector(60'000), {address("10.77.0.1"), 9}), Error::None);
  EXPECT_EQ(take_sent().size(), 41u) << "in fragments";
  routes.remove({*IpPrefix::parse("0.0.0.0/0"), address("10.77.0.254"), 2});
  EXPECT_EQ(endpoint->send_to(payload, {address("192.0.2.1"), 9}), Error::NetworkUnreachable);
}

TEST_F(UdpTest, PortsAreChosenAtRandomAndNotSharedByAccident) {
  auto first = open("0.0.0.0", 0), second = open("0.0.0.0", 0);
  EXPECT_GE(first->local().port, 49'152);
  EXPECT_NE(first->local().port, second->local().port);
  EXPECT_EQ(udp->open(first->local(), owner).error, Error::AddressInUse);
  EXPECT_EQ(udp->open({address("10.77.0.2"), first->local().port}, owner).error, Error::AddressInUse);
  auto bound = open("10.77.0.2", 54);
  EXPECT_EQ(udp->open({address("0.0.0.0"), 54}, owner).error, Error::AddressInUse);
  bound->close();
  EXPECT_EQ(udp->open({address("192.0.2.1"), 5}, owner).error, Error::AddressNotAvailable);
  first->close();
  EXPECT_EQ(udp->size(), 1u);
  EXPECT_EQ(first->send_to(ByteVector(1), {address("10.77.0.1"), 9}), Error::Closed);
}

TEST_F(UdpTest, FirstDatagramsAreAuthorizedInboundInTheDocumentedOrder) {
  hooks.set_authorizer(&authorizer);
  arm_all();
  auto endpoint = open("0.0.0.0", 53);
  receive(datagram(1000, 53));
  EXPECT_EQ(hooks_seen(), (std::vector{Hook::IpIn, Hook::TransportIn, Hook::DatagramIn}));
  EXPECT_EQ(authorizer.names(), (std::vector<std::string>{"bind", "accept", "established"}));
  EXPECT_TRUE(recorder.seen[1].context.needs_authorization);
  EXPECT_EQ(recorder.seen[1].bytes.size(), 3u) << "data at the payload";
  EXPECT_EQ(authorizer.asked[1].operation.remote.to_string(), "10.77.0.1:1000");
  EXPECT_EQ(authorizer.asked[1].operation.direction, Direction::Inbound);
  EXPECT_TRUE(endpoint->receive());
  recorder.seen.clear();
  receive(datagram(1000, 53));
  EXPECT_FALSE(recorder.seen[1].context.needs_authorization);
  EXPECT_NE(recorder.seen[1].context.endpoint.flow, 0u);
  endpoint->send_to(ByteVector(1), {address("10.77.0.1"), 1000});
  EXPECT_EQ(authorizer.asked.size(), 3u) << "the answer belongs to the same conversation";
  const EndpointId id = endpoint->id();
  endpoint->close();
  EXPECT_EQ(authorizer.ended.size(), 1u);
  EXPECT_EQ(authorizer.closed, (std::vector{id}));
}

TEST_F(UdpTest, FirstDatagramsAreAuthorizedOutbound) {
  hooks.set_authorizer(&authorizer);
  arm_all();
  auto endpoint = open("0.0.0.0", 0);
  EXPECT_EQ(endpoint->send_to(ByteVector(4), {address("10.77.0.1"), 9}), Error::None);
  EXPECT_EQ(authorizer.names(), (std::vector<std::string>{"bind", "connect", "established"}));
  EXPECT_EQ(hooks_seen(), (std::vector{Hook::DatagramOut, Hook::TransportOut, Hook::IpOut}));
  EXPECT_EQ(recorder.seen[0].bytes.size(), 12u) << "data at the transport header";
  authorizer.connect_answer = Decision::Deny;
  EXPECT_EQ(endpoint->send_to(ByteVector(4), {address("10.77.0.1"), 10}), Error::AccessDenied);
  EXPECT_EQ(card.sent.size(), 1u);
}

// A burst that opens a conversation: none of it is lost while the first waits for its answer.
TEST_F(UdpTest, PendedDatagramsComeBackThroughTheInjector) {
  hooks.set_authorizer(&authorizer);
  auto endpoint = open("0.0.0.0", 53);
  authorizer.accept_answer = Decision::Later;
  receive(datagram(1000, 53));
  receive(datagram(1000, 53));
  EXPECT_EQ(authorizer.names(), (std::vector<std::string>{"bind", "accept", "accept"}));
  EXPECT_EQ(stats.dropped(), 0u);
  EXPECT_FALSE(endpoint->receive());
  authorizer.accept_answer = Decision::Allow;
  inject(datagram(1000, 53));
  inject(datagram(1000, 53));
  EXPECT_EQ(authorizer.names(), (std::vector<std::string>{"bind", "accept", "accept", "accept", "established"}));
  EXPECT_FALSE(authorizer.asked[2].operation.injected);
  EXPECT_TRUE(authorizer.asked[3].operation.injected);
  EXPECT_TRUE(endpoint->receive());
  EXPECT_TRUE(endpoint->receive());
}

// The same for a burst that we begin: each datagram is taken, asked about and comes back.
TEST_F(UdpTest, PendedSendsAreTakenAndComeBack) {
  hooks.set_authorizer(&authorizer);
  auto endpoint = open("0.0.0.0", 0);
  authorizer.connect_answer = Decision::Later;
  std::vector<Packet> pended;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(endpoint->send_to(ByteVector(4), {address("10.77.0.1"), 9}), Error::None);
    pended.push_back(std::move(authorizer.kept));
  }
  EXPECT_TRUE(card.sent.empty());
  EXPECT_EQ(stats.dropped(), 0u);
  authorizer.connect_answer = Decision::Allow;
  ip::SendFacts facts;
  facts.source = address("10.77.0.2");
  facts.destination = address("10.77.0.1");
  facts.protocol = 17;
  facts.origin = Origin::Injected;
  facts.local_port = endpoint->local().port;
  facts.remote_port = 9;
  facts.transport_header_size = 8;
  for (Packet& back : pended)
    udp->send_injected(std::move(back), endpoint->id(), facts, *output.route(facts.destination, facts.source), now);
  EXPECT_EQ(take_sent().size(), 2u);
  EXPECT_EQ(authorizer.names(), (std::vector<std::string>{"bind", "connect", "connect", "connect", "established"}));
  EXPECT_FALSE(authorizer.asked[2].operation.injected);
  EXPECT_TRUE(authorizer.asked[3].operation.injected);
}

TEST_F(UdpTest, HandlersMayCloseAndReplaceThemselves) {
  auto endpoint = open("0.0.0.0", 53);
  const auto token = std::make_shared<int>(7);
  int seen = 0;
  endpoint->set_readable_handler([&seen, &endpoint, token] {
    endpoint->close();
    seen = *token;  // what the handler holds is still there
  });
  receive(datagram(1, 53));
  executor.run();
  EXPECT_EQ(seen, 7);
  EXPECT_EQ(token.use_count(), 1);
}

TEST_F(UdpTest, EndpointsAreBounded) {
  udp.reset();
  udp = std::make_unique<udp::Udp>(parts, output, icmp_reply, endpoints, SipKey{8, 9},
                                   udp::UdpConfig{.endpoint_limit = 2}, now);
  auto one = open("0.0.0.0", 53), two = open("0.0.0.0", 54);
  EXPECT_EQ(udp->open({address("0.0.0.0"), 55}, owner).error, Error::NoBuffers);
}

TEST_F(UdpTest, BindsMayBeDeniedOrPutOff) {
  hooks.set_authorizer(&authorizer);
  authorizer.bind_answer = Decision::Deny;
  EXPECT_EQ(udp->open({address("0.0.0.0"), 53}, owner).error, Error::AccessDenied);
  EXPECT_EQ(endpoints.size(), 2u) << "the two of ICMP";
  authorizer.bind_answer = Decision::Later;
  auto opened = udp->open({address("0.0.0.0"), 53}, owner);
  held.push_back(opened.endpoint);
  EXPECT_EQ(opened.error, Error::InProgress);
  EXPECT_FALSE(opened.endpoint->is_open());
  receive(datagram(1, 53));
  EXPECT_EQ(stats.dropped(Drop::NoEndpoint), 1u);
  authorizer.bind_answer = Decision::Allow;
  EXPECT_TRUE(udp->resume(77));
  EXPECT_EQ(authorizer.asked.back().operation.resumed, 77u);
  EXPECT_TRUE(opened.endpoint->is_open());

  authorizer.bind_answer = Decision::Later;
  auto twice = udp->open({address("0.0.0.0"), 54}, owner).endpoint;
  EXPECT_TRUE(udp->resume(77));  // put off again: that is a no
  EXPECT_EQ(twice->take_error(), Error::AccessDenied);
  EXPECT_FALSE(twice->id());
  auto closed = udp->open({address("0.0.0.0"), 55}, owner).endpoint;
  closed->close();
  EXPECT_FALSE(udp->resume(77));
}

TEST_F(UdpTest, IcmpErrorsReachConnectedEndpoints) {
  auto endpoint = open("10.77.0.2", 53);
  endpoint->connect({address("10.77.0.1"), 9});
  endpoint->send_to(ByteVector(4), {address("10.77.0.1"), 9});
  ByteVector quoted = bytes_of(card.sent.at(0));
  receive(make_ip(address("10.77.0.1"), address("10.77.0.2"), 1, make_icmp(3, 3, 0, quoted)));
  EXPECT_EQ(endpoint->take_error(), Error::ConnectionRefused);
  EXPECT_EQ(endpoint->take_error(), Error::None);

  auto open_to_all = open("10.77.0.2", 54);
  open_to_all->send_to(ByteVector(4), {address("10.77.0.1"), 9});
  quoted = bytes_of(card.sent.back());
  receive(make_ip(address("10.77.0.1"), address("10.77.0.2"), 1, make_icmp(3, 3, 0, quoted)));
  EXPECT_EQ(open_to_all->take_error(), Error::None) << "of one of its many remotes";
}

TEST_F(UdpTest, AnotherRemoteTakesThePlaceOfTheFirst) {
  auto endpoint = open("10.77.0.2", 53);
  EXPECT_EQ(endpoint->connect({address("10.77.0.1"), 7}), Error::None);
  EXPECT_EQ(endpoint->connect({address("10.77.0.1"), 8}), Error::None);
  receive(datagram(7, 53));
  EXPECT_FALSE(endpoint->receive());
  receive(datagram(8, 53));
  EXPECT_TRUE(endpoint->receive());
}

TEST_F(UdpTest, ConversationsThatAreNotWantedEndAtOnce) {
  hooks.set_authorizer(&authorizer);
  authorizer.establish = false;
  auto endpoint = open("0.0.0.0", 53);
  receive(datagram(1000, 53));
  EXPECT_FALSE(endpoint->receive());
  EXPECT_EQ(authorizer.ended.size(), 1u);
  EXPECT_EQ(endpoint->send_to(ByteVector(4), {address("10.77.0.1"), 9}), Error::AccessDenied);
  EXPECT_EQ(authorizer.ended.size(), 2u);
  EXPECT_TRUE(card.sent.empty());
  EXPECT_EQ(stats.dropped(Drop::AuthorizationDenied), 2u);
}

TEST_F(UdpTest, ClosingGivesUpWhatWaits) {
  auto endpoint = open("0.0.0.0", 53);
  receive(datagram(1, 53));
  receive(datagram(2, 53));
  endpoint->close();
  EXPECT_FALSE(endpoint->receive());
  EXPECT_EQ(stats.dropped(Drop::EndpointGone), 2u);
}

TEST_F(UdpTest, OnlyErrorsAboutAnOpenPortAreBelieved) {
  auto endpoint = open("fd77::2", 53);
  const auto too_big = [this](std::uint16_t from) {
    ByteVector quoted = make_ip(address("fd77::2"), address("fd77::1"), 17, make_udp(from, 9, 1400));
    quoted.resize(48);
    receive(make_ip(address("fd77::fe"), address("fd77::2"), 58, make_icmp(2, 0, 1300, quoted)));
    return path_mtus.size();
  };
  EXPECT_EQ(too_big(54), 0u);
  EXPECT_EQ(stats.dropped(Drop::IcmpInvalid), 1u);
  EXPECT_EQ(too_big(53), 1u);
}

TEST_F(UdpTest, IdleConversationsEnd) {
  hooks.set_authorizer(&authorizer);
  auto endpoint = open("0.0.0.0", 53);
  receive(datagram(1000, 53));
  EXPECT_EQ(udp->next_deadline(), at(61s));
  udp->expire(at(61s));
  EXPECT_EQ(authorizer.ended.size(), 1u);
  receive(datagram(1000, 53));
  EXPECT_EQ(authorizer.names().back(), "established");
  EXPECT_TRUE(udp->abort_flow(authorizer.ended[0] + 1));
  EXPECT_EQ(authorizer.ended.size(), 2u);
}

// A callout at ALE_AUTH_CONNECT sees one datagram of a conversation; the datagram hook sees all of them.
TEST_F(UdpTest, WhoIsAskedSeesAFinishedSumAndTheHooksWhatTheyAgreedTo) {
  card.offload = {.checksum = true};
  hooks.set_authorizer(&authorizer);
  arm_all();
  auto endpoint = open("10.77.0.2", 5000);
  const SocketAddress peer{address("10.77.0.1"), 7};
  EXPECT_EQ(endpoint->send_to(ByteVector(5), peer), Error::None);
  EXPECT_FALSE(authorizer.asked.at(1).partial);
  recorder.seen.clear();
  EXPECT_EQ(endpoint->send_to(ByteVector(5), peer), Error::None);
  ASSERT_FALSE(recorder.seen.empty());
  for (const auto& seen : recorder.seen) EXPECT_TRUE(seen.partial);
  hooks.refuse_offload(Direction::Outbound, Family::V4, true);
  recorder.seen.clear();
  EXPECT_EQ(endpoint->send_to(ByteVector(5), peer), Error::None);
  for (const auto& seen : recorder.seen) EXPECT_FALSE(seen.partial) << static_cast<int>(seen.context.hook);
}

}  // namespace
}  // namespace stack::test
