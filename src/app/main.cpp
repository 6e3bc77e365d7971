// The program `wfptap`. Exports its symbols, so that drivers which it loads find Fwps*, Fwpm*, Ke*, Ndis* and the
// others.
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "src/app/cli/command_line.hpp"
#include "src/app/cli/exit_status.hpp"
#include "src/app/control/client.hpp"
#include "src/app/process/no_thread.hpp"
#include "src/app/process/program_path.hpp"
#include "src/app/run_command.hpp"
#include "src/app/supervisor/supervisor.hpp"
#include "src/app/test_role.hpp"

namespace {

int end_early(const app::EndEarly& end, bool is_run) {
  std::fputs(end.text.c_str(), end.code == 0 ? stdout : stderr);
  if (end.code != 0 && is_run) std::fputs(app::last_line({app::ExitReason::Setup, end.code}).c_str(), stderr);
  return end.code;
}

int run(const std::vector<std::string>& all, const std::vector<std::string>& arguments, bool is_run) {
  auto parsed = app::parse_command_line(arguments);
  if (const auto* end = std::get_if<app::EndEarly>(&parsed)) return end_early(*end, is_run);
  const auto& line = std::get<app::CommandLine>(parsed);
  switch (line.command) {
    case app::Command::Test:
      if (const auto code = app::run_debugged_stack(line.test, app::run_test_role)) return *code;
      return app::run_test(line.test, all, app::run_test_role);
    case app::Command::Run:
      return app::run_daemon(line.test.run);
    default:
      std::signal(SIGPIPE, SIG_IGN);
      return app::control::run_client(line.command, line.client);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_run = argc > 1 && (std::strcmp(argv[1], "test") == 0 || std::strcmp(argv[1], "run") == 0);
  try {
    app::program_path();  // before a namespace changes how it is spelled
    const std::vector<std::string> all(argv, argv + argc);
    const std::vector<std::string> arguments(all.begin() + (argc > 0 ? 1 : 0), all.end());
    return run(all, arguments, is_run);
  } catch (const std::bad_alloc&) {  // said without asking for more
    std::fputs("wfptap: not enough memory; raise the limit (ulimit -v, or memory.max of the cgroup)\n", stderr);
  } catch (const std::system_error& failure) {
    std::fprintf(stderr, "wfptap: %s\n", app::no_thread_sentence(failure).c_str());
  }
  if (is_run) std::fputs("wfptap: exit reason=setup code=2\n", stderr);
  return app::kExitSetup;
}
