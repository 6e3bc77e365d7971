// Options that a callout sets for the endpoint of its classify: checked as documented. They steer multicast, source
// mapping and lifetimes of state that this stack does not keep, so a valid one has no effect.
#pragma once

#include "fwpsk.h"

namespace wfp::ale {

// STATUS_UNSUCCESSFUL outside a classify, STATUS_FWP_INVALID_ENUMERATOR, STATUS_OBJECT_TYPE_MISMATCH,
// STATUS_FWP_OUT_OF_BOUNDS.
NTSTATUS check_classify_option(FWP_CLASSIFY_OPTION_TYPE option, const FWP_VALUE0& value);

}  // namespace wfp::ale
