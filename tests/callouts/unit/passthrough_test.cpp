// The paths of src/drivers/passthrough, with the engine's answers given by hand: what happens when a clone cannot be
// made, an injection fails or completes with an error, the queue is full, the driver is unloaded in the middle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "fake_platform.hpp"
#include "ntddk.h"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/sim_scheduler.hpp"
#include "wfp/ledger/violation.hpp"

extern "C" DRIVER_INITIALIZE DriverEntry;

namespace {

using fake::platform;
using testing::ElementsAre;
using wfp::kernel::Kernel;

constexpr std::uint32_t kHeaders = 40;  // IP and TCP

class Passthrough : public testing::Test {
 protected:
  void SetUp() override {
    wfp::ledger::reset();
    wfp::ledger::set_level(wfp::ledger::Level::standard);
    fake::reset();
    auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, 1, 1);
    sim_ = scheduler.get();
    kernel_ = std::make_unique<Kernel>(std::move(scheduler));
    sim_->bind_processor(0);
    kernel_->set_debug_sink([this](auto, unsigned, const std::string& line) { printed_ += line; });
  }
  void set(const char* name, const char* value) { kernel_->registry().set("passthrough", name, value); }
  NTSTATUS load() {
    driver_ = std::make_unique<wfp::kernel::Driver>("passthrough");
    return driver_->load(DriverEntry);
  }
  void unload() {
    const auto result = driver_->unload();
    EXPECT_TRUE(result.unloaded);
    EXPECT_THAT(result.left, testing::IsEmpty());
  }
  void TearDown() override {
    if (driver_ && driver_->is_loaded()) unload();
    driver_.reset();
    EXPECT_EQ(platform().references, 0u);
    EXPECT_EQ(platform().clones, 0u);
    EXPECT_EQ(platform().handles, 0u);
    EXPECT_EQ(platform().filters, 0u);
    EXPECT_TRUE(platform().callouts.empty());
    EXPECT_EQ(pool_.in_use(), 0u);
    for (const auto& violation : wfp::ledger::violations())
      ADD_FAILURE() << violation.rule << ": " << violation.message;
    wfp::ledger::clear_violations();
    kernel_.reset();
  }

  // A classify with the values that the driver reads; the caller's packet is given up when it is not permitted.
  fake::Answer classify(UINT16 layer, std::uint64_t endpoint, std::uint32_t more_metadata = 0, UINT32 flags = 0,
                        UINT32 rights = FWPS_RIGHT_ACTION_WRITE) {
    std::array<FWPS_INCOMING_VALUE0, 48> values{};
    const auto set32 = [&](int field, UINT32 value) {
      values[static_cast<std::size_t>(field)].value.type = FWP_UINT32;
      values[static_cast<std::size_t>(field)].value.uint32 = value;
    };
    const bool outbound = layer == FWPS_LAYER_OUTBOUND_TRANSPORT_V4;
    if (layer == FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4) {
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_LOCAL_ADDRESS, 0x0a4d0002);
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_REMOTE_ADDRESS, 0x0a4d0001);
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_FLAGS, flags);
      set32(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_INTERFACE_INDEX, 2);
    } else if (outbound) {
      set32(FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS, 0x0a4d0002);
      set32(FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_REMOTE_ADDRESS, 0x0a4d0001);
    } else if (layer == FWPS_LAYER_INBOUND_TRANSPORT_V4) {
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS, 0x0a4d0002);
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_REMOTE_ADDRESS, 0x0a4d0001);
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_FLAGS, flags);
      set32(FWPS_FIELD_INBOUND_TRANSPORT_V4_INTERFACE_INDEX, 2);
    }
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    metadata.currentMetadataValues = (outbound ? 0x8cc0u : 0xc84u) | more_metadata;
    metadata.ipHeaderSize = outbound ? 0 : 20;
    metadata.transportHeaderSize = 20;
    metadata.compartmentId = 1;
    metadata.transportEndpointHandle = endpoint;
    if ((more_metadata & FWPS_METADATA_FIELD_COMPLETION_HANDLE) != 0)
      metadata.completionHandle = reinterpret_cast<HANDLE>(std::uintptr_t{0x100} * ++operations_);
    NET_BUFFER_LIST* packet = make_packet(outbound ? 0 : kHeaders);
    const auto answer =
        fake::classify(layer, values.data(), static_cast<UINT32>(values.size()), metadata, packet, rights);
    wfp::ndis::release(*packet);  // the stack's own reference
    return answer;
  }
  fake::Answer send(std::uint64_t endpoint) { return classify(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, endpoint); }
  fake::Answer receive(std::uint32_t more_metadata = 0, UINT32 flags = 0) {
    return classify(FWPS_LAYER_INBOUND_TRANSPORT_V4, 0, more_metadata, flags);
  }

  // `pulled` bytes of headers in front of ten bytes of payload. The IP header is right for its length.
  NET_BUFFER_LIST* make_packet(std::uint32_t pulled) {
    NET_BUFFER_LIST* nbl = pool_.allocate(64, pulled + 10);
    NET_BUFFER* nb = NET_BUFFER_LIST_FIRST_NB(nbl);
    auto* bytes = static_cast<UCHAR*>(NdisGetDataBuffer(nb, pulled + 10, nullptr, 1, 0));
    std::fill_n(bytes, pulled + 10, UCHAR{0});
    bytes[0] = 0x45;
    bytes[3] = static_cast<UCHAR>(fragmented_ ? 99 : pulled + 10);
    if (pulled != 0) NdisAdvanceNetBufferDataStart(nb, pulled, FALSE, nullptr);
    return nbl;
  }
  std::vector<std::uint64_t> endpoints() const {
    std::vector<std::uint64_t> out;
    for (const auto& injection : platform().injections) out.push_back(injection.endpoint);
    return out;
  }
  void settle() { sim_->settle(); }
  void run_for(std::chrono::milliseconds time) { sim_->run_until(sim_->now() + time); }

  wfp::kernel::VirtualClock clock_;
  wfp::kernel::SimScheduler* sim_ = nullptr;
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<wfp::kernel::Driver> driver_;
  wfp::ndis::NblPool pool_{512};
  std::string printed_;
  std::uintptr_t operations_ = 0;
  bool fragmented_ = false;
};

