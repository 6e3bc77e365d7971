#include "src/app/supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "src/app/command_process.hpp"
#include "src/app/output/report.hpp"
#include "src/app/private_network.hpp"
#include "src/app/process_tree.hpp"
#include "src/app/program_path.hpp"

namespace app {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kAfterTimeout = 2s;   // from SIGTERM to SIGKILL
constexpr auto kStackEnding = 20s;   // from `done` to the end of the process
constexpr auto kUnloadLimit = 120s;  // from the end of COMMAND to `done`: a driver that never unloads
constexpr std::array kSignals{SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kSignals) sigaddset(&set, signal);
  return set;
}

// A folder for the control socket that nobody else may enter; removed at the end.
class PrivateFolder {
 public:
  PrivateFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wfptap-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~PrivateFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Supervisor {
 public:
  Supervisor(const TestOptions& options, const std::vector<std::string>& arguments, const StackRole& stack)
      : options_(options), arguments_(arguments), role_(stack) {}
  ~Supervisor() {
    if (stack_ > 0) {
      kill(stack_, SIGKILL);
      waitpid(stack_, nullptr, 0);
    }
  }

  ExitStatus run();

 private:
  enum class Phase { Starting, Running, Unloading, Ending, Over };

  ExitStatus setup_failed(const std::string& sentence);
  std::string start_stack(int report_fd);
  [[noreturn]] void become_debugger(Channel channel, int report_fd);
  void loop();
  std::chrono::milliseconds until_deadline() const;
  void on_message();
  void on_signal();
  void on_deadline();
  void on_child_ended();
  void on_command_ended(int status);
  void on_stack_ended(int status);
  void start_command(const nlohmann::json& ready);
  void end_of_command(const CommandEnd& end);
  void write_fault_report(int status);

  TestOptions options_;
  const std::vector<std::string>& arguments_;
  const StackRole& role_;
  PrivateFolder folder_;
  tap::FileDescriptor report_, signals_;
  Channel channel_;
  sigset_t old_mask_{};
  Phase phase_ = Phase::Starting;
  pid_t stack_ = -1, command_ = -1;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timed_out_ = false;
  int stop_signal_ = 0;  // that wfptap was sent
  CommandEnd end_;
  bool command_ran_ = false;
  std::string fault_;
  std::optional<ExitStatus> status_;
};

ExitStatus Supervisor::setup_failed(const std::string& sentence) {
  std::fprintf(stderr, "wfptap: %s\n", sentence.c_str());
  output::Report report;
  report.command = options_.command;
  report.exit = {ExitReason::Setup, kExitSetup};
  report.notes.push_back(sentence);
  if (report_.get() >= 0) output::write_report(report, report_.get());
  return report.exit;
}

ExitStatus Supervisor::run() {
  std::string error;
  if (!options_.run.report_file.empty()) {
    report_.reset(output::open_report(options_.run.report_file, error));
    if (report_.get() < 0) return setup_failed(error);
  }
  if (error = enter_private_network(); !error.empty()) return setup_failed(error);
  if (options_.run.control_path.empty()) {
    if (folder_.path().empty()) return setup_failed("cannot make a folder for the control socket in TMPDIR");
    options_.run.control_path = folder_.path() + "/control";
  }
  const auto watched = watched_signals();
  sigprocmask(SIG_BLOCK, &watched, &old_mask_);
  signals_.reset(signalfd(-1, &watched, SFD_CLOEXEC));
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  if (error = start_stack(report_.get()); !error.empty()) return setup_failed(error);
  loop();
  end_descendants(-1);
  return status_.value_or(ExitStatus{ExitReason::Fault, kExitFault});
}

std::string Supervisor::start_stack(int report_fd) {
  Channel inner;
  if (!Channel::make_pair(channel_, inner)) return std::string("cannot make a socket pair: ") + std::strerror(errno);
  std::fflush(nullptr);
  stack_ = fork();
  if (stack_ < 0) return std::string("cannot start a process for the stack: ") + std::strerror(errno);
  if (stack_ > 0) return {};
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nothing outlives the supervisor
  channel_ = {};
  if (options_.gdb) become_debugger(std::move(inner), report_fd);
  setpgid(0, 0);  // the terminal's signals are for COMMAND
  sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTOU}) ::signal(signal, SIG_IGN);
  const int code = role_(std::move(inner), report_fd, options_);
  std::fflush(nullptr);
  std::exit(code);
}

