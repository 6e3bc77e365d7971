// Fwps functions that register callouts: check, call the engine's table. PASSIVE_LEVEL, any thread.
#include "fwpsk.h"
#include "nt/io.h"
#include "nt/ke.h"
#include "nt/ntstatus.h"
#include "wfp/api/call_notes.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/failed_calls.hpp"

using namespace wfp;

namespace {

template <class Callout>
NTSTATUS add(void* device, const Callout* callout, UINT32* id, unsigned version, const char* routine) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  if (device == nullptr || callout == nullptr)
    return ledger::call_failed(routine, STATUS_INVALID_PARAMETER,
                               device == nullptr ? "deviceObject is NULL" : "callout is NULL");
  const std::string key = "callout " + engine::to_text(callout->calloutKey);
  if (callout->classifyFn == nullptr || callout->notifyFn == nullptr)
    return ledger::call_failed(
        routine, STATUS_INVALID_PARAMETER,
        key + (callout->classifyFn == nullptr ? ": classifyFn is NULL" : ": notifyFn is NULL"));
  engine::Registration registration;
  registration.key = callout->calloutKey;
  registration.version = version;
  registration.flags = callout->flags;
  registration.classify = reinterpret_cast<void (*)()>(callout->classifyFn);
  registration.notify = reinterpret_cast<void (*)()>(callout->notifyFn);
  registration.flow_delete = callout->flowDeleteFn;
  registration.driver = ledger::current_driver();
  registration.device = device;
  auto& engine = engine::Engine::current();
  const NTSTATUS status = engine.callouts().add(registration, id);
  if (!NT_SUCCESS(status))
    return ledger::call_failed(
        routine, status,
        key + (status == STATUS_FWP_ALREADY_EXISTS ? ": one of this key is registered already" : ""));
  engine.callouts_changed();
  api::note_unasked_callout(routine, registration.key);
  api::note_registered_late(routine, registration.key);
  return status;
}

template <class Key>
NTSTATUS remove(const Key& key, const char* routine) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, routine);
  auto& engine = engine::Engine::current();
  const NTSTATUS status = engine.callouts().remove(key);
  if (NT_SUCCESS(status)) engine.callouts_changed();
  return status;
}

}  // namespace

extern "C" {

NTSTATUS NTAPI FwpsCalloutRegister0(void* deviceObject, const FWPS_CALLOUT0* callout, UINT32* calloutId) {
  return add(deviceObject, callout, calloutId, 0, "FwpsCalloutRegister0");
}
NTSTATUS NTAPI FwpsCalloutRegister1(void* deviceObject, const FWPS_CALLOUT1* callout, UINT32* calloutId) {
  return add(deviceObject, callout, calloutId, 1, "FwpsCalloutRegister1");
}
NTSTATUS NTAPI FwpsCalloutRegister2(void* deviceObject, const FWPS_CALLOUT2* callout, UINT32* calloutId) {
  return add(deviceObject, callout, calloutId, 2, "FwpsCalloutRegister2");
}
NTSTATUS NTAPI FwpsCalloutRegister3(void* deviceObject, const FWPS_CALLOUT3* callout, UINT32* calloutId) {
  return add(deviceObject, callout, calloutId, 3, "FwpsCalloutRegister3");
}
NTSTATUS NTAPI FwpsCalloutUnregisterById0(const UINT32 calloutId) {
  return remove(calloutId, "FwpsCalloutUnregisterById0");
}
NTSTATUS NTAPI FwpsCalloutUnregisterByKey0(const GUID* calloutKey) {
  return calloutKey != nullptr ? remove(*calloutKey, "FwpsCalloutUnregisterByKey0") : STATUS_INVALID_PARAMETER;
}

}  // extern "C"
