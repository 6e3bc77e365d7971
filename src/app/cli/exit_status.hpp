// How a run ends: the exit code, the reason, and the last line on standard error that states both, because COMMAND
// may use the same numbers:
//
//   wfptap: exit reason=command code=7
//
//   reason    code                when
//   command   COMMAND's           COMMAND ended and nothing else went wrong (128+N: by signal N); 0 when --expect
//                                 wanted that code, 1 when COMMAND ended with 0 and it wanted another
//   verifier  3                   a verifier rule was broken, whatever became of COMMAND
//   setup     2                   something could not be set up; COMMAND did not run
//   signal    128+N               wfptap was told to stop by signal N; for `run`, 0: that is its ordinary end
//   timeout   124                 --timeout ran out, and no rule was broken
//   device    2                   the device has gone meanwhile (somebody deleted it), and nothing else went wrong
//   fault     3                   a driver fault or a failed check of ours stopped the stack (bug check report above)
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace app {

inline constexpr int kExitUnexpected = 1;  // COMMAND succeeded, and was expected to fail
inline constexpr int kExitSetup = 2;
inline constexpr int kExitDevice = 2;
inline constexpr int kExitVerifier = 3;
inline constexpr int kExitFault = 3;
inline constexpr int kExitTimeout = 124;  // as timeout(1)
inline constexpr int kExitSignalBase = 128;

enum class ExitReason { Command, Verifier, Setup, Signal, Timeout, Fault, Device };
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

// The exit rule of `wfptap test`. A broken rule is what the run was made to find, so it decides over everything but the
// signal that told wfptap to stop; `expected` is the code of --expect.
ExitStatus decide_exit(const CommandEnd& end, std::optional<int> expected, bool has_violations);
// A sentence when COMMAND ended by itself with another code than the expected one; empty: all is well.
std::string missed_expectation(const CommandEnd& end, std::optional<int> expected);

std::string last_line(const ExitStatus& status);  // with its newline

}  // namespace app
