#include "src/app/run_command.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/app/daemon/daemon.hpp"
#include "src/app/places/place_server.hpp"
#include "src/app/process/fault.hpp"
#include "src/app/process/fault_stack.hpp"
#include "src/app/process/last_report.hpp"
#include "src/app/process/privileges.hpp"
#include "src/app/process/ready_notice.hpp"
#include "src/app/process/sandbox.hpp"

namespace app {
namespace {

ExitStatus setup_failed(const std::string& sentence) {
  std::fprintf(stderr, "wfptap: %s\n", sentence.c_str());
  return {ExitReason::Setup, kExitSetup};
}

// Blocked here, before there are threads, and read from a descriptor.
int open_stop_signals() {
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_CLOEXEC);
}

// A second one, while drivers are being unloaded, ends the process at once.
void restore_stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

void write_report(const output::Report& report, int fd, const RunOptions& options) {
  if (fd >= 0 && !output::write_report(report, fd))
    std::fprintf(stderr, "wfptap: --report %s: %s\n", options.report_file.c_str(), std::strerror(errno));
}

// Of a run that a driver ends. Written anew at each step: what comes after it may not come back.
void report_last(Daemon& daemon, const std::string& bug_check, int fd, const RunOptions& options) {
  output::Report latest;
  daemon.collect_last([&](const output::Report& report) {
    latest = report;
    latest.exit = {ExitReason::Fault, kExitFault};
    latest.fault = bug_check;
    if (fd >= 0 && (lseek(fd, 0, SEEK_SET) != 0 || ftruncate(fd, 0) != 0)) return;  // no file: only the last step's
    write_report(latest, fd, options);
  });
  std::fputs(output::to_text(latest).c_str(), stderr);
}

ExitStatus run(const RunOptions& options) {
  std::string error;
  // Asked first: a number that nobody opened for us would soon be a descriptor of our own.
  if (options.ready_fd >= 0 && fcntl(options.ready_fd, F_GETFD) < 0)
    return setup_failed("--ready-fd " + std::to_string(options.ready_fd) +
                        " is not open; as in: wfptap run --ready-fd 3 3>FILE");
  const tap::FileDescriptor signals{open_stop_signals()};
  install_fault_report(nullptr);
  std::optional<User> user;
  if (!options.user.empty()) {
    user = find_user(options.user);
    if (!user) return setup_failed("--user: there is no user '" + options.user + "'");
  }
  tap::FileDescriptor report;
  if (!options.report_file.empty()) report = output::open_report(options.report_file, error);
  if (!error.empty()) return setup_failed(error);
  const auto daemon = Daemon::create(options, error);
  if (!daemon) return setup_failed(error);
  if (user && !(error = daemon->give_control_to(user->id)).empty()) return setup_failed(error);
  if (error = give_up_privileges(user); !error.empty()) return setup_failed(error);
  auto places = start_place_process();
  tell_stacks_to(places.get());
  if (options.sandbox) enter_sandbox();
  const LastReport last_report(
      [&](const std::string& bug_check) { report_last(*daemon, bug_check, report.get(), options); });
  daemon->set_stop_signals(signals.get());
  if (error = daemon->start(std::move(places)); !error.empty()) {
    daemon->finish();
    return setup_failed(error);
  }
  notify_ready(options.ready_fd);
  daemon->loop().watch(signals.get(), [&] {
    signalfd_siginfo info{};
    if (read(signals.get(), &info, sizeof info) != sizeof info) return;
    daemon->stop_was_asked();
    daemon->loop().end();
  });
  daemon->loop().run();
  notify_stopping();
  restore_stop_signals();
  auto result = daemon->finish();
  result.exit = result.violation_count > 0       ? ExitStatus{ExitReason::Verifier, kExitVerifier}
                : !daemon->lost_device().empty() ? ExitStatus{ExitReason::Device, kExitDevice}
                                                 : ExitStatus{ExitReason::Signal, 0};
  std::fputs(output::to_text(result).c_str(), stderr);
  write_report(result, report.get(), options);
  return result.exit;
}

}  // namespace

int run_daemon(const RunOptions& options) {
  const auto status = run(options);
  std::fflush(nullptr);
  std::fputs(last_line(status).c_str(), stderr);
  return status.code;
}

}  // namespace app
