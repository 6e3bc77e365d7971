// Arguments that may not be NULL. Windows does not look and faults somewhere inside; here the end has a name: that of
// the function and of the argument, and the place of the call. First thing in the body of a documented function.
#pragma once

namespace wfp::ledger {

// Ends the process: by the function that was set (wfp/kernel makes a bug check of it), else by abort().
[[noreturn]] void null_argument(const char* function, const char* argument);
void set_null_argument_end(void (*end)(const char* function, const char* argument));

}  // namespace wfp::ledger

#define REQUIRE_ARGUMENT(argument) \
  ((argument) != nullptr ? (void)0 : ::wfp::ledger::null_argument(__func__, #argument))
