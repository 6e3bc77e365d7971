#include "src/app/supervisor/supervisor.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "src/app/cli/exit_status.hpp"
#include "src/app/places/place_server.hpp"
#include "src/app/supervisor/command_process.hpp"
#include "src/app/supervisor/early_report.hpp"
#include "src/app/supervisor/private_folder.hpp"
#include "src/app/supervisor/private_network.hpp"
#include "src/app/supervisor/process_tree.hpp"

namespace app {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kAfterTimeout = 2s;  // from SIGTERM to SIGKILL
constexpr auto kStackEnding = 20s;  // from `done` to the end of the process
constexpr std::array kSignals{SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kSignals) sigaddset(&set, signal);
  return set;
}

class Supervisor {
 public:
  Supervisor(const TestOptions& options, const std::vector<std::string>& arguments, const StackRole& stack,
             const UnloadLimits& limits)
      : options_(options), arguments_(arguments), role_(stack), limits_(limits) {}
  ~Supervisor() {
    if (stack_ > 0) {
      kill(stack_, SIGKILL);
      waitpid(stack_, nullptr, 0);
    }
  }

  ExitStatus run();

 private:
  // Unloading is silent and then becomes LongUnloading.
  enum class Phase { Starting, Running, Unloading, LongUnloading, Ending, Over };

  ExitStatus setup_failed(const std::string& sentence);
  void loop();
  std::chrono::milliseconds until_deadline() const;
  void limit(Clock::duration time);
  void on_message();
  void on_signal();
  void on_stop_signal(int signal, bool from_terminal);
  void on_deadline();
  std::chrono::milliseconds unload_limit() const { return timed_out_ ? limits_.after_timeout : limits_.usual; }
  void say_what_is_waited_for();
  void kill_stack();
  void on_child_ended();
  void on_command_ended(int status);
  void on_stack_ended(int status);
  void start_command(const nlohmann::json& ready);
  void end_of_command(const CommandEnd& end);
  ExitStatus finish(const output::Report& early_report);

  TestOptions options_;
  const std::vector<std::string>& arguments_;
  const StackRole& role_;
  const UnloadLimits limits_;
  PrivateFolder folder_;
  tap::FileDescriptor report_, signals_;
  Channel channel_;
  PlaceServer places_;
  sigset_t old_mask_{};
  Phase phase_ = Phase::Starting;
  pid_t stack_ = -1, command_ = -1;
  Clock::time_point deadline_ = Clock::time_point::max();
  bool timed_out_ = false;
  bool unloaded_ = false;      // the drivers
  bool killed_stack_ = false;  // because it took too long
  int stop_signal_ = 0;        // that wfptap was sent
  bool asked_once_ = false;    // to stop, in the present phase
  std::optional<CommandEnd> end_;
  bool command_ran_ = false;
  std::string fault_;  // the bug check's text
  std::string known_,
      known_parts_;      // a report as JSON, by a stack that a driver ended; the next one, as far as it is
  std::string failure_;  // why the stack did not start
  std::optional<ExitStatus> status_;
};

ExitStatus Supervisor::setup_failed(const std::string& sentence) {
  std::fprintf(stderr, "wfptap: %s\n", sentence.c_str());
  return finish(setup_report(options_, sentence));
}

ExitStatus Supervisor::finish(const output::Report& report) {
  write_early_report(report, report_.get(), options_, known_);
  return report.exit;
}

