// The process that runs the stack: a fork of the supervisor, or with --gdb the program once more under the debugger.
// It ends when the supervisor does.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/app/cli/options.hpp"
#include "src/app/supervisor/channel.hpp"

namespace app {

// What the process does; its result is the exit code of that process. `report_fd` is -1 without --report.
using StackRole = std::function<int(Channel channel, int report_fd, const TestOptions& options)>;

struct StackStart {
  const StackRole& role;
  const TestOptions& options;
  const std::vector<std::string>& arguments;  // argv as given, for --gdb
  int report_fd;
  sigset_t mask;  // of signals, for the new process
};

// The process, with the supervisor's end of the channel to it; -1, with `error` set, when it could not be made. The
// calling process has one thread.
pid_t start_stack_process(const StackStart& start, Channel& channel, std::string& error);

// --gdb on a terminal: a person has the debugger and takes the time that it takes.
bool is_debugged_by_hand(const TestOptions& options);

// In a process that was started under gdb: runs the role and returns its code; nothing in any other.
std::optional<int> run_debugged_stack(const TestOptions& options, const StackRole& role);

}  // namespace app
