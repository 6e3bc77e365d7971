// What NBL->Status says when an injection came to nothing. Marked as ours: Windows' own values are not documented.
#pragma once

#include "nt/ntstatus.h"

namespace wfp::inject {

// Transport send for an endpoint that is zero, unknown or closed: accepted, completed with this.
inline constexpr NTSTATUS kEndpointGoneStatus = STATUS_CONNECTION_INVALID;
// What the packet's own headers say of it is wrong. Not documented; public reports of drivers in the field have it.
inline constexpr NTSTATUS kMalformedStatus = STATUS_DATA_NOT_ACCEPTED;
// The packet or its originals were injected kMaxHops times; somebody injects in a circle.
inline constexpr NTSTATUS kTooManyHopsStatus = STATUS_UNSUCCESSFUL;

}  // namespace wfp::inject
