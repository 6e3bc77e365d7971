// Assertions for our own bugs. They stay on in release builds; bad input never reaches them, it is counted as a Drop.
#pragma once

#include <source_location>

namespace stack {

// Reports the failed expression through the fault handler (by default: standard error) and ends the process.
[[noreturn]] void fail_check(const char* expression, std::source_location where = std::source_location::current());

// What a failed check calls before the process ends; the daemon installs its fault report here. Set once, at start.
using FaultHandler = void (*)(const char* expression, const std::source_location& where);
void set_fault_handler(FaultHandler handler);

}  // namespace stack

#define CHECK(expression) ((expression) ? void(0) : ::stack::fail_check(#expression))
#ifdef NDEBUG
#define DCHECK(expression) void(0)
#else
#define DCHECK(expression) CHECK(expression)
#endif
