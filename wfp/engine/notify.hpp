// Calls of notifyFn: a filter that names the callout comes or goes. PASSIVE_LEVEL, in the driver's name. Documented: of
// the coming of filters that are older than the registration nothing is said.
#pragma once

#include "wfp/engine/snapshot.hpp"

namespace wfp::engine {

// What the callout says; success when it has no function for it. `filter.notified` follows.
NTSTATUS notify_added(CompiledFilter& filter);
void notify_committed(CompiledFilter& filter);  // FWP_CALLOUT_FLAG_ENABLE_COMMIT_ADD_NOTIFY
// False: nobody is registered for it, and nobody will be told that it is gone.
bool expect_delete_notice(CompiledFilter& filter);
void notify_deleted(CompiledFilter& filter);

}  // namespace wfp::engine
