// Fwpm functions that enumerate objects: check, translate the template, call the engine. PASSIVE_LEVEL, any thread. An
// enumeration is the engine's (management.hpp) and its handle a number; it shows what there was when it began. A page
// is one object until FwpmFreeMemory0, its entries with it.
#include "fwpmk.h"
#include "nt/ke.h"
#include "nt/ntstatus.h"
#include "wfp/api/session_handle.hpp"
#include "wfp/api/translate.hpp"
#include "wfp/kernel/irql.hpp"

using namespace wfp;
using namespace wfp::api;

namespace {

template <class Object>
using Wanted = std::function<bool(const Object&)>;

template <class Object>
NTSTATUS begin(HANDLE session, HANDLE* handle, const char* routine, const Wanted<Object>& is_wanted) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  if (handle == nullptr) return STATUS_FWP_NULL_POINTER;
  engine::EnumerationId id = 0;
  const NTSTATUS status = management().enumerate<Object>(to_session(session), is_wanted, id);
  if (NT_SUCCESS(status)) *handle = to_handle(id);
  return status;
}

template <class Object, class Api>
NTSTATUS next(HANDLE session, HANDLE handle, UINT32 count, Api*** entries, UINT32* returned, const char* routine) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  if (entries == nullptr || returned == nullptr) return STATUS_FWP_NULL_POINTER;
  engine::Page<Object> page;
  const NTSTATUS status = management().next_page<Object>(to_session(session), to_enumeration(handle), count, page);
  if (!NT_SUCCESS(status)) return status;
  *returned = static_cast<UINT32>(page.size());
  *entries = to_api(page);
  return STATUS_SUCCESS;
}

NTSTATUS end(HANDLE session, HANDLE handle, const char* routine) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  return management().end_enumeration(to_session(session), to_enumeration(handle));
}

// --- templates: what is null or zero asks for nothing in particular ---

bool has_provider(const model::Identity& object, const GUID* provider) {
  return provider == nullptr || (object.provider && *object.provider == *provider);
}

bool is_at(std::uint16_t layer, const GUID& wanted) {
  return engine::is_zero(wanted) || *model::find_layer(layer)->key == wanted;
}

bool fits(const model::Filter& filter, const FWPM_FILTER_ENUM_TEMPLATE0& wanted) {
  const bool is_boot_time = (filter.flags & FWPM_FILTER_FLAG_BOOTTIME) != 0;
  if ((wanted.flags & FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY) != 0) {
    if (!is_boot_time) return false;
  } else if (is_boot_time && (wanted.flags & FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME) == 0) {
    return false;
  }
  if (wanted.providerContextTemplate != nullptr) return false;  // no filter has a provider context here
  if (wanted.calloutKey != nullptr && !(filter.calls_out() && filter.callout == *wanted.calloutKey)) return false;
  return (filter.action & wanted.actionMask) != 0 && has_provider(filter, wanted.providerKey) &&
         is_at(filter.layer, wanted.layerKey);
}

// Comparing conditions, and the best match that goes with it, are not built yet.
NTSTATUS check(const FWPM_FILTER_ENUM_TEMPLATE0& wanted) {
  constexpr UINT32 kKnown = FWP_FILTER_ENUM_FLAG_BEST_TERMINATING_MATCH | FWP_FILTER_ENUM_FLAG_SORTED |
                            FWP_FILTER_ENUM_FLAG_BOOTTIME_ONLY | FWP_FILTER_ENUM_FLAG_INCLUDE_BOOTTIME |
                            FWP_FILTER_ENUM_FLAG_INCLUDE_DISABLED;
  if ((wanted.flags & ~kKnown) != 0) return STATUS_FWP_INVALID_FLAGS;
  if (wanted.enumType >= FWP_FILTER_ENUM_TYPE_MAX) return STATUS_FWP_INVALID_ENUMERATOR;
  if (!engine::is_zero(wanted.layerKey) && model::find_layer(wanted.layerKey) == nullptr)
    return STATUS_FWP_LAYER_NOT_FOUND;
  const bool compares = wanted.numFilterConditions != 0;
  const bool is_best = (wanted.flags & FWP_FILTER_ENUM_FLAG_BEST_TERMINATING_MATCH) != 0;
  return compares || is_best ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

}  // namespace

