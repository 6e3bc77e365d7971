#pragma once
#include "nt/ntstatus.h"
namespace shim {
inline constexpr NTSTATUS kEndpointGoneStatus = STATUS_CONNECTION_INVALID;
}
