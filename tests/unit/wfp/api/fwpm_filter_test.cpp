// A driver's way through the management API: open, register, add in a transaction, look, delete.
#include "../engine/engine_fixture.hpp"
#include "fwpm/layers.h"
#include "fwpmk.h"
#include "fwpsk.h"
#include "wfp/ledger/rules.hpp"

namespace wfp::engine {
namespace {

class FwpmTest : public EngineTest {};

char16_t name[] = u"test";

TEST_F(FwpmTest, DriverInstallsAndRemovesItself) {
  const ledger::DriverScope scope(driver);
  FWPM_SESSION0 options{};
  options.flags = FWPM_SESSION_FLAG_DYNAMIC;
  HANDLE handle = nullptr;
  ASSERT_EQ(FwpmEngineOpen0(nullptr, RPC_C_AUTHN_WINNT, nullptr, &options, &handle), STATUS_SUCCESS);
  ASSERT_EQ(FwpmTransactionBegin0(handle, 0), STATUS_SUCCESS);

  FWPS_CALLOUT3 code{};
  code.calloutKey = key_of(1);
  code.classifyFn = &classify_with<0>;
  code.notifyFn = &notify_with<0>;
  int device = 0;
  UINT32 callout_id = 0, same_id = 0;
  ASSERT_EQ(FwpsCalloutRegister3(&device, &code, &callout_id), STATUS_SUCCESS);
  EXPECT_EQ(FwpsCalloutRegister3(&device, &code, nullptr), STATUS_FWP_ALREADY_EXISTS);

  FWPM_CALLOUT0 callout{};
  callout.calloutKey = key_of(1);
  callout.displayData.name = name;
  callout.applicableLayer = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  ASSERT_EQ(FwpmCalloutAdd0(handle, &callout, nullptr, &same_id), STATUS_SUCCESS);
  EXPECT_EQ(same_id, callout_id);

  FWPM_FILTER_CONDITION0 condition{};
  condition.fieldKey = FWPM_CONDITION_IP_PROTOCOL;
  condition.conditionValue.type = FWP_UINT8;
  condition.conditionValue.uint8 = 6;
  FWPM_FILTER0 filter{};
  filter.displayData.name = name;
  filter.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  filter.numFilterConditions = 1;
  filter.filterCondition = &condition;
  filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
  filter.action.calloutKey = key_of(1);
  UINT64 filter_id = 0;
  ASSERT_EQ(FwpmFilterAdd0(handle, &filter, nullptr, &filter_id), STATUS_SUCCESS);
  ASSERT_EQ(FwpmTransactionCommit0(handle), STATUS_SUCCESS);

  classify_bodies[0] = [](const auto&, auto, auto& out) { out.actionType = FWP_ACTION_BLOCK; };
  EXPECT_EQ(classify().filter_id, filter_id);

  FWPM_FILTER0* found = nullptr;
  ASSERT_EQ(FwpmFilterGetById0(handle, filter_id, &found), STATUS_SUCCESS);
  EXPECT_EQ(found->numFilterConditions, 1u);
  EXPECT_EQ(found->filterCondition[0].conditionValue.uint8, 6);
  EXPECT_TRUE(found->subLayerKey == FWPM_SUBLAYER_UNIVERSAL);
  FwpmFreeMemory0(reinterpret_cast<void**>(&found));
  EXPECT_EQ(found, nullptr);

  EXPECT_EQ(FwpmCalloutDeleteByKey0(handle, &callout.calloutKey), STATUS_FWP_IN_USE);
  EXPECT_EQ(FwpmEngineClose0(handle), STATUS_SUCCESS);
  EXPECT_FALSE(engine->armed(kLayer));
  EXPECT_EQ(FwpsCalloutUnregisterById0(callout_id), STATUS_SUCCESS);
  EXPECT_EQ(ledger::alive(driver).total(), 0u);
}

TEST_F(FwpmTest, BadConditionsAreRefused) {
  FWPM_FILTER_CONDITION0 condition{};
  condition.fieldKey = FWPM_CONDITION_IP_PROTOCOL;
  condition.conditionValue.type = FWP_UINT16;
  FWPM_FILTER0 filter{};
  filter.displayData.name = name;
  filter.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  filter.numFilterConditions = 1;
  filter.filterCondition = &condition;
  filter.action.type = FWP_ACTION_BLOCK;
  const HANDLE handle = reinterpret_cast<HANDLE>(session);
  EXPECT_EQ(FwpmFilterAdd0(handle, &filter, nullptr, nullptr), STATUS_FWP_TYPE_MISMATCH);
  condition.fieldKey = key_of(1);
  EXPECT_EQ(FwpmFilterAdd0(handle, &filter, nullptr, nullptr), STATUS_FWP_CONDITION_NOT_FOUND);
  filter.layerKey = key_of(1);
  EXPECT_EQ(FwpmFilterAdd0(handle, &filter, nullptr, nullptr), STATUS_FWP_LAYER_NOT_FOUND);
  EXPECT_EQ(FwpmFilterAdd0(handle, nullptr, nullptr, nullptr), STATUS_FWP_NULL_POINTER);
}

TEST_F(FwpmTest, CallsAtDispatchLevelAreNamed) {
  {
    const kernel::IrqlScope level(DISPATCH_LEVEL);
    FwpmTransactionAbort0(reinterpret_cast<HANDLE>(session));
  }
  EXPECT_THAT(ledger::take_rules(), testing::ElementsAre(ledger::rule::kIrql));
}

}  // namespace
}  // namespace wfp::engine
