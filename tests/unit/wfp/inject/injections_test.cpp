#include "wfp/inject/injections.hpp"

#include <thread>

#include "tests/unit/wfp/inject/fixture.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ndis/offsets.hpp"

namespace wfp::inject {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class InjectionsTest : public InjectTest {};
INSTANTIATE_BOTH(InjectionsTest);

TEST_P(InjectionsTest, EveryPathCompletesOnceWhenTheStackIsDone) {
  for (const auto path : {InjectPath::NetworkReceive, InjectPath::TransportReceive, InjectPath::NetworkSend,
                          InjectPath::TransportSend}) {
    completed.clear();
    NET_BUFFER_LIST* const nbl = make_packet();
    ASSERT_EQ(inject(path, nbl), STATUS_SUCCESS);
    EXPECT_TRUE(injections->has_work());
    EXPECT_TRUE(host.injected.empty());  // never inside the call
    turn();
    ASSERT_EQ(host.injected.size(), 1u);
    EXPECT_EQ(host.injected.front().path, path);
    EXPECT_TRUE(completed.empty());
    host.finish_one();
    EXPECT_TRUE(completed.empty());  // never inside the stack
    turn();
    ASSERT_EQ(completed.size(), 1u);
    EXPECT_EQ(completed[0].nbl, nbl);
    EXPECT_EQ(completed[0].status, STATUS_SUCCESS);
    EXPECT_EQ(completed[0].irql, DISPATCH_LEVEL);
    EXPECT_EQ(completed[0].driver, driver);
    turn();
    EXPECT_EQ(completed.size(), 1u);
    EXPECT_FALSE(injections->has_work());
  }
  const InjectionCounts counts = injections->counts();
  EXPECT_EQ(counts.inbound.accepted, 2u);
  EXPECT_EQ(counts.inbound.completed, 2u);
  EXPECT_EQ(counts.outbound.accepted, 2u);
  EXPECT_EQ(counts.outbound.failed, 0u);
}

TEST_P(InjectionsTest, ADropInsideTheHostCompletesWithItsStatusAndLater) {
  host.keep = false;
  host.drop_status = kEndpointGoneStatus;
  ASSERT_EQ(inject(InjectPath::TransportSend, make_packet()), STATUS_SUCCESS);
  EXPECT_EQ(ledger::alive_count(driver, ledger::Kind::injection), 1u);
  EXPECT_EQ(injections->drain(), 1u);
  EXPECT_TRUE(completed.empty());
  EXPECT_EQ(injections->run_completions(), 1u);
  ASSERT_EQ(completed.size(), 1u);
  EXPECT_EQ(completed[0].status, kEndpointGoneStatus);
  EXPECT_EQ(injections->counts().outbound.failed, 1u);
}

TEST_P(InjectionsTest, MovingTheDataStartAfterTheCallIsNamedAndPutBack) {
  host.keep = false;
  for (const bool back : {true, false}) {
    NET_BUFFER_LIST* const nbl = make_packet();
    ASSERT_EQ(inject(InjectPath::TransportSend, nbl), STATUS_SUCCESS);
    if (back)
      ndis::retreat(*nbl, 20);
    else
      ndis::advance(*nbl, 20);
    std::size_t length = 0;
    host.on_inject = [&](const InjectRequest& request) { length = ndis::data_length(*request.nbl); };
    turn();
    EXPECT_EQ(length, 40u);
    const auto found = ledger::violations();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].driver, driver);
    EXPECT_THAT(ledger::take_messages(), ElementsAre(testing::StartsWith("INJ-CHANGED-IN-FLIGHT: test: the packet")));
  }
  EXPECT_EQ(completed.size(), 2u);
}

TEST_P(InjectionsTest, AZeroEndpointIsAcceptedAndCountedWithoutAccusation) {
  host.keep = false;
  host.drop_status = kEndpointGoneStatus;
  Injection injection = make(InjectPath::TransportSend, make_packet());
  injection.request.endpoint = 0;
  EXPECT_EQ(injections->inject(injection), STATUS_SUCCESS);
  turn();
  ASSERT_EQ(completed.size(), 1u);
  EXPECT_EQ(completed[0].status, kEndpointGoneStatus);
  EXPECT_EQ(injections->counts().zero_endpoint, 1u);
}

