// What a driver is told of an injecting call that fails: which call, with which status and why, and whose the packet is
// then. Most drivers free a packet in its completion function alone, which a refused call never runs.
#pragma once

#include <string>

#include "wfp/inject/injections.hpp"

namespace wfp::inject {

// Reports INJ-REFUSED: a note where the refusal is no mistake of the driver's (a bound, a handle that is closing, a path
// that does not exist here), else a violation. Returns `status`. Any thread, without a lock.
NTSTATUS report_refusal(const Injection& injection, NTSTATUS status, const std::string& why);
// The packet alone, for a refusal that another rule has named already.
NTSTATUS remember_refusal(const Injection& injection, NTSTATUS status);

}  // namespace wfp::inject
