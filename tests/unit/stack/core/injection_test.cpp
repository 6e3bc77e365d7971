// What comes back through the Injector: where it re-enters, on whose behalf, how often.
#include "tests/unit/stack/core/stack_fixture.hpp"
namespace stack::test {
namespace {

using Injection = StackTest;

TEST_F(Injection, InjectedReceivesReenterAtTheBottom) {
  open("0.0.0.0", 53);
  const auto bytes = make_ip(address("10.77.0.1"), address("10.77.0.2"), 17, make_udp(1000, 53, 3));
  stack->injector().receive(packet_of(stack->pool(), bytes), card);
  EXPECT_FALSE(socket.receive()) << "queued, never inline";
  settle();
  EXPECT_TRUE(socket.receive());
  EXPECT_EQ(stack->stats().injected_in, 1u);
  stack->injector().receive(packet_of(stack->pool(), bytes), 9);
  settle();
  EXPECT_EQ(stack->stats().dropped(Drop::InjectionInvalid), 1u);
}

TEST_F(Injection, InjectedSendsNeedALiveEndpointOrTheControlEndpoint) {
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  open("0.0.0.0", 53);
  take_sent();
  const EndpointId id = socket.endpoint();
  const auto inject = [&](EndpointId endpoint) {
    stack->injector().send_transport(packet_of(stack->pool(), make_udp(53, 9, 3)), endpoint, address("10.77.0.1"),
                                     17);
    settle();
  };
  inject(id);
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2:53 > 10.77.0.1:9 UDP len 3"}));
  inject(stack->control_endpoint());
  EXPECT_EQ(take_sent().size(), 1u);
  socket.close();
  inject(id);
  inject(EndpointId{});
  EXPECT_EQ(stack->stats().dropped(Drop::EndpointGone), 2u);
  EXPECT_TRUE(take_sent().empty());
}

TEST_F(Injection, InjectedNetworkSendsAndTheHopLimit) {
  arp(wire::ArpOperation::Request, "10.77.0.1", "10.77.0.2");
  take_sent();
  const auto bytes = make_ip(address("10.77.0.2"), address("10.77.0.1"), 17, make_udp(1, 9, 3));
  stack->injector().send_network(packet_of(stack->pool(), bytes));
  settle();
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.2:1 > 10.77.0.1:9 UDP len 3"}));
  Packet tired = packet_of(stack->pool(), bytes);
  tired.meta().injection_hops = core::Config{}.injection_hop_limit;
  stack->injector().send_network(std::move(tired));
  settle();
  EXPECT_EQ(stack->stats().dropped(Drop::InjectionHopLimit), 1u);
}

TEST_F(Injection, QueuedPacketsAreWorkThatIsDue) {
  EXPECT_TRUE(stack->is_idle());
  stack->injector().send_network(packet_of(stack->pool(), ping()));
  EXPECT_FALSE(stack->is_idle());
  EXPECT_LE(stack->next_deadline(), now);
}

TEST_F(Injection, TheQueueIsBounded) {
  make(Medium::RawIp, {.injection_queue_limit = 2});
  for (int i = 0; i < 5; ++i) stack->injector().receive(packet_of(stack->pool(), ping()), card);
  EXPECT_EQ(stack->stats().dropped(Drop::SendQueueFull), 3u);
  settle();
  EXPECT_EQ(take_sent().size(), 2u);
}

TEST_F(Injection, WhatWaitsAtTheEndIsGivenUp) {
  RecordingHooks recorder;
  stack->hooks().set_discard_observer(&recorder);
  stack->injector().receive(packet_of(stack->pool(), ping()), card);
  stack.reset();
  EXPECT_NE(std::ranges::find(recorder.early, Drop::Shutdown), recorder.early.end());
}

TEST_F(Injection, TheControlEndpointSendsFromTheAddressOfThePacket) {
  make(Medium::RawIp, {});
  EXPECT_TRUE(stack->add_address(card, *IpPrefix::parse("10.77.0.3/24")));
  Packet packet = packet_of(stack->pool(), make_udp(53, 9, 3));
  packet.meta().source = address("10.77.0.3");
  stack->injector().send_transport(std::move(packet), stack->control_endpoint(), address("10.77.0.1"), 17);
  settle();
  EXPECT_EQ(take_sent(), (std::vector<std::string>{"IP 10.77.0.3:53 > 10.77.0.1:9 UDP len 3"}));
}

}  // namespace
}  // namespace stack::test
