// The outer process of `wfptap test`: it makes the private network, starts the stack in a child process, runs COMMAND
// beside it once everything is usable, and ends what is left of COMMAND when the drivers are gone. It has one thread
// and holds no packet, so that it can still say what happened when a driver takes the stack down.
//
// COMMAND stays in our process group: the terminal, Ctrl-C and Ctrl-Z reach it as if it had been started by itself.
// Before and after COMMAND a signal is for us: the first asks the stack to end, the second kills it.
#pragma once

#include "src/app/supervisor/stack_process.hpp"

#include <chrono>

namespace app {

// How long the stack may take to unload its drivers, from the end of COMMAND to `done`.
struct UnloadLimits {
  std::chrono::milliseconds silent{3'000};          // then it is said what is waited for
  std::chrono::milliseconds usual{120'000};         // then the stack is killed
  std::chrono::milliseconds after_timeout{30'000};  // the same when --timeout had struck: somebody is in a hurry
};

// The whole of `wfptap test`. `arguments` are argv as given, for --gdb, which starts the program anew under the
// debugger. Prints the last line and returns the exit code.
int run_test(const TestOptions& options, const std::vector<std::string>& arguments, const StackRole& role,
             const UnloadLimits& limits = {});

}  // namespace app