// --- the ordinary way ---

TEST_F(Passthrough, OutboundGoesBackByItsEndpoint) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_EQ(platform().filters, 12u);
  EXPECT_TRUE(send(7).absorbed());
  EXPECT_TRUE(platform().injections.empty()) << "never within the classify";
  settle();
  ASSERT_EQ(platform().injections.size(), 1u);
  EXPECT_EQ(platform().injections[0].how, "transport");
  EXPECT_EQ(platform().injections[0].endpoint, 7u);
  EXPECT_EQ(platform().injections[0].remote, "0a4d0001");
  EXPECT_EQ(platform().references, 1u);
  fake::complete();
  EXPECT_EQ(platform().references, 0u);
  EXPECT_EQ(platform().clones, 0u);
}

TEST_F(Passthrough, InboundGoesBackFromItsIpHeaderOn) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(receive().absorbed());
  settle();
  ASSERT_EQ(platform().injections.size(), 1u);
  EXPECT_EQ(platform().injections[0].how, "receive");
  EXPECT_EQ(platform().injections[0].interface_index, 2u);
  EXPECT_EQ(NET_BUFFER_DATA_LENGTH(NET_BUFFER_LIST_FIRST_NB(platform().injections[0].clone)), kHeaders + 10);
  EXPECT_EQ(platform().constructed, 0u);
  fake::complete();
}

TEST_F(Passthrough, OrderIsThatOfArrival) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  for (std::uint64_t endpoint = 1; endpoint <= 200; ++endpoint) EXPECT_TRUE(send(endpoint).absorbed());
  settle();
  const auto shown = endpoints();
  ASSERT_EQ(shown.size(), 200u);
  EXPECT_TRUE(std::is_sorted(shown.begin(), shown.end()));
  while (!platform().injections.empty()) fake::complete();
}

TEST_F(Passthrough, WhatIsOursOrDecidedIsLeftAlone) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  for (const auto state : {FWPS_PACKET_INJECTED_BY_SELF, FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF}) {
    platform().state = state;
    EXPECT_TRUE(send(7).permitted());
    EXPECT_TRUE(receive().permitted());
  }
  platform().state = FWPS_PACKET_INJECTED_BY_OTHER;
  EXPECT_TRUE(send(7).absorbed());
  const auto decided = classify(FWPS_LAYER_OUTBOUND_TRANSPORT_V4, 7, 0, 0, 0);
  EXPECT_EQ(decided.out.actionType, 0u) << "writing without the right would be a veto";
  settle();
  fake::complete();
}

