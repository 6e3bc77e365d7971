// From the structures of the management API to the engine's objects, copied as a whole once, and back for the get
// functions. PASSIVE_LEVEL. Errors: STATUS_FWP_NULL_POINTER, STATUS_FWP_NULL_DISPLAY_NAME, STATUS_FWP_OUT_OF_BOUNDS,
// STATUS_FWP_LAYER_NOT_FOUND, and those of model::Condition::copy and model::Value::copy.
#pragma once

#include "fwpmk.h"
#include "wfp/model/objects.hpp"

namespace wfp::api {

inline constexpr std::size_t kMaxProviderData = 64 * 1024;  // bytes

NTSTATUS translate(const FWPM_PROVIDER0& from, model::Provider& into);
NTSTATUS translate(const FWPM_SUBLAYER0& from, model::SubLayer& into);
NTSTATUS translate(const FWPM_CALLOUT0& from, model::CalloutObject& into);
NTSTATUS translate(const FWPM_FILTER0& from, model::Filter& into);

// One allocation each, freed by FwpmFreeMemory0. A filter comes without its conditions' values being shared: they
// point into the same allocation.
FWPM_PROVIDER0* to_api(const model::Provider& from);
FWPM_SUBLAYER0* to_api(const model::SubLayer& from);
FWPM_CALLOUT0* to_api(const model::CalloutObject& from, bool is_registered);
FWPM_FILTER0* to_api(const model::Filter& from);
void free_api(void* object);  // null is fine; anything else not from to_api is reported

}  // namespace wfp::api
