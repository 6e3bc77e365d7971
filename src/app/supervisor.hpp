// The outer process of `wfptap test`: it makes the private network, starts the stack in a child process, runs COMMAND
// beside it once everything is usable, and ends what is left of COMMAND when the drivers are gone. It has one thread
// and holds no packet, so that it can still say what happened when a driver takes the stack down.
//
// COMMAND stays in our process group: the terminal, Ctrl-C and Ctrl-Z reach it as if it had been started by itself.
#pragma once

#include <functional>

#include "src/app/channel.hpp"
#include "src/app/cli/exit_status.hpp"
#include "src/app/cli/options.hpp"

namespace app {

// What the child process does; its result is the exit code of that process. `report_fd` is -1 without --report.
using StackRole = std::function<int(Channel channel, int report_fd, const TestOptions& options)>;

// The whole of `wfptap test`. `arguments` are argv as given, for --gdb, which starts the program anew under the
// debugger. Prints the last line and returns the exit code.
int run_test(const TestOptions& options, const std::vector<std::string>& arguments, const StackRole& stack);

// Set in the environment of a stack that was started anew under gdb: "CHANNEL-FD REPORT-FD".
inline constexpr const char* kInnerVariable = "WFPTAP_INNER";
// In such a process: runs the role and returns its code; nothing otherwise.
std::optional<int> run_inner(const TestOptions& options, const StackRole& stack);

}  // namespace app
