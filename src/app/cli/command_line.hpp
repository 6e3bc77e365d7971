// From argv to a CommandLine. Everything before the first "--" is ours and goes through CLI11; what follows is the
// COMMAND of `wfptap test`, untouched. Options of a --config FILE stand behind those of the command line: one that is
// given in both places has the command line's value.
//
// Errors: a sentence on what is wrong and what to do; the caller prints it and ends with exit code 2. No side effects
// other than reading the configuration file.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "src/app/cli/options.hpp"

namespace app {

// Nothing to run: help or the version was asked for (code 0, on standard output), or the arguments are wrong.
struct EndEarly {
  int code = 0;
  std::string text;
};

// `arguments` without the program's name.
std::variant<CommandLine, EndEarly> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace app
