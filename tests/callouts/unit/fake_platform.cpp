#include "fake_platform.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "nt/ntstatus.h"
#include "wfp/model/layer.hpp"
#include "wfp/ndis/clone.hpp"

namespace fake {
namespace {

Platform the_platform;

std::string hexadecimal(const UCHAR* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

bool should_fail(int& count) {
  if (count == 0) return false;
  --count;
  return true;
}

NTSTATUS take(Injection injection) {
  Platform& p = platform();
  if (should_fail(p.fail_injections)) return p.failure;
  p.events.push_back("inject " + injection.how);
  p.injections.push_back(std::move(injection));
  if (p.complete_inline) complete(p.completion_status);
  return STATUS_SUCCESS;
}

// Any address that is not zero serves as a handle.
HANDLE next_handle() {
  static std::uintptr_t last = 0x1000;
  return reinterpret_cast<HANDLE>(last += 16);
}

}  // namespace

Platform& platform() { return the_platform; }
void reset() { the_platform = {}; }

Answer classify(UINT16 layer, FWPS_INCOMING_VALUE0* values, UINT32 count,
                const FWPS_INCOMING_METADATA_VALUES0& metadata, NET_BUFFER_LIST* packet, UINT32 rights) {
  Answer answer;
  answer.out.rights = rights;
  const auto id = platform().by_layer.at(layer);
  const FWPS_INCOMING_VALUES0 incoming{layer, count, values};
  FWPS_FILTER1 filter{};
  for (const Callout& callout : platform().callouts)
    if (callout.id == id) callout.callout.classifyFn(&incoming, &metadata, packet, nullptr, &filter, 0, &answer.out);
  return answer;
}

// Takes the context away and tells the driver.
static void delete_context(FlowKey key) {
  const auto context = platform().contexts.extract(key).mapped();
  for (const Callout& callout : platform().callouts)
    if (callout.id == key.callout) callout.callout.flowDeleteFn(key.layer, key.callout, context);
}

void end_flow(std::uint64_t flow) {
  std::vector<FlowKey> keys;
  for (const auto& [key, context] : platform().contexts)
    if (key.flow == flow) keys.push_back(key);
  for (const FlowKey& key : keys) delete_context(key);
}

void finish_removals() {
  for (const FlowKey& key : std::exchange(platform().pending_removals, {})) delete_context(key);
}

void complete(NTSTATUS status) {
  ASSERT_FALSE(platform().injections.empty());
  const Injection injection = platform().injections.front();
  platform().injections.pop_front();
  injection.clone->Status = status;
  injection.completion(injection.context, injection.clone, FALSE);
}

}  // namespace fake

using fake::platform;

extern "C" {

// --- callouts and management objects ---

NTSTATUS NTAPI FwpsCalloutRegister1(void*, const FWPS_CALLOUT1* callout, UINT32* calloutId) {
  fake::Callout made{*callout, static_cast<UINT32>(platform().callouts.size() + 1)};
  platform().callouts.push_back(made);
  *calloutId = made.id;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpsCalloutUnregisterById0(const UINT32 calloutId) {
  if (platform().busy_unregisters > 0) {
    --platform().busy_unregisters;
    return STATUS_DEVICE_BUSY;
  }
  return std::erase_if(platform().callouts, [&](const auto& c) { return c.id == calloutId; }) != 0
             ? STATUS_SUCCESS
             : STATUS_FWP_CALLOUT_NOT_FOUND;
}

NTSTATUS NTAPI FwpmEngineOpen0(PCWSTR, UINT32, struct _SEC_WINNT_AUTH_IDENTITY_W*, const FWPM_SESSION0* session,
                               HANDLE* engineHandle) {
  EXPECT_NE(session->flags & FWPM_SESSION_FLAG_DYNAMIC, 0u);
  *engineHandle = fake::next_handle();
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpmEngineClose0(HANDLE) {
  platform().filters = 0;
  platform().in_transaction = false;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpmTransactionBegin0(HANDLE, UINT32) {
  EXPECT_FALSE(platform().in_transaction);
  platform().in_transaction = true;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpmTransactionCommit0(HANDLE) {
  platform().in_transaction = false;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpmTransactionAbort0(HANDLE) {
  platform().in_transaction = false;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpmSubLayerAdd0(HANDLE, const FWPM_SUBLAYER0*, PSECURITY_DESCRIPTOR) { return STATUS_SUCCESS; }
NTSTATUS NTAPI FwpmSubLayerDeleteByKey0(HANDLE, const GUID*) { return STATUS_SUCCESS; }
NTSTATUS NTAPI FwpmCalloutAdd0(HANDLE, const FWPM_CALLOUT0* callout, PSECURITY_DESCRIPTOR, UINT32*) {
  for (const auto& registered : platform().callouts)
    if (registered.callout.calloutKey == callout->calloutKey)
      platform().by_layer[wfp::model::find_layer(callout->applicableLayer)->id] = registered.id;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpmCalloutDeleteByKey0(HANDLE, const GUID*) { return STATUS_SUCCESS; }
NTSTATUS NTAPI FwpmFilterAdd0(HANDLE, const FWPM_FILTER0*, PSECURITY_DESCRIPTOR, UINT64* id) {
  EXPECT_TRUE(platform().in_transaction);
  if (platform().fail_filter != STATUS_SUCCESS) return platform().fail_filter;
  *id = ++platform().filters;
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpmFilterDeleteById0(HANDLE, UINT64) {
  --platform().filters;
  return STATUS_SUCCESS;
}

// --- packets ---

void NTAPI FwpsReferenceNetBufferList0(NET_BUFFER_LIST* nbl, BOOLEAN) {
  ++platform().references;
  wfp::ndis::reference(*nbl);
}
void NTAPI FwpsDereferenceNetBufferList0(NET_BUFFER_LIST* nbl, BOOLEAN) {
  --platform().references;
  wfp::ndis::release(*nbl);
}
NTSTATUS NTAPI FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST* original, NDIS_HANDLE, NDIS_HANDLE, ULONG,
                                               NET_BUFFER_LIST** clone) {
  if (fake::should_fail(platform().fail_clones)) return platform().failure;
  static wfp::ndis::NblPool pool(512);
  *clone = wfp::ndis::clone(*original, pool, {.inherit_offload = true});
  ++platform().clones;
  return STATUS_SUCCESS;
}
void NTAPI FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST* nbl, ULONG) {
  --platform().clones;
  wfp::ndis::free_clone(*nbl);
}
NTSTATUS NTAPI FwpsConstructIpHeaderForTransportPacket0(NET_BUFFER_LIST*, ULONG headerIncludeHeaderLength,
                                                        ADDRESS_FAMILY, const UCHAR* sourceAddress,
                                                        const UCHAR* remoteAddress, IPPROTO, UINT64,
                                                        const WSACMSGHDR*, ULONG, UINT32, PVOID, IF_INDEX, IF_INDEX) {
  ++platform().constructed;
  platform().events.push_back("construct " + std::to_string(headerIncludeHeaderLength) + " " +
                              fake::hexadecimal(sourceAddress, 4) + " " + fake::hexadecimal(remoteAddress, 4));
  return STATUS_SUCCESS;
}

// --- injection ---

NTSTATUS NTAPI FwpsInjectionHandleCreate0(ADDRESS_FAMILY, UINT32, HANDLE* injectionHandle) {
  ++platform().handles;
  *injectionHandle = fake::next_handle();
  return STATUS_SUCCESS;
}
NTSTATUS NTAPI FwpsInjectionHandleDestroy0(HANDLE) {
  EXPECT_TRUE(platform().injections.empty()) << "the real call would wait for completions";
  --platform().handles;
  return STATUS_SUCCESS;
}
FWPS_PACKET_INJECTION_STATE NTAPI FwpsQueryPacketInjectionState0(HANDLE, const NET_BUFFER_LIST*, HANDLE*) {
  return platform().state;
}
NTSTATUS NTAPI FwpsInjectTransportSendAsync0(HANDLE, HANDLE, UINT64 endpointHandle, UINT32,
                                             FWPS_TRANSPORT_SEND_PARAMS0* sendArgs, ADDRESS_FAMILY addressFamily,
                                             COMPARTMENT_ID, NET_BUFFER_LIST* nbl, FWPS_INJECT_COMPLETE0 completionFn,
                                             HANDLE completionContext) {
  return fake::take({"transport", endpointHandle,
                     fake::hexadecimal(sendArgs->remoteAddress, addressFamily == AF_INET ? 4 : 16), 0, nbl,
                     completionFn, completionContext});
}
NTSTATUS NTAPI FwpsInjectTransportReceiveAsync0(HANDLE, HANDLE, PVOID, UINT32, ADDRESS_FAMILY, COMPARTMENT_ID,
                                                IF_INDEX interfaceIndex, IF_INDEX, NET_BUFFER_LIST* nbl,
                                                FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext) {
  return fake::take({"receive", 0, "", interfaceIndex, nbl, completionFn, completionContext});
}
NTSTATUS NTAPI FwpsInjectNetworkSendAsync0(HANDLE, HANDLE, UINT32, COMPARTMENT_ID, NET_BUFFER_LIST* nbl,
                                           FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext) {
  return fake::take({"network", 0, "", 0, nbl, completionFn, completionContext});
}

// --- flows ---

NTSTATUS NTAPI FwpsFlowAssociateContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId, UINT64 flowContext) {
  if (platform().fail_associate != STATUS_SUCCESS) return platform().fail_associate;
  return platform().contexts.emplace(fake::FlowKey{flowId, layerId, calloutId}, flowContext).second
             ? STATUS_SUCCESS
             : STATUS_OBJECT_NAME_EXISTS;
}
NTSTATUS NTAPI FwpsFlowRemoveContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId) {
  const fake::FlowKey key{flowId, layerId, calloutId};
  if (!platform().contexts.contains(key)) return STATUS_UNSUCCESSFUL;
  if (platform().removals_pend) {
    auto& pending = platform().pending_removals;
    if (std::find(pending.begin(), pending.end(), key) == pending.end()) pending.push_back(key);
    return STATUS_PENDING;
  }
  fake::delete_context(key);
  return STATUS_SUCCESS;
}

// --- pending ---

NTSTATUS NTAPI FwpsPendOperation0(HANDLE completionHandle, HANDLE* completionContext) {
  if (completionHandle == nullptr) return STATUS_FWP_CANNOT_PEND;
  platform().pends.push_back({reinterpret_cast<std::uintptr_t>(completionHandle) + 1, false, nullptr});
  *completionContext = reinterpret_cast<HANDLE>(platform().pends.back().context);
  return STATUS_SUCCESS;
}
void NTAPI FwpsCompleteOperation0(HANDLE completionContext, PNET_BUFFER_LIST nbl) {
  for (auto& pend : platform().pends) {
    if (pend.context != reinterpret_cast<std::uintptr_t>(completionContext)) continue;
    EXPECT_FALSE(pend.completed) << "completed twice";
    pend.completed = true;
    pend.clone = nbl;
    platform().events.push_back("complete operation");
    return;
  }
  ADD_FAILURE() << "completed an operation that was not pended";
}

}  // extern "C"
