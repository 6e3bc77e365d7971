// Notes about calls that succeed, as they do on Windows, and come to nothing: a filter or callout at a layer that no shim
// asks, a callout that is registered after its filters. PASSIVE_LEVEL, in the driver's name, without a lock.
#pragma once

#include "fwpmk.h"

namespace wfp::api {

void note_unasked(const char* routine, const FWPM_FILTER0& filter);
// A callout that was registered; its layer is known once its management object is there, before or after.
void note_unasked_callout(const char* routine, const GUID& key);
// Filters that name the callout were there before it was registered: its notifyFn is not told of them.
void note_registered_late(const char* routine, const GUID& key);

}  // namespace wfp::api
