// tests/callouts/pend_auth: that it decides after its delay and not before, and that an unload leaves nothing pended.
// In virtual time, with the engine's answers given by hand.
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
using namespace std::chrono_literals;

class PendAuth : public testing::TestWithParam<std::uint64_t> {
 protected:
  void SetUp() override {
    wfp::ledger::reset();
    wfp::ledger::set_level(wfp::ledger::Level::standard);
    fake::reset();
    platform().complete_inline = true;
    auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, GetParam(), 1);
    sim_ = scheduler.get();
    kernel_ = std::make_unique<wfp::kernel::Kernel>(std::move(scheduler));
    sim_->bind_processor(0);
    kernel_->registry().set("pend_auth", "delay", "200");
    kernel_->registry().set("pend_auth", "deny", "81");
    driver_ = std::make_unique<wfp::kernel::Driver>("pend_auth");
    ASSERT_EQ(driver_->load(DriverEntry), STATUS_SUCCESS);
  }
  void TearDown() override {
    if (driver_->is_loaded()) {
      EXPECT_THAT(driver_->unload().left, testing::IsEmpty());
    }
    driver_.reset();
    for (const auto& pend : platform().pends) EXPECT_TRUE(pend.completed);
    EXPECT_EQ(platform().clones, 0u);
    EXPECT_EQ(pool_.in_use(), 0u);
    for (const auto& violation : wfp::ledger::violations())
      ADD_FAILURE() << violation.rule << ": " << violation.message;
    wfp::ledger::clear_violations();
    kernel_.reset();
  }

  fake::Answer accept(UINT16 port, bool may_pend = true) {
    set16(FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_LOCAL_PORT, port);
    return classify(FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4, true, may_pend);
  }
  fake::Answer connect(UINT16 port, bool may_pend = true) {
    set16(FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT, port);
    return classify(FWPS_LAYER_ALE_AUTH_CONNECT_V4, false, may_pend);
  }
  void set16(int field, UINT16 value) {
    values_[static_cast<std::size_t>(field)].value.type = FWP_UINT16;
    values_[static_cast<std::size_t>(field)].value.uint16 = value;
  }
  fake::Answer classify(UINT16 layer, bool with_packet, bool may_pend) {
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    metadata.ipHeaderSize = 20;
    metadata.transportHeaderSize = 20;
    if (may_pend) {
      metadata.currentMetadataValues = FWPS_METADATA_FIELD_COMPLETION_HANDLE;
      metadata.completionHandle = reinterpret_cast<HANDLE>(std::uintptr_t{0x100} * ++operations_);
    }
    NET_BUFFER_LIST* packet = nullptr;
    if (with_packet) {
      packet = pool_.allocate(64, 50);
      NdisAdvanceNetBufferDataStart(NET_BUFFER_LIST_FIRST_NB(packet), 40, FALSE, nullptr);
    }
    const auto answer = fake::classify(layer, values_.data(), static_cast<UINT32>(values_.size()), metadata, packet);
    if (packet != nullptr) wfp::ndis::release(*packet);
    return answer;
  }
  void run_for(std::chrono::milliseconds time) { sim_->run_until(sim_->now() + time); }

  wfp::kernel::VirtualClock clock_;
  wfp::kernel::SimScheduler* sim_ = nullptr;
  std::unique_ptr<wfp::kernel::Kernel> kernel_;
  std::unique_ptr<wfp::kernel::Driver> driver_;
  wfp::ndis::NblPool pool_{256};
  std::array<FWPS_INCOMING_VALUE0, 48> values_{};
  std::uintptr_t operations_ = 0;
};

TEST_P(PendAuth, AnAcceptIsDecidedAfterTheDelay) {
  EXPECT_TRUE(accept(80).absorbed());
  run_for(199ms);
  EXPECT_THAT(platform().events, testing::IsEmpty());
  run_for(2ms);
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "inject receive"));
}

TEST_P(PendAuth, ADeniedAcceptIsCompletedAndNotInjected) {
  EXPECT_TRUE(accept(81).absorbed());
  run_for(250ms);
  EXPECT_THAT(platform().events, ElementsAre("complete operation"));
}

TEST_P(PendAuth, AConnectHasNoPacketAndIsDecidedWhenItIsAskedAgain) {
  EXPECT_TRUE(connect(80).absorbed());
  EXPECT_TRUE(connect(81).absorbed());
  run_for(250ms);
  EXPECT_THAT(platform().events, ElementsAre("complete operation", "complete operation"));
  EXPECT_TRUE(connect(80, false).permitted());
  EXPECT_EQ(connect(81, false).out.actionType, FWP_ACTION_BLOCK);
}

TEST_P(PendAuth, ManyAtOnceAreDecidedInTheirOrder) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(accept(80).absorbed());
  run_for(250ms);
  EXPECT_EQ(platform().events.size(), 100u);
}

TEST_P(PendAuth, WhatWasInjectedIsPermitted) {
  platform().state = FWPS_PACKET_INJECTED_BY_SELF;
  EXPECT_TRUE(accept(80).permitted());
}

TEST_P(PendAuth, ACloneThatFailsIsDecidedAtOnce) {
  platform().fail_clones = 2;
  EXPECT_TRUE(accept(80).permitted());
  EXPECT_EQ(accept(81).out.actionType, FWP_ACTION_BLOCK);
  EXPECT_TRUE(platform().pends.empty());
}

TEST_P(PendAuth, UnloadCompletesWhatIsOpen) {
  EXPECT_TRUE(accept(80).absorbed());
  EXPECT_TRUE(accept(81).absorbed());
  EXPECT_TRUE(connect(80).absorbed());
  EXPECT_THAT(driver_->unload().left, testing::IsEmpty());
  EXPECT_THAT(platform().events,
              ElementsAre("complete operation", "inject receive", "complete operation", "complete operation"));
}

INSTANTIATE_TEST_SUITE_P(Seeds, PendAuth, testing::Range(std::uint64_t{1}, std::uint64_t{9}));

}  // namespace
