// Kernel times (100 ns, negative relative, positive absolute since 1601) and instants of the scheduler's clock.
#pragma once

#include "nt/types.h"
#include "wfp/kernel/clock.hpp"

namespace wfp::kernel {

Instant instant_of(const Clock& clock, LARGE_INTEGER due);
Instant deadline_of(const Clock& clock, const LARGE_INTEGER* timeout);  // null: never

}  // namespace wfp::kernel