TEST_P(InjectionsTest, AFailedCallTakesNothing) {
  NET_BUFFER_LIST* const nbl = make_packet();
  const auto refused = [&](Injection injection) {
    const NTSTATUS status = injections->inject(injection);
    EXPECT_EQ(ndis::reference_count(*nbl), 1u);
    EXPECT_EQ(ndis::exchange_release_handler(*nbl, nullptr), nullptr);
    EXPECT_EQ(ndis::injection_mark(*nbl).handle, 0u);
    EXPECT_FALSE(injections->has_work());
    return status;
  };
  Injection wrong_type = make(InjectPath::NetworkSend, nbl);
  wrong_type.handle = transport;
  EXPECT_EQ(refused(wrong_type), STATUS_FWP_INJECT_HANDLE_STALE);
  Injection no_handle = make(InjectPath::NetworkSend, nbl);
  no_handle.handle = 0;
  EXPECT_EQ(refused(no_handle), STATUS_FWP_INJECT_HANDLE_STALE);
  Injection wrong_family = make(InjectPath::TransportSend, nbl);
  wrong_family.request.address_family = AF_INET6;
  EXPECT_EQ(refused(wrong_family), STATUS_INVALID_PARAMETER);
  Injection no_completion = make(InjectPath::NetworkSend, nbl);
  no_completion.completion = nullptr;
  EXPECT_EQ(refused(no_completion), STATUS_FWP_NULL_POINTER);
  Injection no_packet = make(InjectPath::NetworkSend, nullptr);
  EXPECT_EQ(refused(no_packet), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(injections->counts().outbound.refused, 5u);
  EXPECT_THAT(
      ledger::take_messages(),
      ElementsAre(HasSubstr("(0xc0220102): the handle was not created for FWPS_INJECTION_TYPE_NETWORK but for"),
                  HasSubstr("injectionHandle is NULL; FwpsInjectionHandleCreate0 makes one"),
                  HasSubstr("created for AF_INET, and the packet is AF_INET6"),
                  HasSubstr("STATUS_FWP_NULL_POINTER (0xc022001c): completionFn is NULL"),
                  HasSubstr("netBufferList is NULL. It took nothing: the completion function is not called")));
  turn();
  EXPECT_TRUE(completed.empty());
  ndis::release(*nbl);
}

TEST_P(InjectionsTest, AFullQueueFailsTheCallAndTheCallerKeepsThePacket) {
  host.keep = false;
  for (std::size_t i = 0; i < kMaxRequests; ++i)
    ASSERT_EQ(inject(InjectPath::NetworkSend, make_packet()), STATUS_SUCCESS);
  NET_BUFFER_LIST* const one_too_many = make_packet();
  EXPECT_EQ(inject(InjectPath::NetworkSend, one_too_many), STATUS_INSUFFICIENT_RESOURCES);
  ASSERT_EQ(ledger::notes().size(), 1u) << "no mistake of the driver's";
  EXPECT_EQ(ledger::notes()[0].rule, ledger::rule::kInjectRefused);
  EXPECT_EQ(ledger::notes()[0].packet, "the packet");
  ndis::release(*one_too_many);  // ends at the pool, not in a ticket
  turn();
  EXPECT_EQ(completed.size(), kMaxRequests);
  EXPECT_EQ(injections->destroy(network), STATUS_SUCCESS);  // the refused one does not hold it
}

TEST_P(InjectionsTest, TooManyHopsAreNamedAndCompleteWithoutTheStack) {
  NET_BUFFER_LIST* const nbl = make_packet();
  ndis::injection_mark(*nbl).hops = kMaxHops;
  ASSERT_EQ(inject(InjectPath::NetworkReceive, nbl), STATUS_SUCCESS);
  turn();
  EXPECT_TRUE(host.injected.empty());
  ASSERT_EQ(completed.size(), 1u);
  EXPECT_EQ(completed[0].status, kTooManyHopsStatus);
  EXPECT_EQ(injections->counts().too_many_hops, 1u);
  EXPECT_EQ(host.looping, 1);
  const auto found = ledger::violations();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].rule, ledger::rule::kInjectLoop);
  EXPECT_EQ(found[0].driver, driver);
  EXPECT_EQ(found[0].packet, "the packet");
  EXPECT_THAT(found[0].message, testing::HasSubstr("FwpsQueryPacketInjectionState0"));
  ledger::clear_violations();

  NET_BUFFER_LIST* const last = make_packet();
  ndis::injection_mark(*last).hops = kMaxHops - 1;
  ASSERT_EQ(inject(InjectPath::NetworkReceive, last), STATUS_SUCCESS);
  turn();
  EXPECT_EQ(host.injected.size(), 1u);
  host.finish_all();
  turn();
}