TEST_F(Passthrough, WhatMustNotBeAbsorbedInboundIsPermitted) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(receive(FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED).permitted());
  EXPECT_TRUE(receive(0, FWP_CONDITION_FLAG_IS_LOOPBACK).permitted());
  settle();
  EXPECT_TRUE(platform().injections.empty());
}

TEST_F(Passthrough, AStaleHeaderIsRebuiltFromTheRemoteSide) {
  fragmented_ = true;
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(receive().absorbed());
  settle();
  EXPECT_THAT(platform().events, ElementsAre("construct 20 0a4d0001 0a4d0002", "inject receive"));
  fake::complete();
}

// --- packets without an endpoint ---

TEST_F(Passthrough, RobustSendsAPacketWithoutEndpointByTheNetwork) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(0).absorbed());
  settle();
  EXPECT_THAT(platform().events, ElementsAre("construct 0 0a4d0002 0a4d0001", "inject network"));
  fake::complete();
}

TEST_F(Passthrough, NaiveTrustsTheFlagAndLosesIt) {
  set("mode", "naive");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(0).absorbed());
  settle();
  EXPECT_THAT(platform().events, ElementsAre("inject transport"));
  fake::complete(STATUS_INVALID_HANDLE);
  settle();
  EXPECT_TRUE(platform().injections.empty());
  unload();
  EXPECT_THAT(printed_, testing::HasSubstr("outbound: absorbed 1 pended 0 injected 1 completed 0 failed 1 "));
}

TEST_F(Passthrough, PermitIsTheSecondAnswerForThem) {
  set("zero", "permit");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(0).permitted());
  EXPECT_TRUE(send(7).absorbed());
  settle();
  fake::complete();
}

TEST_F(Passthrough, AHandleThatDiedInTheQueueTakesTheNetworkOnce) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(7).absorbed());
  settle();
  fake::complete(STATUS_INVALID_HANDLE);
  settle();
  EXPECT_THAT(platform().events, ElementsAre("inject transport", "construct 0 0a4d0002 0a4d0001", "inject network"));
  fake::complete(STATUS_UNSUCCESSFUL);
  settle();
  EXPECT_TRUE(platform().injections.empty());
  EXPECT_EQ(platform().references, 0u);
}

// --- shortages ---

TEST_F(Passthrough, AFullQueuePermits) {
  set("depth", "2");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(send(1).absorbed());
  EXPECT_TRUE(send(2).absorbed());
  EXPECT_TRUE(send(3).permitted());
  EXPECT_TRUE(receive().absorbed()) << "each direction has its own bound";
  settle();
  EXPECT_TRUE(send(4).permitted()) << "what the engine has is still held";
  while (!platform().injections.empty()) fake::complete();
  EXPECT_TRUE(send(5).absorbed());
  settle();
  fake::complete();
}

TEST_F(Passthrough, ACloneThatFailsHoldsTheQueue) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_clones = 3;
  send(1);
  send(2);
  settle();
  EXPECT_TRUE(platform().injections.empty());
  run_for(std::chrono::milliseconds(10));
  EXPECT_THAT(endpoints(), ElementsAre(1, 2));
  fake::complete();
  fake::complete();
}

TEST_F(Passthrough, AnInjectionThatFailsKeepsItsPacketOurs) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 2;
  send(1);
  send(2);
  settle();
  EXPECT_EQ(platform().clones, 0u) << "no completion will run: the clone was freed";
  run_for(std::chrono::milliseconds(10));
  EXPECT_THAT(endpoints(), ElementsAre(1, 2));
  fake::complete();
  fake::complete();
}

TEST_F(Passthrough, ARefusalIsFinal) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 1;
  platform().failure = STATUS_FWP_INJECT_HANDLE_CLOSING;
  send(1);
  send(2);
  settle();
  EXPECT_THAT(endpoints(), ElementsAre(2));
  EXPECT_EQ(platform().references, 1u);
  fake::complete();
}

TEST_F(Passthrough, AShortageThatDoesNotEndIsGivenUp) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 1 << 20;
  send(1);
  run_for(std::chrono::seconds(5));
  EXPECT_EQ(platform().references, 0u);
}

// --- authorization ---

TEST_F(Passthrough, AnAcceptIsPendedCompletedAndInjected) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE).absorbed());
  ASSERT_EQ(platform().pends.size(), 1u);
  EXPECT_FALSE(platform().pends[0].completed);
  settle();
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "inject receive"));
  EXPECT_EQ(platform().pends[0].clone, platform().injections[0].clone);
  fake::complete();
}

