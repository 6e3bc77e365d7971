// The body of a driver's thread, and its termination from within (PsTerminateSystemThread), which jumps back to the
// start of the thread without unwinding, as the documented routine does: what the driver still holds on its stack is
// its own affair. Starting threads and their handles: nt_ps.cpp.
#pragma once

#include <functional>

#include "nt/ps.h"

namespace wfp::kernel {

// Runs `body` until it returns or calls terminate_current_thread; returns the exit status.
NTSTATUS run_until_terminated(const std::function<void()>& body);
// False when the calling thread was not started by run_until_terminated; otherwise does not return.
bool terminate_current_thread(NTSTATUS status);

}  // namespace wfp::kernel
