// Fwpm functions that add, delete and get objects: check, translate, call the engine. PASSIVE_LEVEL, any thread.
#include "fwpmk.h"
#include "nt/ke.h"
#include "nt/ntstatus.h"
#include "wfp/api/call_notes.hpp"
#include "wfp/api/session_handle.hpp"
#include "wfp/api/translate.hpp"
#include "wfp/api/why_refused.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/failed_calls.hpp"

using namespace wfp;
using namespace wfp::api;

namespace {

template <class Model, class Api, class... Id>
NTSTATUS add(HANDLE handle, const Api* from, const char* routine, Id*... id) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  if (from == nullptr) return ledger::call_failed(routine, STATUS_FWP_NULL_POINTER, "the object is NULL");
  Model object;
  NTSTATUS status = translate(*from, object);
  if (NT_SUCCESS(status)) status = management().add(to_session(handle), std::move(object), id...);
  return NT_SUCCESS(status) ? status : ledger::call_failed(routine, status, why_refused(*from, status));
}

template <class Object, class Api, class Find>
NTSTATUS get(Api** out, const char* routine, Find find) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  if (out == nullptr) return STATUS_FWP_NULL_POINTER;
  std::shared_ptr<const Object> found;
  const NTSTATUS status = find(found);
  if (NT_SUCCESS(status)) *out = to_api(*found);
  return status;
}

// By key: a pointer that may be null.
template <class Object, class Api, class Find>
NTSTATUS get(const GUID* key, Api** out, const char* routine, Find find) {
  return get<Object>(out, routine, [&](auto& found) -> NTSTATUS {
    return key != nullptr ? find(*key, found) : static_cast<NTSTATUS>(STATUS_FWP_NULL_POINTER);
  });
}

template <class Remove>
NTSTATUS remove(const GUID* key, const char* routine, Remove remove_one) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  return key != nullptr ? remove_one(*key) : static_cast<NTSTATUS>(STATUS_FWP_NULL_POINTER);
}

}  // namespace

extern "C" {

NTSTATUS NTAPI FwpmProviderAdd0(HANDLE engineHandle, const FWPM_PROVIDER0* provider, PSECURITY_DESCRIPTOR sd) {
  UNREFERENCED_PARAMETER(sd);
  return add<model::Provider>(engineHandle, provider, "FwpmProviderAdd0");
}
NTSTATUS NTAPI FwpmProviderDeleteByKey0(HANDLE engineHandle, const GUID* key) {
  return remove(key, "FwpmProviderDeleteByKey0",
                [&](const GUID& of) { return management().remove_provider(to_session(engineHandle), of); });
}
NTSTATUS NTAPI FwpmProviderGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_PROVIDER0** provider) {
  return get<model::Provider>(key, provider, "FwpmProviderGetByKey0", [&](const GUID& of, auto& out) {
    return management().get_provider(to_session(engineHandle), of, out);
  });
}

NTSTATUS NTAPI FwpmSubLayerAdd0(HANDLE engineHandle, const FWPM_SUBLAYER0* subLayer, PSECURITY_DESCRIPTOR sd) {
  UNREFERENCED_PARAMETER(sd);
  return add<model::SubLayer>(engineHandle, subLayer, "FwpmSubLayerAdd0");
}
NTSTATUS NTAPI FwpmSubLayerDeleteByKey0(HANDLE engineHandle, const GUID* key) {
  return remove(key, "FwpmSubLayerDeleteByKey0",
                [&](const GUID& of) { return management().remove_sublayer(to_session(engineHandle), of); });
}
NTSTATUS NTAPI FwpmSubLayerGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_SUBLAYER0** subLayer) {
  return get<model::SubLayer>(key, subLayer, "FwpmSubLayerGetByKey0", [&](const GUID& of, auto& out) {
    return management().get_sublayer(to_session(engineHandle), of, out);
  });
}

NTSTATUS NTAPI FwpmLayerGetById0(HANDLE engineHandle, UINT16 id, FWPM_LAYER0** layer) {
  return get<model::Layer>(layer, "FwpmLayerGetById0",
                           [&](auto& out) { return management().get_layer(to_session(engineHandle), id, out); });
}
NTSTATUS NTAPI FwpmLayerGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_LAYER0** layer) {
  return get<model::Layer>(key, layer, "FwpmLayerGetByKey0", [&](const GUID& of, auto& out) {
    return management().get_layer(to_session(engineHandle), of, out);
  });
}

NTSTATUS NTAPI FwpmCalloutAdd0(HANDLE engineHandle, const FWPM_CALLOUT0* callout, PSECURITY_DESCRIPTOR sd,
                               UINT32* id) {
  UNREFERENCED_PARAMETER(sd);
  return add<model::CalloutObject>(engineHandle, callout, "FwpmCalloutAdd0", id);
}
NTSTATUS NTAPI FwpmCalloutDeleteById0(HANDLE engineHandle, UINT32 id) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmCalloutDeleteById0");
  return management().remove_callout(to_session(engineHandle), id);
}
NTSTATUS NTAPI FwpmCalloutDeleteByKey0(HANDLE engineHandle, const GUID* key) {
  return remove(key, "FwpmCalloutDeleteByKey0",
                [&](const GUID& of) { return management().remove_callout(to_session(engineHandle), of); });
}
NTSTATUS NTAPI FwpmCalloutGetById0(HANDLE engineHandle, UINT32 id, FWPM_CALLOUT0** callout) {
  return get<model::CalloutObject>(callout, "FwpmCalloutGetById0", [&](auto& out) {
    return management().get_callout(to_session(engineHandle), id, out);
  });
}
NTSTATUS NTAPI FwpmCalloutGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_CALLOUT0** callout) {
  return get<model::CalloutObject>(key, callout, "FwpmCalloutGetByKey0", [&](const GUID& of, auto& out) {
    return management().get_callout(to_session(engineHandle), of, out);
  });
}

NTSTATUS NTAPI FwpmFilterAdd0(HANDLE engineHandle, const FWPM_FILTER0* filter, PSECURITY_DESCRIPTOR sd, UINT64* id) {
  UNREFERENCED_PARAMETER(sd);
  std::uint64_t made = 0;
  const NTSTATUS status = add<model::Filter>(engineHandle, filter, "FwpmFilterAdd0", &made);
  if (!NT_SUCCESS(status)) return status;
  if (id != nullptr) *id = made;
  note_unasked("FwpmFilterAdd0", *filter);
  return status;
}
NTSTATUS NTAPI FwpmFilterDeleteById0(HANDLE engineHandle, UINT64 id) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmFilterDeleteById0");
  return management().remove_filter(to_session(engineHandle), static_cast<std::uint64_t>(id));
}
NTSTATUS NTAPI FwpmFilterDeleteByKey0(HANDLE engineHandle, const GUID* key) {
  return remove(key, "FwpmFilterDeleteByKey0",
                [&](const GUID& of) { return management().remove_filter(to_session(engineHandle), of); });
}
NTSTATUS NTAPI FwpmFilterGetById0(HANDLE engineHandle, UINT64 id, FWPM_FILTER0** filter) {
  return get<engine::CompiledFilter>(filter, "FwpmFilterGetById0", [&](auto& out) {
    return management().get_filter(to_session(engineHandle), static_cast<std::uint64_t>(id), out);
  });
}
NTSTATUS NTAPI FwpmFilterGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_FILTER0** filter) {
  return get<engine::CompiledFilter>(key, filter, "FwpmFilterGetByKey0", [&](const GUID& of, auto& out) {
    return management().get_filter(to_session(engineHandle), of, out);
  });
}

}  // extern "C"
