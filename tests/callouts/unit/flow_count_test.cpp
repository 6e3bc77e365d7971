// tests/callouts/flow_count: contexts come with flows and go with them, also when the driver goes first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>

#include "fake_platform.hpp"
#include "ntddk.h"
#include "wfp/kernel/driver_object.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/sim_scheduler.hpp"
#include "wfp/ledger/violation.hpp"

extern "C" DRIVER_INITIALIZE DriverEntry;

namespace {

using fake::platform;
using namespace std::chrono_literals;

class FlowCount : public testing::Test {
 protected:
  void SetUp() override {
    wfp::ledger::reset();
    wfp::ledger::set_level(wfp::ledger::Level::standard);
    fake::reset();
    auto scheduler = std::make_unique<wfp::kernel::SimScheduler>(clock_, 1, 1);
    sim_ = scheduler.get();
    kernel_ = std::make_unique<wfp::kernel::Kernel>(std::move(scheduler));
    sim_->bind_processor(0);
    kernel_->set_debug_sink([this](auto, unsigned, const std::string& line) { printed_ += line; });
    driver_ = std::make_unique<wfp::kernel::Driver>("flow_count");
    ASSERT_EQ(driver_->load(DriverEntry), STATUS_SUCCESS);
  }
  void TearDown() override {
    if (driver_->is_loaded()) unload();
    driver_.reset();
    for (const auto& violation : wfp::ledger::violations())
      ADD_FAILURE() << violation.rule << ": " << violation.message;
    wfp::ledger::clear_violations();
    kernel_.reset();
  }
  void unload() { EXPECT_THAT(driver_->unload().left, testing::IsEmpty()); }
  void establish(std::uint64_t flow) {
    FWPS_INCOMING_METADATA_VALUES0 metadata{};
    metadata.currentMetadataValues = FWPS_METADATA_FIELD_FLOW_HANDLE;
    metadata.flowHandle = flow;
    fake::classify(FWPS_LAYER_ALE_FLOW_ESTABLISHED_V4, values_.data(), 24, metadata, nullptr);
  }

  wfp::kernel::VirtualClock clock_;
  wfp::kernel::SimScheduler* sim_ = nullptr;
  std::unique_ptr<wfp::kernel::Kernel> kernel_;
  std::unique_ptr<wfp::kernel::Driver> driver_;
  std::array<FWPS_INCOMING_VALUE0, 48> values_{};
  std::string printed_;
};

TEST_F(FlowCount, TransportCalloutsAreConditionalOnFlow) {
  std::size_t conditional = 0;
  for (const auto& callout : platform().callouts) {
    if ((callout.callout.flags & FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW) == 0) continue;
    ++conditional;
    EXPECT_NE(callout.callout.flowDeleteFn, nullptr) << "a context needs somebody to give it back";
  }
  EXPECT_EQ(conditional, 4u);
}

TEST_F(FlowCount, ContextsGoWithTheFlow) {
  establish(1);
  establish(2);
  EXPECT_EQ(platform().contexts.size(), 4u);
  fake::end_flow(1);
  EXPECT_EQ(platform().contexts.size(), 2u);
  fake::end_flow(2);
  unload();
  EXPECT_THAT(printed_, testing::HasSubstr("flows 2 inbound 0 outbound 0 contexts deleted 4"));
}

TEST_F(FlowCount, UnloadTakesTheContextsOfLivingFlows) {
  for (std::uint64_t flow = 1; flow <= 20; ++flow) establish(flow);
  unload();
  EXPECT_TRUE(platform().contexts.empty());
  EXPECT_THAT(printed_, testing::HasSubstr("contexts deleted 40"));
}

TEST_F(FlowCount, UnloadWaitsForClassifiesThatUseAContext) {
  establish(1);
  platform().removals_pend = true;
  static bool done;
  done = false;
  // Somebody else's thread lets the running classify return, later.
  auto* thread = kernel_->scheduler().start_thread("classify", wfp::ledger::kNoDriver, [this] {
    kernel_->scheduler().sleep_until(kernel_->scheduler().now() + 20ms);
    platform().removals_pend = false;
    done = true;
    fake::finish_removals();
  });
  unload();
  EXPECT_TRUE(done);
  EXPECT_TRUE(platform().contexts.empty());
  kernel_->scheduler().release(*thread);
}

TEST_F(FlowCount, AContextThatCannotBeAttachedIsFreed) {
  platform().fail_associate = STATUS_INVALID_PARAMETER;
  establish(1);
  EXPECT_TRUE(platform().contexts.empty());
}

}  // namespace
