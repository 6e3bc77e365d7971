// What an injection for an endpoint that is gone completes with; the constant belongs to the side that completes.
#pragma once

#include "wfp/inject/inject_status.hpp"

namespace shim {
using wfp::inject::kEndpointGoneStatus;
}