TEST_F(Passthrough, PendedAndAbsorbedPacketsKeepTheirOrder) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  receive();
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  settle();
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "inject receive", "inject receive",
                                             "complete operation", "inject receive"));
  while (!platform().injections.empty()) fake::complete();
}

TEST_F(Passthrough, AReauthorizationIsDecidedAtOnce) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_TRUE(classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, 0, FWP_CONDITION_FLAG_IS_REAUTHORIZE).permitted());
  EXPECT_TRUE(classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, 0).permitted()) << "no completion handle";
  EXPECT_TRUE(platform().pends.empty());
}

TEST_F(Passthrough, APendThatCannotBeClonedIsCompletedAllTheSame) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_clones = 1;
  platform().failure = STATUS_INVALID_PARAMETER;
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  settle();
  ASSERT_EQ(platform().pends.size(), 1u);
  EXPECT_TRUE(platform().pends[0].completed);
  EXPECT_EQ(platform().pends[0].clone, nullptr);
  EXPECT_EQ(platform().references, 0u);
}

TEST_F(Passthrough, ACompletedPendIsNotCompletedAgainWhenItsInjectionIsRepeated) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().fail_injections = 2;
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  run_for(std::chrono::milliseconds(10));
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "inject receive"));
  fake::complete();
}

// --- coming and going ---

TEST_F(Passthrough, CoalescingIsAllowedUnlessRefused) {
  const UINT32 both = FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO;
  ASSERT_EQ(load(), STATUS_SUCCESS);
  for (const auto& callout : platform().callouts) EXPECT_EQ(callout.callout.flags & both, both);
  unload();
  set("coalescing", "refuse");
  ASSERT_EQ(load(), STATUS_SUCCESS);
  std::size_t refusing = 0;
  for (const auto& callout : platform().callouts) refusing += (callout.callout.flags & both) == 0;
  EXPECT_EQ(refusing, 4u);  // inbound transport and accept
}

TEST_F(Passthrough, CompletionsWithinTheCallAreFine) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().complete_inline = true;
  for (int i = 0; i < 100; ++i) send(static_cast<std::uint64_t>(i));
  settle();
  EXPECT_EQ(platform().references, 0u);
}

TEST_F(Passthrough, UnloadDrainsWhatIsHeld) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().complete_inline = true;
  platform().busy_unregisters = 3;
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(send(7).absorbed());
  classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, 7, FWPS_METADATA_FIELD_COMPLETION_HANDLE);
  unload();
  EXPECT_EQ(platform().events.size(), 302u);
  EXPECT_THAT(printed_, testing::HasSubstr("absorbed 300 pended 0 injected 300 completed 300 failed 0"));
}

TEST_F(Passthrough, UnloadWaitsOutAShortage) {
  ASSERT_EQ(load(), STATUS_SUCCESS);
  platform().complete_inline = true;
  platform().fail_injections = 5;
  send(7);
  unload();
  EXPECT_THAT(platform().events, ElementsAre("inject transport"));
}

TEST_F(Passthrough, AFailedStartLeavesNothing) {
  platform().fail_filter = STATUS_FWP_NOT_FOUND;
  EXPECT_EQ(load(), STATUS_FWP_NOT_FOUND);
  driver_.reset();
}

TEST_F(Passthrough, LoadsAndUnloadsAgainAndAgain) {
  platform().complete_inline = true;
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(load(), STATUS_SUCCESS);
    send(static_cast<std::uint64_t>(i));
    unload();
  }
}

TEST_F(Passthrough, SettingsThatMakeNoSenseAreNamedAndIgnored) {
  set("mode", "fast");
  set("depth", "0");
  set("zero", std::string(300, 'x').c_str());
  ASSERT_EQ(load(), STATUS_SUCCESS);
  EXPECT_THAT(printed_, testing::HasSubstr("parameter mode must be robust or naive"));
  EXPECT_THAT(printed_, testing::HasSubstr("depth must be a number from 1 to 65536; 4096 is used"));
  EXPECT_THAT(printed_, testing::HasSubstr("parameter zero must be permit or inject")) << "longer than its buffer";
  EXPECT_THAT(printed_, testing::HasSubstr("mode robust, zero inject"));
}

}  // namespace
