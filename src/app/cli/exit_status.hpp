// How a run ends: the exit code, the reason, and the last line on standard error that states both, because COMMAND
// may use the same numbers:
//
//   wfptap: exit reason=command code=7
//
//   reason    code                when
//   command   COMMAND's (0 too)   COMMAND ended and nothing else went wrong, or COMMAND failed (128+N: by signal N)
//   verifier  3                   COMMAND succeeded and a verifier rule was broken
//   setup     2                   something could not be set up; COMMAND did not run
//   signal    128+N               wfptap was told to stop by signal N; for `run`, 0: that is its ordinary end
//   timeout   124                 --timeout ran out
//   fault     3                   a driver fault or a failed check of ours stopped the stack (bug check report above)
#pragma once

#include <string>
#include <string_view>

namespace app {

inline constexpr int kExitSetup = 2;
inline constexpr int kExitVerifier = 3;
inline constexpr int kExitFault = 3;
inline constexpr int kExitTimeout = 124;  // as timeout(1)
inline constexpr int kExitSignalBase = 128;

enum class ExitReason { Command, Verifier, Setup, Signal, Timeout, Fault };
std::string_view name_of(ExitReason reason);
ExitReason exit_reason_named(std::string_view name);  // Fault for a name that is none

struct ExitStatus {
  ExitReason reason = ExitReason::Command;
  int code = 0;
  bool operator==(const ExitStatus&) const = default;
};

// How COMMAND ended, as the supervisor saw it.
struct CommandEnd {
  ExitReason reason = ExitReason::Command;  // Command, Signal, Timeout
  int code = 0;                             // exit code, or 128 + its signal
  int signal = 0;                           // Signal: the one that wfptap got
};

// The exit rule of `wfptap test`.
ExitStatus decide_exit(const CommandEnd& end, bool has_violations);

std::string last_line(const ExitStatus& status);  // with its newline

}  // namespace app
