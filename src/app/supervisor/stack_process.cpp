#include "src/app/supervisor/stack_process.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "src/app/cli/exit_status.hpp"
#include "src/app/process/program_path.hpp"
#include "src/app/process/thread_picture.hpp"

namespace app {
namespace {

constexpr const char* kDebuggedVariable =
    "WFPTAP_INNER";  // "CHANNEL-FD REPORT-FD PLACES-FD CONTROL-PATH" for the program under gdb
constexpr const char* kDebuggerHint =
    "echo Set breakpoints, for example: break MyClassifyFn. A driver is loaded later, they wait for it.\\n"
    "Then: run. COMMAND starts when the drivers are loaded.\\n";

std::vector<std::string> debugger_command(const StackStart& start) {
  std::vector<std::string> words{"gdb", "-q",
                                 "-ex", "set startup-with-shell off",
                                 "-ex", "handle SIG" + std::to_string(picture_signal()) + " nostop noprint pass"};
  if (is_debugged_by_hand(start.options))
    words.insert(words.end(), {"-ex", "set breakpoint pending on", "-ex", kDebuggerHint});
  else  // prints all stacks when the program stops, and ends
    words.insert(words.end(), {"-batch", "-ex", "run", "-ex", "thread apply all backtrace"});
  words.insert(words.end(), {"--args", program_path().string()});
  words.insert(words.end(), start.arguments.begin() + 1, start.arguments.end());
  return words;
}

[[noreturn]] void become_debugger(const StackStart& start, const Channel& channel) {
  channel.keep_on_exec(true);
  const auto kept = [](int fd) { return std::to_string(fd >= 0 ? dup(fd) : -1); };  // the copy has no close-on-exec
  const auto value = std::to_string(channel.fd()) + " " + kept(start.report_fd) + " " +
                     kept(start.options.run.places_fd) + " " + start.options.run.control_path;
  setenv(kDebuggedVariable, value.c_str(), 1);
  auto words = debugger_command(start);
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execvp("gdb", pointers.data());
  channel.send(
      {{"type", "failed"},
       {"text", std::string("--gdb: cannot start gdb: ") + std::strerror(errno) + "; install the package gdb"}});
  std::_Exit(kExitSetup);
}

[[noreturn]] void become_stack(const StackStart& start, Channel channel) {
  setpgid(0, 0);  // the terminal's signals are for COMMAND
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTOU}) ::signal(signal, SIG_IGN);
  const int code = start.role(std::move(channel), start.report_fd, start.options);
  std::fflush(nullptr);
  std::exit(code);
}

}  // namespace

pid_t start_stack_process(const StackStart& start, Channel& channel, std::string& error) {
  Channel inner;
  if (!Channel::make_pair(channel, inner)) {
    error = std::string("cannot make a socket pair: ") + std::strerror(errno);
    return -1;
  }
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) error = std::string("cannot start a process for the stack: ") + std::strerror(errno);
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing outlives the supervisor
  sigprocmask(SIG_SETMASK, &start.mask, nullptr);
  channel = {};
  if (start.options.gdb) become_debugger(start, inner);
  become_stack(start, std::move(inner));
}

bool is_debugged_by_hand(const TestOptions& options) { return options.gdb && isatty(STDIN_FILENO) != 0; }

std::optional<int> run_debugged_stack(const TestOptions& options, const StackRole& role) {
  const char* value = std::getenv(kDebuggedVariable);
  int channel = -1, report = -1, places = -1, path_at = 0;
  if (value == nullptr || std::sscanf(value, "%d %d %d %n", &channel, &report, &places, &path_at) != 3)
    return std::nullopt;
  TestOptions debugged = options;
  debugged.run.places_fd = places;
  debugged.run.control_path = value + path_at;  // what the arguments leave open, the supervisor has chosen
  unsetenv(kDebuggedVariable);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // of gdb
  Channel inner{channel};
  inner.keep_on_exec(false);
  return role(std::move(inner), report, debugged);
}

}  // namespace app
