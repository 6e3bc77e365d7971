// Calls of notifyFn: a filter that names the callout comes or goes. PASSIVE_LEVEL, in the driver's name.
#pragma once

#include "wfp/engine/snapshot.hpp"

namespace wfp::engine {

// What the callout says; success when it has no function for it. `filter.notified` follows.
NTSTATUS notify_added(CompiledFilter& filter);
void notify_committed(CompiledFilter& filter);  // FWP_CALLOUT_FLAG_ENABLE_COMMIT_ADD_NOTIFY
void notify_deleted(CompiledFilter& filter);

}  // namespace wfp::engine
