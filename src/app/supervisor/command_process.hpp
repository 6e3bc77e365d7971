// Starts COMMAND: our terminal, group and working directory, the caller's signal mask, a few more variables.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace app {

struct CommandStart {
  const std::vector<std::string>& words;
  const std::vector<std::pair<std::string, std::string>>& environment;  // those with an empty value are left out
  sigset_t mask;
  bool without_input;  // standard input is /dev/null: a debugger has the terminal
};

// The process, or -1 with `error` saying why it could not be run. The calling process has one thread.
pid_t start_command_process(const CommandStart& start, std::string& error);

}  // namespace app
