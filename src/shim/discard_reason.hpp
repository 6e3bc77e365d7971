// Why the stack gave a packet up, in WFP's words: module and reason of FWPS_DISCARD_METADATA0.
#pragma once

#include <cstdint>

#include "fwpsk.h"
#include "stack/base/drop.hpp"

namespace shim {

struct DiscardReason {
  FWPS_DISCARD_MODULE0 module = FWPS_DISCARD_MODULE_NETWORK;
  std::uint32_t reason = 0;
};

// `at_transport`: the packet was given up by a transport protocol, which has reasons of its own.
DiscardReason discard_reason(stack::Drop drop, bool at_transport);

// What an injected packet's NBL->Status says when the stack gave it up.
NTSTATUS drop_status(stack::Drop drop);

}  // namespace shim
