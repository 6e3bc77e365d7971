// Objects through the C functions: add, get by each name, delete, and each documented status of theirs.
#include "fwpm/sublayers.h"
#include "tests/unit/wfp/api/management_fixture.hpp"
#include "wfp/api/translate.hpp"

namespace wfp::api {
namespace {

class ObjectsApi : public ManagementApi {
 protected:
  template <class Api>
  static void free(Api*& object) {
    FwpmFreeMemory0(reinterpret_cast<void**>(&object));
    EXPECT_EQ(object, nullptr);
  }
  static std::u16string text(PCWSTR from) { return reinterpret_cast<const char16_t*>(from); }
  FWPM_PROVIDER0 provider(const GUID& of) {
    FWPM_PROVIDER0 out{};
    out.providerKey = of;
    out.displayData.name = name;
    out.serviceName = name;
    return out;
  }
  FWPM_SUBLAYER0 sublayer(const GUID& of) {
    FWPM_SUBLAYER0 out{};
    out.subLayerKey = of;
    out.displayData.name = name;
    out.weight = 77;
    return out;
  }
  HANDLE nobody = to_windows(0x7fff);
};

TEST_F(ObjectsApi, Providers) {
  const GUID one = key(1), other = key(2);
  FWPM_PROVIDER0 made = provider(one);
  EXPECT_EQ(FwpmProviderAdd0(session, nullptr, nullptr), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmProviderAdd0(nobody, &made, nullptr), STATUS_INVALID_HANDLE);
  ASSERT_EQ(FwpmProviderAdd0(session, &made, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(FwpmProviderAdd0(session, &made, nullptr), STATUS_FWP_ALREADY_EXISTS);
  made.displayData.name = nullptr;
  EXPECT_EQ(FwpmProviderAdd0(session, &made, nullptr), STATUS_FWP_NULL_DISPLAY_NAME);

  FWPM_PROVIDER0* found = nullptr;
  ASSERT_EQ(FwpmProviderGetByKey0(session, &one, &found), STATUS_SUCCESS);
  EXPECT_TRUE(found->providerKey == one);
  EXPECT_EQ(text(found->serviceName), u"test");
  free(found);
  EXPECT_EQ(FwpmProviderGetByKey0(session, &other, &found), STATUS_FWP_PROVIDER_NOT_FOUND);
  EXPECT_EQ(FwpmProviderGetByKey0(session, nullptr, &found), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmProviderGetByKey0(session, &one, nullptr), STATUS_FWP_NULL_POINTER);

  FWPM_SUBLAYER0 user = sublayer(key(3));
  user.providerKey = const_cast<GUID*>(&other);
  EXPECT_EQ(FwpmSubLayerAdd0(session, &user, nullptr), STATUS_FWP_PROVIDER_NOT_FOUND);
  user.providerKey = const_cast<GUID*>(&one);
  ASSERT_EQ(FwpmSubLayerAdd0(session, &user, nullptr), STATUS_SUCCESS);
  EXPECT_EQ(FwpmProviderDeleteByKey0(session, &one), STATUS_FWP_IN_USE);
  EXPECT_EQ(FwpmSubLayerDeleteByKey0(session, &user.subLayerKey), STATUS_SUCCESS);
  EXPECT_EQ(FwpmProviderDeleteByKey0(session, &one), STATUS_SUCCESS);
  EXPECT_EQ(FwpmProviderDeleteByKey0(session, &one), STATUS_FWP_PROVIDER_NOT_FOUND);
  EXPECT_EQ(FwpmProviderDeleteByKey0(session, nullptr), STATUS_FWP_NULL_POINTER);
}

TEST_F(ObjectsApi, SubLayers) {
  const FWPM_SUBLAYER0 made = sublayer(key(1));
  ASSERT_EQ(FwpmSubLayerAdd0(session, &made, nullptr), STATUS_SUCCESS);
  FWPM_SUBLAYER0* found = nullptr;
  ASSERT_EQ(FwpmSubLayerGetByKey0(session, &made.subLayerKey, &found), STATUS_SUCCESS);
  EXPECT_EQ(found->weight, 77);
  EXPECT_EQ(found->providerKey, nullptr);
  free(found);
  ASSERT_EQ(FwpmSubLayerGetByKey0(session, &FWPM_SUBLAYER_UNIVERSAL, &found), STATUS_SUCCESS);
  free(found);
  EXPECT_EQ(FwpmSubLayerGetByKey0(session, nullptr, &found), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmSubLayerDeleteByKey0(session, &FWPM_SUBLAYER_UNIVERSAL), STATUS_FWP_BUILTIN_OBJECT);
  EXPECT_EQ(FwpmSubLayerDeleteByKey0(session, &made.subLayerKey), STATUS_SUCCESS);
  EXPECT_EQ(FwpmSubLayerGetByKey0(session, &made.subLayerKey, &found), STATUS_FWP_SUBLAYER_NOT_FOUND);
}

TEST_F(ObjectsApi, LayersAreThereWithTheirFields) {
  FWPM_LAYER0* found = nullptr;
  ASSERT_EQ(FwpmLayerGetById0(session, FWPS_LAYER_OUTBOUND_TRANSPORT_V6, &found), STATUS_SUCCESS);
  EXPECT_TRUE(found->layerKey == FWPM_LAYER_OUTBOUND_TRANSPORT_V6);
  EXPECT_EQ(text(found->displayData.name), u"FWPS_LAYER_OUTBOUND_TRANSPORT_V6");
  EXPECT_TRUE(found->defaultSubLayerKey == FWPM_SUBLAYER_UNIVERSAL);
  EXPECT_EQ(found->flags, static_cast<UINT32>(FWPM_LAYER_FLAG_KERNEL | FWPM_LAYER_FLAG_BUILTIN));
  bool has_protocol = false, has_address = false, has_flags = false;
  for (UINT32 i = 0; i < found->numFields; ++i) {
    const FWPM_FIELD0& field = found->field[i];
    ASSERT_NE(field.fieldKey, nullptr);
    if (*field.fieldKey == FWPM_CONDITION_IP_PROTOCOL)
      has_protocol = field.type == FWPM_FIELD_RAW_DATA && field.dataType == FWP_UINT8;
    if (*field.fieldKey == FWPM_CONDITION_IP_REMOTE_ADDRESS)
      has_address = field.type == FWPM_FIELD_IP_ADDRESS && field.dataType == FWP_BYTE_ARRAY16_TYPE;
    if (*field.fieldKey == FWPM_CONDITION_FLAGS)
      has_flags = field.type == FWPM_FIELD_FLAGS && field.dataType == FWP_UINT32;
  }
  EXPECT_TRUE(has_protocol && has_address && has_flags);
  free(found);

  ASSERT_EQ(FwpmLayerGetByKey0(session, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, &found), STATUS_SUCCESS);
  EXPECT_EQ(found->layerId, FWPS_LAYER_ALE_AUTH_CONNECT_V4);
  free(found);
  const GUID no_layer = key(1);
  EXPECT_EQ(FwpmLayerGetByKey0(session, &no_layer, &found), STATUS_FWP_LAYER_NOT_FOUND);
  EXPECT_EQ(FwpmLayerGetById0(session, 0xfff0, &found), STATUS_FWP_LAYER_NOT_FOUND);
  EXPECT_EQ(FwpmLayerGetById0(session, kLayer, nullptr), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmLayerGetByKey0(session, nullptr, &found), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmLayerGetById0(nobody, kLayer, &found), STATUS_INVALID_HANDLE);
}

TEST_F(ObjectsApi, CalloutsTellWhetherTheyAreRegistered) {
  const GUID one = key(1), other = key(2);
  UINT32 id = 0;
  ASSERT_EQ(add_callout(one, &id), STATUS_SUCCESS);
  FWPM_CALLOUT0* found = nullptr;
  ASSERT_EQ(FwpmCalloutGetById0(session, id, &found), STATUS_SUCCESS);
  EXPECT_EQ(found->calloutId, id);
  EXPECT_EQ(found->flags & FWPM_CALLOUT_FLAG_REGISTERED, 0u);
  EXPECT_TRUE(found->applicableLayer == FWPM_LAYER_OUTBOUND_TRANSPORT_V4);
  free(found);
  register_callout(one);
  ASSERT_EQ(FwpmCalloutGetByKey0(session, &one, &found), STATUS_SUCCESS);
  EXPECT_NE(found->flags & FWPM_CALLOUT_FLAG_REGISTERED, 0u);
  free(found);
  EXPECT_EQ(FwpmCalloutGetById0(session, id + 1, &found), STATUS_FWP_CALLOUT_NOT_FOUND);
  EXPECT_EQ(FwpmCalloutGetByKey0(session, &other, &found), STATUS_FWP_CALLOUT_NOT_FOUND);
  EXPECT_EQ(FwpmCalloutGetByKey0(session, nullptr, &found), STATUS_FWP_NULL_POINTER);

  const UINT64 filter_id = add(filter(FWP_ACTION_CALLOUT_UNKNOWN, one));
  EXPECT_EQ(FwpmCalloutDeleteById0(session, id), STATUS_FWP_IN_USE);
  EXPECT_EQ(FwpmFilterDeleteById0(session, filter_id), STATUS_SUCCESS);
  EXPECT_EQ(FwpmCalloutDeleteById0(session, id), STATUS_SUCCESS);
  EXPECT_EQ(FwpmCalloutDeleteById0(session, id), STATUS_FWP_CALLOUT_NOT_FOUND);
  EXPECT_EQ(FwpsCalloutUnregisterById0(id), STATUS_SUCCESS);
}

TEST_F(ObjectsApi, FiltersComeBackAsTheyWereGiven) {
  WCHAR description[] = {'w', 'h', 'y', 0};
  UINT8 blob[] = {1, 2, 3};
  FWPM_FILTER_CONDITION0 condition{};
  condition.fieldKey = FWPM_CONDITION_IP_REMOTE_PORT;
  condition.matchType = FWP_MATCH_EQUAL;
  condition.conditionValue.type = FWP_UINT16;
  condition.conditionValue.uint16 = 443;
  FWPM_FILTER0 made = filter(FWP_ACTION_PERMIT);
  made.filterKey = key(5);
  made.displayData.description = description;
  made.providerData = {sizeof blob, blob};
  made.flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
  made.weight.type = FWP_UINT8;
  made.weight.uint8 = 3;
  made.rawContext = 0xabc;
  made.numFilterConditions = 1;
  made.filterCondition = &condition;
  const UINT64 id = add(made);

  FWPM_FILTER0* found = nullptr;
  ASSERT_EQ(FwpmFilterGetByKey0(session, &made.filterKey, &found), STATUS_SUCCESS);
  EXPECT_EQ(found->filterId, id);
  EXPECT_EQ(text(found->displayData.description), u"why");
  ASSERT_EQ(found->providerData.size, 3u);
  EXPECT_EQ(found->providerData.data[2], 3);
  EXPECT_EQ(found->flags, static_cast<UINT32>(FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT));
  EXPECT_EQ(found->weight.uint8, 3);
  EXPECT_EQ(*found->effectiveWeight.uint64 >> 60, 3u);
  EXPECT_EQ(found->rawContext, 0xabcu);
  ASSERT_EQ(found->numFilterConditions, 1u);
  EXPECT_TRUE(found->filterCondition[0].fieldKey == FWPM_CONDITION_IP_REMOTE_PORT);
  EXPECT_EQ(found->filterCondition[0].conditionValue.uint16, 443);
  free(found);

  EXPECT_EQ(FwpmFilterGetById0(session, id + 1, &found), STATUS_FWP_FILTER_NOT_FOUND);
  EXPECT_EQ(FwpmFilterGetByKey0(session, nullptr, &found), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmFilterDeleteByKey0(session, &made.filterKey), STATUS_SUCCESS);
  EXPECT_EQ(FwpmFilterDeleteByKey0(session, &made.filterKey), STATUS_FWP_FILTER_NOT_FOUND);
  EXPECT_EQ(FwpmFilterGetByKey0(session, &made.filterKey, &found), STATUS_FWP_FILTER_NOT_FOUND);
}

TEST_F(ObjectsApi, WhatIsTooLongIsRefused) {
  FWPM_SUBLAYER0 made = sublayer(key(1));
  std::vector<UINT8> data(kMaxProviderData + 1);
  made.providerData = {static_cast<UINT32>(data.size()), data.data()};
  EXPECT_EQ(FwpmSubLayerAdd0(session, &made, nullptr), STATUS_FWP_OUT_OF_BOUNDS);
  made.providerData = {1, nullptr};
  EXPECT_EQ(FwpmSubLayerAdd0(session, &made, nullptr), STATUS_FWP_NULL_POINTER);
  std::vector<WCHAR> text(model::kMaxNameUnits + 2, 'x');
  text.back() = 0;
  made.providerData = {};
  made.displayData.description = text.data();
  EXPECT_EQ(FwpmSubLayerAdd0(session, &made, nullptr), STATUS_FWP_OUT_OF_BOUNDS);
}

TEST_F(ObjectsApi, OpeningASession) {
  FWPM_SESSION0 options{};
  HANDLE second = nullptr;
  EXPECT_EQ(FwpmEngineOpen0(nullptr, RPC_C_AUTHN_WINNT, nullptr, nullptr, nullptr), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmEngineOpen0(name, RPC_C_AUTHN_WINNT, nullptr, nullptr, &second), STATUS_INVALID_PARAMETER);
  EXPECT_EQ(FwpmEngineOpen0(nullptr, 99, nullptr, nullptr, &second), STATUS_INVALID_PARAMETER);
  options.flags = 0x8000;
  EXPECT_EQ(FwpmEngineOpen0(nullptr, RPC_C_AUTHN_WINNT, nullptr, &options, &second), STATUS_FWP_INVALID_FLAGS);
  options.flags = 0;
  options.sessionKey = key(9);
  ASSERT_EQ(FwpmEngineOpen0(nullptr, RPC_C_AUTHN_DEFAULT, nullptr, &options, &second), STATUS_SUCCESS);
  HANDLE third = nullptr;
  EXPECT_EQ(FwpmEngineOpen0(nullptr, RPC_C_AUTHN_WINNT, nullptr, &options, &third), STATUS_FWP_ALREADY_EXISTS);
  EXPECT_EQ(FwpmEngineClose0(second), STATUS_SUCCESS);
  EXPECT_EQ(FwpmEngineClose0(second), STATUS_INVALID_HANDLE);
}

TEST_F(ObjectsApi, FreeingWhatIsNotOursIsNamed) {
  void* nothing = nullptr;
  FwpmFreeMemory0(&nothing);
  EXPECT_TRUE(ledger::take_messages().empty());
  void* foreign = &nothing;
  FwpmFreeMemory0(&foreign);
  EXPECT_THAT(ledger::take_messages(), ::testing::ElementsAre(::testing::StartsWith("FWPM-BAD-FREE")));
}

TEST_F(ObjectsApi, AboveTheirLevelTheyAreNamed) {
  FWPM_LAYER0* found = nullptr;
  {
    const kernel::IrqlScope dispatch(DISPATCH_LEVEL);
    FwpmLayerGetById0(session, kLayer, &found);
  }
  EXPECT_THAT(ledger::take_messages(), ::testing::ElementsAre(::testing::HasSubstr("FwpmLayerGetById0")));
  free(found);
}

}  // namespace
}  // namespace wfp::api