extern "C" {

NTSTATUS NTAPI FwpmSubLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_SUBLAYER_ENUM_TEMPLATE0* enumTemplate,
                                             HANDLE* enumHandle) {
  return begin<model::SubLayer>(engineHandle, enumHandle, "FwpmSubLayerCreateEnumHandle0", [&](const auto& object) {
    return enumTemplate == nullptr || has_provider(object, enumTemplate->providerKey);
  });
}
NTSTATUS NTAPI FwpmSubLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_SUBLAYER0*** entries, UINT32* numEntriesReturned) {
  return next<model::SubLayer>(engineHandle, enumHandle, numEntriesRequested, entries, numEntriesReturned,
                               "FwpmSubLayerEnum0");
}
NTSTATUS NTAPI FwpmSubLayerDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle) {
  return end(engineHandle, enumHandle, "FwpmSubLayerDestroyEnumHandle0");
}

// The template of layers has nothing in it.
NTSTATUS NTAPI FwpmLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_LAYER_ENUM_TEMPLATE0*, HANDLE* enumHandle) {
  return begin<model::Layer>(engineHandle, enumHandle, "FwpmLayerCreateEnumHandle0",
                             [](const auto&) { return true; });
}
NTSTATUS NTAPI FwpmLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                              FWPM_LAYER0*** entries, UINT32* numEntriesReturned) {
  return next<model::Layer>(engineHandle, enumHandle, numEntriesRequested, entries, numEntriesReturned,
                            "FwpmLayerEnum0");
}
NTSTATUS NTAPI FwpmLayerDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle) {
  return end(engineHandle, enumHandle, "FwpmLayerDestroyEnumHandle0");
}

NTSTATUS NTAPI FwpmCalloutCreateEnumHandle0(HANDLE engineHandle, const FWPM_CALLOUT_ENUM_TEMPLATE0* enumTemplate,
                                            HANDLE* enumHandle) {
  return begin<model::CalloutObject>(
      engineHandle, enumHandle, "FwpmCalloutCreateEnumHandle0", [&](const auto& object) {
        return enumTemplate == nullptr ||
               (has_provider(object, enumTemplate->providerKey) && is_at(object.layer, enumTemplate->layerKey));
      });
}
NTSTATUS NTAPI FwpmCalloutEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                FWPM_CALLOUT0*** entries, UINT32* numEntriesReturned) {
  return next<model::CalloutObject>(engineHandle, enumHandle, numEntriesRequested, entries, numEntriesReturned,
                                    "FwpmCalloutEnum0");
}
NTSTATUS NTAPI FwpmCalloutDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle) {
  return end(engineHandle, enumHandle, "FwpmCalloutDestroyEnumHandle0");
}

NTSTATUS NTAPI FwpmFilterCreateEnumHandle0(HANDLE engineHandle, const FWPM_FILTER_ENUM_TEMPLATE0* enumTemplate,
                                           HANDLE* enumHandle) {
  if (enumTemplate != nullptr)
    if (const NTSTATUS status = check(*enumTemplate); !NT_SUCCESS(status)) return status;
  return begin<engine::CompiledFilter>(
      engineHandle, enumHandle, "FwpmFilterCreateEnumHandle0",
      [&](const auto& compiled) { return enumTemplate == nullptr || fits(compiled.filter, *enumTemplate); });
}
NTSTATUS NTAPI FwpmFilterEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_FILTER0*** entries, UINT32* numEntriesReturned) {
  return next<engine::CompiledFilter>(engineHandle, enumHandle, numEntriesRequested, entries, numEntriesReturned,
                                      "FwpmFilterEnum0");
}
NTSTATUS NTAPI FwpmFilterDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle) {
  return end(engineHandle, enumHandle, "FwpmFilterDestroyEnumHandle0");
}

}  // extern "C"
