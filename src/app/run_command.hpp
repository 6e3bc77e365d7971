// `wfptap run`: the daemon in the foreground, in the current network namespace, until SIGTERM or SIGINT. SIGHUP is
// ignored.
#pragma once

#include "src/app/cli/options.hpp"

namespace app {

int run_daemon(const RunOptions& options);  // prints the last line; returns the exit code

}  // namespace app
