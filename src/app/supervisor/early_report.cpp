#include "src/app/supervisor/early_report.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace app {
namespace {

std::string how_it_ended(const TestOptions& options, int status) {
  if (WIFSIGNALED(status))
    return "signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
  if (options.gdb) return "the end of gdb";
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

output::Report setup_report(const TestOptions& options, const std::string& why) {
  output::Report report;
  report.run = output::run_record(options.run);
  report.command = options.command;
  report.exit = {ExitReason::Setup, kExitSetup};
  report.problems.push_back(why);
  return report;
}

output::Report fault_report(const TestOptions& options, int status, const std::optional<CommandEnd>& end,
                            const std::string& bug_check, bool was_killed) {
  const auto how = how_it_ended(options, status);
  if (!was_killed)
    std::fprintf(stderr, "wfptap: the stack ended unexpectedly by %s%s\n", how.c_str(),
                 options.gdb ? "; where it stopped stands above"
                 : !bug_check.empty()
                     ? "; its bug check stands above, and the same run with --gdb stops where it happened"
                     : "; the same run with --gdb stops where it happened");
  output::Report report;
  report.run = output::run_record(options.run);
  report.command = options.command;
  report.command_ran = end.has_value();
  report.command_code = end ? end->code : 0;
  report.exit = {ExitReason::Fault, kExitFault};
  report.fault = !bug_check.empty() ? bug_check
                 : was_killed       ? "a driver or the stack did not come back, and was killed"
                                    : "ended by " + how;
  return report;
}

void write_early_report(const output::Report& report, int fd, const TestOptions& options, const std::string& known) {
  if (fd >= 0 && !output::write_report_text(output::to_json(report, known), fd))
    std::fprintf(stderr, "wfptap: --report %s: %s\n", options.run.report_file.c_str(), std::strerror(errno));
}

}  // namespace app