// The stack runs in a program of its own under gdb; on a terminal interactively, else it prints stacks when it stops.
void Supervisor::become_debugger(Channel channel, int report_fd) {
  sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
  channel.keep_on_exec(true);
  const int kept_report = report_fd >= 0 ? dup(report_fd) : -1;  // the copy has no close-on-exec
  const auto value = std::to_string(channel.fd()) + " " + std::to_string(kept_report);
  setenv(kInnerVariable, value.c_str(), 1);
  std::vector<std::string> words{"gdb", "-q"};
  if (isatty(STDIN_FILENO) == 0)
    words.insert(words.end(), {"-batch", "-ex", "run", "-ex", "thread apply all backtrace"});
  else
    words.insert(words.end(), {"-ex", "run"});
  words.insert(words.end(), {"--args", program_path().string()});
  words.insert(words.end(), arguments_.begin() + 1, arguments_.end());
  words.insert(words.begin() + 2, {"-ex", "set startup-with-shell off"});
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  execvp("gdb", pointers.data());
  std::fprintf(stderr, "wfptap: --gdb: cannot start gdb: %s; install the package gdb\n", std::strerror(errno));
  std::_Exit(kExitSetup);
}

void Supervisor::loop() {
  while (phase_ != Phase::Over) {
    std::array<pollfd, 2> waiting{pollfd{signals_.get(), POLLIN, 0}, pollfd{channel_.fd(), POLLIN, 0}};
    const int count = poll(waiting.data(), waiting.size(), static_cast<int>(until_deadline().count()));
    if (count < 0) continue;
    if (waiting[1].revents != 0) on_message();  // first: what it said before it ended
    if (waiting[0].revents != 0) on_signal();
    if (Clock::now() >= deadline_) on_deadline();
  }
}

std::chrono::milliseconds Supervisor::until_deadline() const {
  if (deadline_ == Clock::time_point::max()) return std::chrono::milliseconds{-1};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
  return std::clamp(left, std::chrono::milliseconds{0}, std::chrono::milliseconds{3'600'000});
}

void Supervisor::on_message() {
  const auto message = channel_.receive();
  if (!message) {
    channel_ = {};  // SIGCHLD tells the rest
    return;
  }
  const auto type = type_of(*message);
  if (type == "ready" && phase_ == Phase::Starting) {
    start_command(*message);
  } else if (type == "unloaded") {
    end_descendants(stack_);
    channel_.send({{"type", "leftovers_ended"}});
  } else if (type == "fault") {
    fault_ = message->value("text", "");
  } else if (type == "done") {
    status_ = ExitStatus{exit_reason_named(message->value("reason", "")), message->value("code", kExitFault)};
    phase_ = Phase::Ending;
    deadline_ = Clock::now() + kStackEnding;
  }
}

void Supervisor::start_command(const nlohmann::json& ready) {
  const auto text = [&](const char* key) { return ready.value(key, ""); };
  const std::vector<std::pair<std::string, std::string>> environment{{"WFPTAP_CONTROL", text("control")},
                                                                     {"WFPTAP_ADDRESS", text("address")},
                                                                     {"WFPTAP_ADDRESS6", text("address6")}};
  std::string error;
  command_ = start_command_process({options_.command, environment, old_mask_, options_.gdb}, error);
  if (command_ < 0) {
    std::fprintf(stderr, "wfptap: %s\n", error.c_str());
    return end_of_command({ExitReason::Setup, kExitSetup, 0});
  }
  command_ran_ = true;
  phase_ = Phase::Running;
  if (options_.timeout.count() > 0) deadline_ = Clock::now() + options_.timeout;
}

void Supervisor::on_signal() {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal == SIGCHLD) return on_child_ended();
  const bool from_terminal = info.ssi_code == SI_KERNEL;  // COMMAND has it already
  if (phase_ == Phase::Running) {
    if (from_terminal) return;
    if (stop_signal_ != 0) signal_descendants(stack_, SIGKILL);  // asked twice
    stop_signal_ = signal;
    kill(command_, signal);
  } else if (phase_ == Phase::Starting) {
    stop_signal_ = signal;
    channel_.send({{"type", "stop"}, {"signal", signal}});
    deadline_ = Clock::now() + kStackEnding;
  }
}

