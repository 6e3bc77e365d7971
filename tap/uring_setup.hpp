// Sets up an io_uring with the best flags that the kernel takes, or says why there is none. Private to tap/.
#pragma once

#include <liburing.h>

#include "tap/frame_io.hpp"

namespace tap {

inline constexpr unsigned kUringEntries = 256;

// The ring is made disabled: the thread that enables it is the one that may use it.
UringProbe set_up_uring(io_uring& ring);

}  // namespace tap