// Also those that the stack has: a host that completes nothing must not make the tickets grow without end.
TEST_P(InjectionsTest, WhatIsUnderWayIsBounded) {
  ndis::NblPool many{kMaxInjections + 2};
  NET_BUFFER_LIST* const original = make_original();
  for (std::size_t i = 0; i < kMaxInjections; ++i) {
    ASSERT_EQ(inject(InjectPath::NetworkSend, ndis::clone(*original, many)), STATUS_SUCCESS);
    if (i % kMaxRequests == kMaxRequests - 1) injections->drain();
  }
  NET_BUFFER_LIST* const one_too_many = ndis::clone(*original, many);
  EXPECT_EQ(inject(InjectPath::NetworkSend, one_too_many), STATUS_INSUFFICIENT_RESOURCES);
  ASSERT_EQ(ledger::notes().size(), 1u) << "no mistake of the driver's";
  EXPECT_EQ(ledger::notes()[0].rule, ledger::rule::kInjectRefused);
  EXPECT_EQ(ledger::notes()[0].packet, "the packet");
  ndis::release(*one_too_many);
  for (const InjectRequest& request : std::exchange(host.injected, {})) ndis::release(*request.nbl);
  turn();
  EXPECT_EQ(completed.size(), kMaxInjections);
  ndis::release(*original);
}

TEST_P(InjectionsTest, LayoutHandlerAndMarkAreAsTheyWere) {
  free_on_completion = false;
  NET_BUFFER_LIST* const nbl = make_packet(0x45, 60);
  const NET_BUFFER before = *nbl->FirstNetBuffer;
  ASSERT_EQ(inject(InjectPath::NetworkSend, nbl), STATUS_SUCCESS);
  EXPECT_EQ(ndis::injection_mark(*nbl).hops, 1u);
  injections->drain();
  ASSERT_NE(ndis::push(*nbl, 200), nullptr);  // more than there is room for: a new piece in front
  host.finish_one();
  injections->run_completions();
  ASSERT_EQ(completed.size(), 1u);
  const NET_BUFFER& after = *nbl->FirstNetBuffer;
  EXPECT_EQ(after.MdlChain, before.MdlChain);
  EXPECT_EQ(after.DataOffset, before.DataOffset);
  EXPECT_EQ(after.DataLength, before.DataLength);
  EXPECT_EQ(ndis::injection_mark(*nbl).handle, 0u);
  // ... so that it can be injected again
  ASSERT_EQ(inject(InjectPath::NetworkSend, nbl), STATUS_SUCCESS);
  free_on_completion = true;
  injections->drain();
  host.finish_one();
  injections->run_completions();
  EXPECT_EQ(completed.size(), 2u);
}

TEST_P(InjectionsTest, InjectingTwiceIsRefusedAndNamed) {
  NET_BUFFER_LIST* const nbl = make_packet();
  ASSERT_EQ(inject(InjectPath::NetworkSend, nbl), STATUS_SUCCESS);
  EXPECT_EQ(inject(InjectPath::NetworkSend, nbl), STATUS_INVALID_PARAMETER);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("INJ-TWICE"));
  injections->drain();
  host.finish_one();
  injections->run_completions();
  EXPECT_EQ(completed.size(), 1u);
}

// The stack lets go of it after the classify: taking it would end in two completions, or in none.
TEST_P(InjectionsTest, TheIndicatedPacketItselfIsRefusedAndNamed) {
  NET_BUFFER_LIST* const original = make_original();
  EXPECT_EQ(inject(InjectPath::NetworkSend, original), STATUS_INVALID_PARAMETER);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("INJ-ORIGINAL"));
  EXPECT_FALSE(injections->has_work());
  ndis::release(*original);
}