void Supervisor::on_child_ended() {
  int status = 0;
  for (pid_t ended = 0; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended == command_ && phase_ == Phase::Running) on_command_ended(status);
    if (ended == stack_) on_stack_ended(status);
  }
}

void Supervisor::on_command_ended(int status) {
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : kExitSignalBase + WTERMSIG(status);
  CommandEnd end{ExitReason::Command, code, 0};
  if (timed_out_) {
    end.reason = ExitReason::Timeout;
  } else if (stop_signal_ != 0) {
    end.reason = ExitReason::Signal;
    end.signal = stop_signal_;
  }
  end_of_command(end);
}

void Supervisor::end_of_command(const CommandEnd& end) {
  end_ = end;
  phase_ = Phase::Unloading;
  deadline_ = Clock::now() + kUnloadLimit;
  channel_.send({{"type", "command_ended"},
                 {"reason", name_of(end.reason)},
                 {"code", end.code},
                 {"signal", end.signal},
                 {"ran", command_ran_}});
}

void Supervisor::on_stack_ended(int status) {
  while (channel_.fd() >= 0) {  // what it said last
    pollfd look{channel_.fd(), POLLIN, 0};
    if (poll(&look, 1, 0) <= 0) break;
    on_message();
  }
  stack_ = -1;
  phase_ = Phase::Over;
  if (status_) return;
  if (stop_signal_ != 0 && !command_ran_) {
    status_ = ExitStatus{ExitReason::Signal, kExitSignalBase + stop_signal_};
    return;
  }
  const bool never_began = WIFEXITED(status) && WEXITSTATUS(status) == kExitSetup && !command_ran_;
  if (never_began) {
    status_ = setup_failed("the stack could not be started; see above");
    return;
  }
  status_ = ExitStatus{ExitReason::Fault, kExitFault};
  write_fault_report(status);
}

void Supervisor::write_fault_report(int status) {
  const std::string how = WIFSIGNALED(status) ? std::string("signal ") + std::to_string(WTERMSIG(status)) + " (" +
                                                    strsignal(WTERMSIG(status)) + ")"
                                              : "exit code " + std::to_string(WEXITSTATUS(status));
  std::fprintf(stderr, "wfptap: the stack ended unexpectedly by %s%s\n", how.c_str(),
               fault_.empty() ? "" : "; its bug check stands above");
  output::Report report;
  report.command = options_.command;
  report.command_ran = command_ran_ && phase_ != Phase::Running;
  report.command_code = end_.code;
  report.exit = *status_;
  report.fault = fault_.empty() ? "ended by " + how : fault_;
  if (report_.get() >= 0) output::write_report(report, report_.get());
}

void Supervisor::on_deadline() {
  deadline_ = Clock::time_point::max();
  if (phase_ == Phase::Running) {
    signal_descendants(stack_, timed_out_ ? SIGKILL : SIGTERM);
    if (!timed_out_)
      std::fprintf(stderr, "wfptap: COMMAND took longer than --timeout %.3g s and is ended\n",
                   static_cast<double>(options_.timeout.count()) / 1000);
    timed_out_ = true;
    deadline_ = Clock::now() + kAfterTimeout;
    return;
  }
  std::fprintf(stderr, "wfptap: the stack does not end and is killed%s\n",
               phase_ == Phase::Unloading ? "; does a driver wait in its DriverUnload?" : "");
  kill(stack_, SIGKILL);
}

}  // namespace

int run_test(const TestOptions& options, const std::vector<std::string>& arguments, const StackRole& stack) {
  ExitStatus status;
  {
    Supervisor supervisor{options, arguments, stack};
    status = supervisor.run();
  }
  std::fflush(nullptr);
  std::fputs(last_line(status).c_str(), stderr);
  return status.code;
}

std::optional<int> run_inner(const TestOptions& options, const StackRole& stack) {
  const char* value = std::getenv(kInnerVariable);
  int channel = -1, report = -1;
  if (value == nullptr || std::sscanf(value, "%d %d", &channel, &report) != 2) return std::nullopt;
  unsetenv(kInnerVariable);
  Channel inner{channel};
  inner.keep_on_exec(false);
  return stack(std::move(inner), report, options);
}

}  // namespace app
