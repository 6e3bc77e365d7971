// What is kept of a call that failed, for the words about a DriverEntry that fails.
#include "tests/unit/wfp/api/management_fixture.hpp"
#include "wfp/ledger/failed_calls.hpp"

namespace wfp::api {
namespace {

using testing::HasSubstr;

class WhyRefused : public ManagementApi {
 protected:
  void SetUp() override {
    ManagementApi::SetUp();
    ledger::forget_failed_calls(driver);
  }
  // Of the latest call that failed.
  std::string why(const FWPM_FILTER0& with) {
    UINT64 id = 0;
    const NTSTATUS status = FwpmFilterAdd0(session, &with, nullptr, &id);
    const auto calls = ledger::failed_calls(driver);
    if (NT_SUCCESS(status) || calls.empty()) return "succeeded";
    EXPECT_EQ(calls.back().routine, "FwpmFilterAdd0");
    EXPECT_EQ(calls.back().status, status);
    return calls.back().about;
  }
};

TEST_F(WhyRefused, AFilterSaysWhichKeyOrFieldItWas) {
  auto with = filter(FWP_ACTION_PERMIT);
  with.layerKey = key(9);
  EXPECT_EQ(why(with), "filter 'test': layerKey {00000009-1234-5678-0000-000000000001} is no layer");
  with = filter(FWP_ACTION_PERMIT);
  with.subLayerKey = key(8);
  EXPECT_THAT(why(with), HasSubstr("there is no sublayer {00000008-"));
  EXPECT_THAT(why(filter(FWP_ACTION_CALLOUT_UNKNOWN, key(7))), HasSubstr("there is no callout {00000007-"));
  ASSERT_EQ(add_callout(key(1), nullptr, FWPM_LAYER_STREAM_V4), STATUS_SUCCESS);
  EXPECT_THAT(why(filter(FWP_ACTION_CALLOUT_UNKNOWN, key(1))),
              HasSubstr("was added for another layer than FWPS_LAYER_OUTBOUND_TRANSPORT_V4"));
  with = filter(FWP_ACTION_PERMIT);
  with.displayData.name = nullptr;
  EXPECT_EQ(why(with), "filter without a name: displayData.name is NULL");
}

TEST_F(WhyRefused, AConditionSaysWhatTheLayerHas) {
  FWPM_FILTER_CONDITION0 conditions[2]{};
  conditions[0].fieldKey = FWPM_CONDITION_IP_PROTOCOL;
  conditions[0].conditionValue.type = FWP_UINT8;
  conditions[1].fieldKey = FWPM_CONDITION_ALE_APP_ID;
  auto with = filter(FWP_ACTION_PERMIT);
  with.numFilterConditions = 2;
  with.filterCondition = conditions;
  const auto no_field = why(with);
  EXPECT_THAT(no_field,
              HasSubstr("condition 1: FWPS_LAYER_OUTBOUND_TRANSPORT_V4 has no field 'ALE_APP_ID'; it has "));
  EXPECT_THAT(no_field, HasSubstr("IP_REMOTE_PORT"));
  conditions[1].fieldKey = FWPM_CONDITION_IP_REMOTE_PORT;
  conditions[1].conditionValue.type = FWP_UINT32;
  EXPECT_THAT(why(with),
              HasSubstr("condition 1: IP_REMOTE_PORT wants FWP_DATA_TYPE 2, and conditionValue.type is 3"));
}

TEST_F(WhyRefused, OtherCallsAreKeptToo) {
  EXPECT_EQ(FwpsCalloutRegister3(nullptr, nullptr, nullptr), STATUS_INVALID_PARAMETER);
  HANDLE handle = nullptr;
  EXPECT_EQ(FwpmEngineOpen0(nullptr, 77, nullptr, nullptr, &handle), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(FwpmTransactionCommit0(session), STATUS_FWP_NO_TXN_IN_PROGRESS);
  const auto calls = ledger::failed_calls(driver);
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].about, "deviceObject is NULL");
  EXPECT_THAT(calls[1].about, HasSubstr("authnService"));
  EXPECT_EQ(calls[2].routine, "FwpmTransactionCommit0");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(FwpmTransactionCommit0(session), STATUS_FWP_NO_TXN_IN_PROGRESS);
  EXPECT_EQ(ledger::failed_calls(driver).size(), ledger::kKeptFailures);
}

}  // namespace
}  // namespace wfp::api