TEST_P(InjectionsTest, StateTellsWhoInjectedWhat) {
  const HandleValue other = injections->create(AF_INET, FWPS_INJECTION_TYPE_NETWORK);
  NET_BUFFER_LIST* const nbl = make_packet();
  std::uint64_t context = 1;
  EXPECT_EQ(injections->state(network, *nbl, &context), FWPS_PACKET_NOT_INJECTED);
  EXPECT_EQ(context, 0u);
  Injection injection = make(InjectPath::NetworkSend, nbl);
  injection.context = 4711;
  ASSERT_EQ(injections->inject(injection), STATUS_SUCCESS);
  EXPECT_EQ(injections->state(network, *nbl, &context), FWPS_PACKET_INJECTED_BY_SELF);
  EXPECT_EQ(context, 4711u);
  EXPECT_EQ(injections->state(other, *nbl, nullptr), FWPS_PACKET_INJECTED_BY_OTHER);
  // The other one takes it over: clones and injects the clone.
  NET_BUFFER_LIST* const copy = ndis::clone(*nbl, pool);
  EXPECT_EQ(injections->state(network, *copy, nullptr), FWPS_PACKET_INJECTED_BY_SELF);
  Injection again = make(InjectPath::NetworkSend, copy);
  again.handle = other;
  ASSERT_EQ(injections->inject(again), STATUS_SUCCESS);
  EXPECT_EQ(ndis::injection_mark(*copy).hops, 2u);
  EXPECT_EQ(injections->state(other, *copy, nullptr), FWPS_PACKET_INJECTED_BY_SELF);
  EXPECT_EQ(injections->state(network, *copy, &context), FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF);
  EXPECT_EQ(context, 4711u);
  turn();
  host.finish_all();
  turn();
  EXPECT_EQ(completed.size(), 1u);  // the clone holds the original
  turn();
  EXPECT_EQ(completed.size(), 2u);
}

TEST_P(InjectionsTest, BadPacketsAreRefusedByName) {
  NET_BUFFER_LIST* const nbl = make_packet(0x17);  // no IP version
  EXPECT_EQ(inject(InjectPath::NetworkReceive, nbl), STATUS_INVALID_PARAMETER);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("OFS-NOT-AN-IP-HEADER"));
  Injection no_arguments = make(InjectPath::TransportSend, nbl);
  no_arguments.has_send_args = false;
  EXPECT_EQ(injections->inject(no_arguments), STATUS_INVALID_PARAMETER);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("INJ-SENDARGS-NULL"));
  ndis::release(*nbl);
}

TEST_P(InjectionsTest, ARawTransportSendIsANetworkSend) {
  Injection raw = make(InjectPath::TransportSend, make_packet());
  raw.has_send_args = false;
  EXPECT_EQ(injections->inject(raw), STATUS_SUCCESS);
  turn();
  ASSERT_EQ(host.injected.size(), 1u);
  EXPECT_EQ(host.injected[0].path, InjectPath::NetworkSend);
  host.finish_all();
  turn();
  EXPECT_EQ(completed.size(), 1u);
}

TEST_P(InjectionsTest, AReceiveWithTwoBuffersIsRefusedAndASendIsSplit) {
  NET_BUFFER_LIST* const second = make_packet(0x45, 77);
  NET_BUFFER_LIST* const nbl = make_packet();
  nbl->FirstNetBuffer->Next = second->FirstNetBuffer;
  EXPECT_EQ(inject(InjectPath::TransportReceive, nbl), STATUS_INVALID_PARAMETER);
  EXPECT_THAT(ledger::take_rules(), ElementsAre("NBL-MULTI-NB-RECV"));

  free_on_completion = false;
  ASSERT_EQ(inject(InjectPath::TransportSend, nbl), STATUS_SUCCESS);
  injections->drain();
  ASSERT_EQ(host.injected.size(), 2u);
  EXPECT_EQ(ndis::data_length(*host.injected[1].nbl), 77u);
  host.finish_one();
  injections->run_completions();
  EXPECT_TRUE(completed.empty());  // the second part is still out
  host.finish_one(STATUS_INSUFFICIENT_RESOURCES);
  injections->run_completions();
  ASSERT_EQ(completed.size(), 1u);
  EXPECT_EQ(completed[0].status, STATUS_INSUFFICIENT_RESOURCES);
  nbl->FirstNetBuffer->Next = nullptr;
  ndis::release(*nbl);
  ndis::release(*second);
}

}  // namespace
}  // namespace wfp::inject