ExitStatus Supervisor::run() {
  std::string error;
  if (!options_.run.report_file.empty()) {
    report_ = output::open_report(options_.run.report_file, error);
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
  tap::FileDescriptor answering, asking;
  make_place_pair(answering, asking);
  places_.listen(std::move(answering));
  options_.run.places_fd = asking.get();
  stack_ = start_stack_process({role_, options_, arguments_, report_.get(), old_mask_}, channel_, error);
  asking.reset();
  if (stack_ < 0) return setup_failed(error);
  loop();
  end_descendants(-1);
  return status_.value_or(ExitStatus{ExitReason::Fault, kExitFault});
}

void Supervisor::loop() {
  while (phase_ != Phase::Over) {
    std::array waiting{pollfd{signals_.get(), POLLIN, 0}, pollfd{channel_.fd(), POLLIN, 0},
                       pollfd{places_.fd(), POLLIN, 0}};
    const int count = poll(waiting.data(), waiting.size(), static_cast<int>(until_deadline().count()));
    if (count < 0) continue;
    if (waiting[2].revents != 0) places_.serve();
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

void Supervisor::limit(Clock::duration time) {
  deadline_ = is_debugged_by_hand(options_) ? Clock::time_point::max() : Clock::now() + time;
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
    unloaded_ = true;
    end_descendants(stack_);
    channel_.send({{"type", "leftovers_ended"}});
  } else if (type == "fault") {
    fault_ = message->value("text", "");
  } else if (type == "known") {
    known_parts_ += message->value("text", "");
    if (message->value("last", true)) known_ = std::exchange(known_parts_, {});
  } else if (type == "failed") {
    failure_ = message->value("text", "");
  } else if (type == "done") {
    status_ = ExitStatus{exit_reason_named(message->value("reason", "")), message->value("code", kExitFault)};
    phase_ = Phase::Ending;
    limit(kStackEnding);
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
  on_stop_signal(signal, info.ssi_code == SI_KERNEL);
}

void Supervisor::on_stop_signal(int signal, bool from_terminal) {
  const bool others_have_it = phase_ == Phase::Running || is_debugged_by_hand(options_);  // COMMAND or gdb
  if (from_terminal && others_have_it) return;
  stop_signal_ = signal;
  const bool again = std::exchange(asked_once_, true);
  switch (phase_) {
    case Phase::Running:
      if (again) signal_descendants(stack_, SIGKILL);
      kill(command_, signal);
      break;
    case Phase::Starting:
      if (again) kill(stack_, SIGKILL);
      channel_.send({{"type", "stop"}, {"signal", signal}});
      limit(kStackEnding);
      break;
    default:
      if (again) {
        kill(stack_, SIGKILL);
        break;
      }
      std::fprintf(stderr, "wfptap: the drivers are being unloaded; once more kills the stack, without a report\n");
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
  asked_once_ = false;
  limit(std::min(limits_.silent, unload_limit()));
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
  places_.serve_what_is_there();
  stack_ = -1;
  phase_ = Phase::Over;
  if (status_) return;
  const bool killed_on_demand = asked_once_ && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (stop_signal_ != 0 && (!command_ran_ || killed_on_demand)) {
    status_ = ExitStatus{ExitReason::Signal, kExitSignalBase + stop_signal_};
    return;
  }
  const bool ended_at_setup = WIFEXITED(status) && WEXITSTATUS(status) == kExitSetup && !command_ran_;
  if (ended_at_setup || !failure_.empty()) {  // gdb ends with a code of its own
    status_ = setup_failed(failure_.empty() ? "the stack could not be started; see above" : failure_);
    return;
  }
  auto report = fault_report(options_, status, end_, fault_, killed_stack_);
  report.fault_stack = places_.printed();
  status_ = finish(report);
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
  phase_ == Phase::Unloading ? say_what_is_waited_for() : kill_stack();
}

void Supervisor::say_what_is_waited_for() {
  phase_ = Phase::LongUnloading;
  limit(unload_limit() - std::min(limits_.silent, unload_limit()));
  if (!unloaded_)
    std::fprintf(stderr,
                 "wfptap: waiting for the drivers to be unloaded; at most %lld s, and Ctrl-C twice ends it at once\n",
                 static_cast<long long>(std::chrono::ceil<std::chrono::seconds>(unload_limit()).count()));
}

void Supervisor::kill_stack() {
  const bool is_driver = phase_ == Phase::LongUnloading && !unloaded_;
  std::fprintf(stderr, "wfptap: the stack does not end and is killed%s\n",
               is_driver ? ": a driver does not come back; it loops or waits in a callout, in DriverUnload or with a "
                           "lock held"
                         : "");
  killed_stack_ = true;
  kill(stack_, SIGKILL);
}

}  // namespace

int run_test(const TestOptions& options, const std::vector<std::string>& arguments, const StackRole& stack,
             const UnloadLimits& limits) {
  ExitStatus status;
  {
    Supervisor supervisor{options, arguments, stack, limits};
    status = supervisor.run();
  }
  std::fflush(nullptr);
  std::fputs(last_line(status).c_str(), stderr);
  return status.code;
}

}  // namespace app
