// Enumerations through the C functions: pages, templates, statuses, and who frees what.
#include "fwpm/sublayers.h"
#include "tests/unit/wfp/api/management_fixture.hpp"

namespace wfp::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EnumerationApi : public ManagementApi {
 protected:
  // All filters that a template asks for, in pages of two.
  std::vector<UINT64> filters(const FWPM_FILTER_ENUM_TEMPLATE0* wanted) {
    HANDLE handle = nullptr;
    EXPECT_EQ(FwpmFilterCreateEnumHandle0(session, wanted, &handle), STATUS_SUCCESS);
    std::vector<UINT64> ids;
    for (UINT32 returned = 2; returned == 2;) {
      FWPM_FILTER0** entries = nullptr;
      EXPECT_EQ(FwpmFilterEnum0(session, handle, 2, &entries, &returned), STATUS_SUCCESS);
      for (UINT32 i = 0; i < returned; ++i) ids.push_back(entries[i]->filterId);
      FwpmFreeMemory0(reinterpret_cast<void**>(&entries));
    }
    EXPECT_EQ(FwpmFilterDestroyEnumHandle0(session, handle), STATUS_SUCCESS);
    return ids;
  }
  static FWPM_FILTER_ENUM_TEMPLATE0 everything() {
    FWPM_FILTER_ENUM_TEMPLATE0 out{};
    out.actionMask = 0xffffffff;
    return out;
  }
};

TEST_F(EnumerationApi, FiltersByTemplate) {
  const GUID provider_key = key(1), callout_key = key(2), stranger = key(3);
  FWPM_PROVIDER0 provider{};
  provider.providerKey = provider_key;
  provider.displayData.name = name;
  ASSERT_EQ(FwpmProviderAdd0(session, &provider, nullptr), STATUS_SUCCESS);
  ASSERT_EQ(add_callout(callout_key), STATUS_SUCCESS);

  FWPM_FILTER0 one = filter(FWP_ACTION_PERMIT);
  one.providerKey = const_cast<GUID*>(&provider_key);
  const UINT64 of_provider = add(one);
  const UINT64 calling = add(filter(FWP_ACTION_CALLOUT_UNKNOWN, callout_key));
  one = filter(FWP_ACTION_BLOCK);
  one.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  const UINT64 inbound = add(one);
  one = filter(FWP_ACTION_BLOCK);
  one.flags = FWPM_FILTER_FLAG_BOOTTIME;
  const UINT64 boot = add(one);

  EXPECT_THAT(filters(nullptr), ElementsAre(inbound, of_provider, calling, boot));  // by layer, then as evaluated
  auto wanted = everything();
  EXPECT_THAT(filters(&wanted), ElementsAre(inbound, of_provider, calling));
  wanted.flags = FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME | FWP_FILTER_ENUM_FLAG_SORTED;
  EXPECT_THAT(filters(&wanted), ElementsAre(inbound, of_provider, calling, boot));
  wanted.flags = FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY;
  EXPECT_THAT(filters(&wanted), ElementsAre(boot));
  wanted = everything();
  wanted.providerKey = const_cast<GUID*>(&provider_key);
  EXPECT_THAT(filters(&wanted), ElementsAre(of_provider));
  wanted.providerKey = const_cast<GUID*>(&stranger);
  EXPECT_THAT(filters(&wanted), IsEmpty());
  wanted = everything();
  wanted.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  EXPECT_THAT(filters(&wanted), ElementsAre(inbound));
  wanted = everything();
  wanted.calloutKey = const_cast<GUID*>(&callout_key);
  EXPECT_THAT(filters(&wanted), ElementsAre(calling));
  wanted = everything();
  wanted.actionMask = FWP_ACTION_FLAG_CALLOUT;
  EXPECT_THAT(filters(&wanted), ElementsAre(calling));
  FWPM_PROVIDER_CONTEXT_ENUM_TEMPLATE0 contexts{};
  wanted = everything();
  wanted.providerContextTemplate = &contexts;
  EXPECT_THAT(filters(&wanted), IsEmpty());
}

TEST_F(EnumerationApi, TemplatesThatCannotBe) {
  HANDLE handle = nullptr;
  const auto status_of = [&](const FWPM_FILTER_ENUM_TEMPLATE0& wanted) {
    return FwpmFilterCreateEnumHandle0(session, &wanted, &handle);
  };
  auto wanted = everything();
  wanted.layerKey = key(1);
  EXPECT_EQ(status_of(wanted), STATUS_FWP_LAYER_NOT_FOUND);
  wanted = everything();
  wanted.enumType = FWP_FILTER_ENUM_TYPE_MAX;
  EXPECT_EQ(status_of(wanted), STATUS_FWP_INVALID_ENUMERATOR);
  wanted = everything();
  wanted.flags = 0x100;
  EXPECT_EQ(status_of(wanted), STATUS_FWP_INVALID_FLAGS);
  wanted = everything();
  wanted.numFilterConditions = 1;
  EXPECT_EQ(status_of(wanted), STATUS_NOT_SUPPORTED);
  wanted = everything();
  wanted.flags = FWP_FILTER_ENUM_FLAG_BEST_TERMINATING_MATCH;
  EXPECT_EQ(status_of(wanted), STATUS_NOT_SUPPORTED);
  EXPECT_EQ(handle, nullptr);
}

