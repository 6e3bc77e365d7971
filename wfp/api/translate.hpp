// From the structures of the management API to the engine's objects, copied as a whole once, and back for the get and
// enum functions. PASSIVE_LEVEL. Errors: STATUS_FWP_NULL_POINTER, STATUS_FWP_NULL_DISPLAY_NAME, STATUS_FWP_OUT_OF_BOUNDS,
// STATUS_FWP_LAYER_NOT_FOUND, and those of model::Condition::copy and model::Value::copy.
#pragma once

#include "fwpmk.h"
#include "wfp/engine/management.hpp"

namespace wfp::api {

inline constexpr std::size_t kMaxProviderData = 64 * 1024;  // bytes

NTSTATUS translate(const FWPM_PROVIDER0& from, model::Provider& into);
NTSTATUS translate(const FWPM_SUBLAYER0& from, model::SubLayer& into);
NTSTATUS translate(const FWPM_CALLOUT0& from, model::CalloutObject& into);
NTSTATUS translate(const FWPM_FILTER0& from, model::Filter& into);

// A structure and all that it points to, to be given to free_api as a whole.
FWPM_PROVIDER0* to_api(const model::Provider& from);
FWPM_SUBLAYER0* to_api(const model::SubLayer& from);
FWPM_LAYER0* to_api(const model::Layer& from);  // fields in index order, without those that no condition can name
FWPM_CALLOUT0* to_api(const model::CalloutObject& from);
FWPM_FILTER0* to_api(const engine::CompiledFilter& from);
// The same for a page: the array is what free_api gets, the entries go with it. Null for an empty page.
FWPM_SUBLAYER0** to_api(const engine::Page<model::SubLayer>& from);
FWPM_LAYER0** to_api(const engine::Page<model::Layer>& from);
FWPM_CALLOUT0** to_api(const engine::Page<model::CalloutObject>& from);
FWPM_FILTER0** to_api(const engine::Page<engine::CompiledFilter>& from);
void free_api(void* object);  // null is fine; anything else not from to_api is reported (FWPM-BAD-FREE)

}  // namespace wfp::api
