// The report on a system call that the sandbox refused.
#pragma once

#include "src/app/process/fault_text.hpp"

namespace app {

// `info` is that of the SIGSYS. The first lines of the report, as add_signal makes them for other signals.
void add_refused_call(FixedText& text, const siginfo_t& info);

}  // namespace app