TEST_F(EnumerationApi, HandlesOfOtherKindsAndSessionsAreRefused) {
  HANDLE handle = nullptr;
  EXPECT_EQ(FwpmSubLayerCreateEnumHandle0(session, nullptr, nullptr), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmSubLayerCreateEnumHandle0(to_windows(0x7fff), nullptr, &handle), STATUS_INVALID_HANDLE);
  ASSERT_EQ(FwpmSubLayerCreateEnumHandle0(session, nullptr, &handle), STATUS_SUCCESS);
  FWPM_SUBLAYER0** entries = nullptr;
  FWPM_CALLOUT0** callouts = nullptr;
  UINT32 returned = 0;
  EXPECT_EQ(FwpmSubLayerEnum0(session, handle, 1, nullptr, &returned), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmSubLayerEnum0(session, handle, 1, &entries, nullptr), STATUS_FWP_NULL_POINTER);
  EXPECT_EQ(FwpmCalloutEnum0(session, handle, 1, &callouts, &returned), STATUS_INVALID_HANDLE);
  EXPECT_EQ(FwpmSubLayerDestroyEnumHandle0(session, handle), STATUS_SUCCESS);
  EXPECT_EQ(FwpmSubLayerEnum0(session, handle, 1, &entries, &returned), STATUS_INVALID_HANDLE);
  EXPECT_EQ(FwpmSubLayerDestroyEnumHandle0(session, handle), STATUS_INVALID_HANDLE);
}

TEST_F(EnumerationApi, APageOutlivesItsEnumerationAndIsFreedAsAWhole) {
  const GUID one = key(1);
  FWPM_SUBLAYER0 sublayer{};
  sublayer.subLayerKey = one;
  sublayer.displayData.name = name;
  ASSERT_EQ(FwpmSubLayerAdd0(session, &sublayer, nullptr), STATUS_SUCCESS);
  HANDLE handle = nullptr;
  ASSERT_EQ(FwpmSubLayerCreateEnumHandle0(session, nullptr, &handle), STATUS_SUCCESS);
  FWPM_SUBLAYER0** entries = nullptr;
  UINT32 returned = 0;
  ASSERT_EQ(FwpmSubLayerEnum0(session, handle, 0xffffffff, &entries, &returned), STATUS_SUCCESS);
  EXPECT_EQ(FwpmSubLayerDestroyEnumHandle0(session, handle), STATUS_SUCCESS);
  EXPECT_EQ(FwpmSubLayerDeleteByKey0(session, &one), STATUS_SUCCESS);
  const auto is_ours = [&](const FWPM_SUBLAYER0* entry) { return entry->subLayerKey == one; };
  EXPECT_GT(returned, 1u);  // the built-in ones, too
  EXPECT_EQ(std::count_if(entries, entries + returned, is_ours), 1);
  void* entry = entries[0];
  FwpmFreeMemory0(&entry);  // not the entries themselves
  EXPECT_THAT(ledger::take_messages(), ElementsAre(::testing::StartsWith("FWPM-BAD-FREE")));
  FwpmFreeMemory0(reinterpret_cast<void**>(&entries));
  EXPECT_THAT(ledger::take_messages(), IsEmpty());
}

TEST_F(EnumerationApi, CalloutsByLayerAndAllLayers) {
  ASSERT_EQ(add_callout(key(1)), STATUS_SUCCESS);
  ASSERT_EQ(add_callout(key(2), nullptr, FWPM_LAYER_INBOUND_TRANSPORT_V4), STATUS_SUCCESS);
  FWPM_CALLOUT_ENUM_TEMPLATE0 wanted{};
  wanted.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  HANDLE handle = nullptr;
  ASSERT_EQ(FwpmCalloutCreateEnumHandle0(session, &wanted, &handle), STATUS_SUCCESS);
  FWPM_CALLOUT0** callouts = nullptr;
  UINT32 returned = 0;
  ASSERT_EQ(FwpmCalloutEnum0(session, handle, 10, &callouts, &returned), STATUS_SUCCESS);
  ASSERT_EQ(returned, 1u);
  EXPECT_TRUE(callouts[0]->calloutKey == key(2));
  FwpmFreeMemory0(reinterpret_cast<void**>(&callouts));
  ASSERT_EQ(FwpmCalloutEnum0(session, handle, 10, &callouts, &returned), STATUS_SUCCESS);
  EXPECT_EQ(returned, 0u);
  EXPECT_EQ(callouts, nullptr);
  EXPECT_EQ(FwpmCalloutDestroyEnumHandle0(session, handle), STATUS_SUCCESS);

  ASSERT_EQ(FwpmLayerCreateEnumHandle0(session, nullptr, &handle), STATUS_SUCCESS);
  FWPM_LAYER0** layers = nullptr;
  ASSERT_EQ(FwpmLayerEnum0(session, handle, 1000, &layers, &returned), STATUS_SUCCESS);
  EXPECT_EQ(returned, model::kLayerCount);
  EXPECT_EQ(layers[7]->layerId, 7);
  FwpmFreeMemory0(reinterpret_cast<void**>(&layers));
  EXPECT_EQ(FwpmLayerDestroyEnumHandle0(session, handle), STATUS_SUCCESS);
}

}  // namespace
}  // namespace wfp::api
