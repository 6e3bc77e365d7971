// An NBL with several NET_BUFFERs, for a stack that takes one packet at a time: each is injected as a packet of its
// own, and the driver's NBL completes when the last of them is gone, with the first error that any of them had.
#pragma once

#include "wfp/host/host.hpp"

namespace wfp::inject {

// The first NET_BUFFER goes as the NBL itself, the others as copies. Takes the NBL's reference. What cannot be copied
// for want of memory fails the NBL with STATUS_INSUFFICIENT_RESOURCES.
void inject_each_buffer(Host& host, const InjectRequest& request);

}  // namespace wfp::inject
