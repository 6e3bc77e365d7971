#include "src/app/test_role.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "src/app/daemon/daemon.hpp"
#include "src/app/process/fault.hpp"
#include "src/app/process/fault_stack.hpp"
#include "src/app/process/last_report.hpp"
#include "src/app/process/privileges.hpp"
#include "src/app/process/sandbox.hpp"

namespace app {
namespace {

std::atomic<int> fault_channel{-1};

// One message, built without memory: it may be called in a signal handler.
void tell_supervisor(const char* text, std::size_t size) {
  static std::array<char, 8192> message;
  constexpr std::string_view kHead = R"({"type":"fault","text":")", kTail = R"("})";
  std::size_t at = kHead.copy(message.data(), kHead.size());
  for (std::size_t i = 0; i < size && at + kTail.size() + 2 < message.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '"' || c == '\\') message[at++] = '\\';
    message[at++] = c == '\n' ? 'n' : static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  at += kTail.copy(message.data() + at, kTail.size());
  [[maybe_unused]] const auto written = write(fault_channel, message.data(), at);
}

// The supervisor prints it and puts it into the report.
int setup_failed(const Channel& channel, const std::string& sentence) {
  channel.send({{"type", "failed"}, {"text", sentence}});
  return kExitSetup;
}

// In pieces, because a message has a limit.
void tell_what_is_known(const Channel& channel, const output::Report& report) {
  constexpr std::size_t kPiece = Channel::kMaxMessage / 4;  // quoting makes it longer
  const std::string json = output::to_json(report);
  for (std::size_t at = 0; at < json.size(); at += kPiece)
    channel.send({{"type", "known"}, {"text", json.substr(at, kPiece)}, {"last", at + kPiece >= json.size()}});
}

// The report of a run that a driver ends, for the supervisor, which knows the rest and writes it.
void report_last(Daemon& daemon, const std::string& bug_check, const Channel& channel) {
  output::Report latest;
  daemon.collect_last([&](const output::Report& report) {
    latest = report;
    latest.fault = bug_check;
    tell_what_is_known(channel, latest);
  });
  std::fputs(output::to_text(latest).c_str(), stderr);
}

}  // namespace

int run_test_role(Channel channel, int report_fd, const TestOptions& options) {
  fault_channel = channel.fd();
  install_fault_report(tell_supervisor);
  tell_stacks_to(options.run.places_fd);
  std::string error;
  const auto daemon = Daemon::create(options.run, error);
  if (!daemon) return setup_failed(channel, error);
  if (error = give_up_privileges(std::nullopt); !error.empty()) return setup_failed(channel, error);
  if (options.run.sandbox) enter_sandbox();
  const LastReport last_report([&](const std::string& bug_check) { report_last(*daemon, bug_check, channel); });
  if (error = daemon->start(tap::FileDescriptor{options.run.places_fd}); !error.empty()) {
    daemon->finish();
    return setup_failed(channel, error);
  }
  channel.send({{"type", "ready"},
                {"address", daemon->address(stack::Family::V4)},
                {"address6", daemon->address(stack::Family::V6)},
                {"control", daemon->control_path()}});
  std::optional<nlohmann::json> ended;
  daemon->loop().watch(channel.fd(), [&] {
    ended = channel.receive();
    daemon->loop().end();
  });
  daemon->loop().run();
  if (!ended || type_of(*ended) != "command_ended") {  // told to stop, or nobody is there any more
    daemon->finish();
    return kExitSetup;
  }
  daemon->unload_drivers();
  channel.send({{"type", "unloaded"}});
  channel.receive();  // leftovers_ended

  auto report = daemon->finish();
  const CommandEnd end{exit_reason_named(ended->value("reason", "")), ended->value("code", 0),
                       ended->value("signal", 0)};
  report.command = options.command;
  report.command_ran = ended->value("ran", false);
  report.command_code = end.code;
  report.expected_code = options.expected_code;
  report.strict = options.strict;
  report.exit = decide_exit(end, options.expected_code,
                            report.violation_count > 0 || (options.strict && report.note_count > 0));
  if (report.exit.code == 0 && !daemon->lost_device().empty()) report.exit = {ExitReason::Device, kExitDevice};
  if (auto missed = missed_expectation(end, options.expected_code); !missed.empty())
    report.problems.push_back(std::move(missed));
  std::fputs(output::to_text(report).c_str(), stderr);
  if (report_fd >= 0 && !output::write_report(report, report_fd))
    std::fprintf(stderr, "wfptap: --report %s: %s\n", options.run.report_file.c_str(), std::strerror(errno));
  channel.send({{"type", "done"}, {"reason", name_of(report.exit.reason)}, {"code", report.exit.code}});
  return 0;
}

}  // namespace app
