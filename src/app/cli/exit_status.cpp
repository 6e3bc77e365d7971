#include "src/app/cli/exit_status.hpp"

#include <array>

namespace app {
namespace {
constexpr std::array<std::string_view, 7> kNames{"command", "verifier", "setup", "signal",
                                                 "timeout", "fault",    "device"};
}

std::string_view name_of(ExitReason reason) { return kNames[static_cast<std::size_t>(reason)]; }

ExitReason exit_reason_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == name) return static_cast<ExitReason>(i);
  return ExitReason::Fault;
}

ExitStatus decide_exit(const CommandEnd& end, std::optional<int> expected, bool has_violations) {
  if (end.reason == ExitReason::Signal) return {ExitReason::Signal, kExitSignalBase + end.signal};
  if (end.reason != ExitReason::Command && end.reason != ExitReason::Timeout) return {end.reason, end.code};
  if (has_violations) return {ExitReason::Verifier, kExitVerifier};
  if (end.reason == ExitReason::Timeout) return {ExitReason::Timeout, kExitTimeout};
  if (!expected) return {ExitReason::Command, end.code};
  if (end.code == *expected) return {ExitReason::Command, 0};
  return {ExitReason::Command, end.code != 0 ? end.code : kExitUnexpected};
}

std::string missed_expectation(const CommandEnd& end, std::optional<int> expected) {
  if (end.reason != ExitReason::Command || !expected || end.code == *expected) return {};
  return "COMMAND ended with " + std::to_string(end.code) + ", and --expect wanted " + std::to_string(*expected);
}

std::string last_line(const ExitStatus& status) {
  return "wfptap: exit reason=" + std::string(name_of(status.reason)) + " code=" + std::to_string(status.code) + "\n";
}

}  // namespace app
