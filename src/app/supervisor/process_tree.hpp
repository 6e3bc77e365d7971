// The descendants of this process, which is their subreaper: what COMMAND left behind, wherever it went.
#pragma once

#include <sys/types.h>

#include <vector>

namespace app {

// All descendants of the calling process but `except` and its descendants, parents first.
std::vector<pid_t> descendants(pid_t except);

// Sends the signal to each.
void signal_descendants(pid_t except, int signal);

// Asks them to end, waits a moment, ends them; reaps what becomes ours. Bounded in time: about a second.
void end_descendants(pid_t except);

}  // namespace app
