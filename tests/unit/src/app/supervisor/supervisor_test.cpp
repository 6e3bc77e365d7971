// `wfptap test` around a stack role that is a few lines: the way of COMMAND, its leftovers and the exit rule. Needs a
// network namespace of its own; skipped, saying so, where the kernel refuses one.
#include "src/app/supervisor/supervisor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "src/app/output/report.hpp"
#include "src/app/supervisor/private_network.hpp"

namespace app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A stack that needs no stack: it says ready, follows the protocol, and decides by the rule.
int well_behaved(Channel channel, int, const TestOptions& options, bool has_violations) {
  channel.send(
      {{"type", "ready"}, {"address", "10.77.0.2"}, {"address6", "fd77::2"}, {"control", options.run.control_path}});
  auto ended = channel.receive();
  if (!ended) return kExitSetup;
  if (type_of(*ended) == "stop") return kExitSetup;
  channel.send({{"type", "unloaded"}});
  channel.receive();
  const auto status =
      decide_exit({exit_reason_named(ended->value("reason", "")), ended->value("code", 0), ended->value("signal", 0)},
                  options.expected_code, has_violations);
  channel.send({{"type", "done"}, {"reason", name_of(status.reason)}, {"code", status.code}});
  return 0;
}

struct Outcome {
  int code = -1;
  std::string errors;
};

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest() : folder_(std::filesystem::temp_directory_path() / ("wfptap-sup-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~SupervisorTest() override { std::filesystem::remove_all(folder_); }
  void SetUp() override {
    const pid_t probe = fork();
    if (probe == 0) _exit(enter_private_network().empty() ? 0 : 1);
    int status = 0;
    waitpid(probe, &status, 0);
    if (status != 0) GTEST_SKIP() << "a network namespace of one's own is not to be had here";
  }
  // Each run in a process of its own, because it enters a namespace.
  pid_t start(std::vector<std::string> command, const StackRole& role, std::chrono::milliseconds timeout = 20s,
              const UnloadLimits& limits = {}) {
    TestOptions options;
    options.command = std::move(command);
    options.timeout = timeout;
    options.run.report_file = report();
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0);
      [[maybe_unused]] auto* out = freopen(errors().c_str(), "w", stderr);
      const int code = run_test(options, {"wfptap"}, role, limits);
      std::fflush(nullptr);
      _exit(code);
    }
    return child;
  }
  Outcome finish(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read(errors())};
  }
  Outcome run(std::vector<std::string> command, bool has_violations = false,
              std::chrono::milliseconds timeout = 20s) {
    return finish(start(
        std::move(command),
        [=](Channel channel, int fd, const TestOptions& options) {
          return well_behaved(std::move(channel), fd, options, has_violations);
        },
        timeout));
  }
  static void wait_for_file(const std::string& path) {
    for (int i = 0; i < 1000 && !std::filesystem::exists(path); ++i) std::this_thread::sleep_for(10ms);
    ASSERT_TRUE(std::filesystem::exists(path));
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string report() const { return folder_ / "report.json"; }
  std::string errors() const { return folder_ / "stderr"; }
  std::filesystem::path folder_;
};

TEST_F(SupervisorTest, CommandsOwnCodeAndTheLastLine) {
  auto outcome = run({"sh", "-c", "exit 7"});
  EXPECT_EQ(outcome.code, 7);
  EXPECT_TRUE(outcome.errors.ends_with("wfptap: exit reason=command code=7\n")) << outcome.errors;
  outcome = run({"true"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_TRUE(outcome.errors.ends_with("wfptap: exit reason=command code=0\n"));
}

TEST_F(SupervisorTest, AViolationDecidesWhateverBecameOfTheCommand) {
  EXPECT_THAT(run({"true"}, true).errors, HasSubstr("reason=verifier code=3"));
  EXPECT_THAT(run({"false"}, true).errors, HasSubstr("reason=verifier code=3"));
}

TEST_F(SupervisorTest, CommandFindsTheAddressesAndAPrivateNetwork) {
  const auto out = (folder_ / "out").string();
  EXPECT_EQ(run({"sh", "-c",
                 "echo $WFPTAP_ADDRESS $WFPTAP_ADDRESS6 ${WFPTAP_CONTROL:+control} > " + out +
                     "; ls /sys/class/net >> " + out + "; ping -c1 -w2 127.0.0.1 >> " + out})
                .code,
            0);
  const auto text = read(out);
  EXPECT_THAT(text, HasSubstr("10.77.0.2 fd77::2 control\nlo\n"));
  EXPECT_THAT(text, HasSubstr(" 0% packet loss"));
}

TEST_F(SupervisorTest, ACommandThatCannotRunIsASetupFailure) {
  const auto outcome = run({"/nonexistent/program"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.errors, HasSubstr("cannot run /nonexistent/program: No such file"));
  EXPECT_THAT(outcome.errors, HasSubstr("reason=setup code=2"));
}

TEST_F(SupervisorTest, ATimeoutEndsEverything) {
  const auto began = std::chrono::steady_clock::now();
  const auto outcome = run({"sh", "-c", "trap '' TERM; sleep 60 & sleep 60"}, false, 300ms);
  EXPECT_EQ(outcome.code, 124);
  EXPECT_THAT(outcome.errors, HasSubstr("reason=timeout code=124"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
}

TEST_F(SupervisorTest, WhatIsLeftRunningIsEndedAfterTheUnload) {
  const auto pid_file = (folder_ / "pid").string();
  EXPECT_EQ(run({"sh", "-c", "setsid sh -c 'echo $$ > " + pid_file + "; exec sleep 60' & sleep 0.3"}).code, 0);
  const auto left = std::stoi(read(pid_file));
  EXPECT_NE(kill(left, 0), 0) << "process " << left << " still lives";
}

TEST_F(SupervisorTest, ASignalIsPassedOnAndNamed) {
  const auto child = start({"sleep", "60"}, [](Channel channel, int fd, const TestOptions& options) {
    return well_behaved(std::move(channel), fd, options, false);
  });
  std::this_thread::sleep_for(500ms);
  kill(child, SIGTERM);
  const auto outcome = finish(child);
  EXPECT_EQ(outcome.code, 143);
  EXPECT_THAT(outcome.errors, HasSubstr("reason=signal code=143"));
}

// A driver that never unloads: who asks twice need not wait for the limit.
TEST_F(SupervisorTest, ASecondSignalKillsAStackThatDoesNotUnload) {
  const auto unloading = (folder_ / "unloading").string();
  const auto child = start({"true"}, [&](Channel channel, int, const TestOptions&) -> int {
    channel.send({{"type", "ready"}});
    channel.receive();
    std::ofstream{unloading};
    for (;;) pause();
  });
  wait_for_file(unloading);
  kill(child, SIGTERM);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "the first one only asks";
  kill(child, SIGTERM);
  const auto outcome = finish(child);
  EXPECT_EQ(outcome.code, 143);
  EXPECT_THAT(outcome.errors, HasSubstr("once more kills the stack"));
  EXPECT_THAT(outcome.errors, HasSubstr("reason=signal code=143"));
}

// A driver that never unloads, without a signal: it is said what is waited for, and why the stack is killed.
TEST_F(SupervisorTest, AStackThatDoesNotUnloadIsKilledAtTheLimit) {
  const StackRole hangs = [](Channel channel, int, const TestOptions&) -> int {
    channel.send({{"type", "ready"}});
    channel.receive();
    for (;;) pause();
  };
  const auto outcome = finish(start({"true"}, hangs, 20s, {.silent = 50ms, .usual = 300ms, .after_timeout = 60s}));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(
      outcome.errors,
      "wfptap: waiting for the drivers to be unloaded; at most 1 s, and Ctrl-C twice ends it at once\n"
      "wfptap: the stack does not end and is killed: a driver does not come back; it loops or waits in a callout, "
      "in DriverUnload or with a lock held\n"
      "wfptap: exit reason=fault code=3\n");
  EXPECT_THAT(nlohmann::json::parse(read(report()))["fault"].get<std::string>(), HasSubstr("did not come back"));
}

TEST_F(SupervisorTest, AfterATimeoutTheLimitIsAnother) {
  const StackRole hangs = [](Channel channel, int, const TestOptions&) -> int {
    channel.send({{"type", "ready"}});
    channel.receive();
    for (;;) pause();
  };
  const auto began = std::chrono::steady_clock::now();
  const auto outcome =
      finish(start({"sleep", "60"}, hangs, 100ms, {.silent = 50ms, .usual = 60s, .after_timeout = 300ms}));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 30s);
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.errors, HasSubstr("longer than --timeout"));
  EXPECT_THAT(outcome.errors, HasSubstr("a driver does not come back"));
}

TEST_F(SupervisorTest, AnUnloadThatIsQuickIsNotTalkedAbout) {
  EXPECT_THAT(run({"true"}).errors, testing::Not(HasSubstr("waiting")));
}

// That the first one was for COMMAND does not make the next one the second.
TEST_F(SupervisorTest, ASignalForCommandIsNotCountedWhileUnloading) {
  const auto unloading = (folder_ / "unloading").string(), finished = (folder_ / "finished").string();
  const auto child = start({"sleep", "60"}, [&](Channel channel, int, const TestOptions&) {
    channel.send({{"type", "ready"}});
    channel.receive();
    std::ofstream{unloading};
    std::this_thread::sleep_for(500ms);
    std::ofstream{finished};
    channel.send({{"type", "done"}, {"reason", "signal"}, {"code", 143}});
    return 0;
  });
  std::this_thread::sleep_for(300ms);
  kill(child, SIGTERM);
  wait_for_file(unloading);
  kill(child, SIGTERM);
  EXPECT_EQ(finish(child).code, 143);
  EXPECT_TRUE(std::filesystem::exists(finished)) << "the stack was killed";
}

TEST_F(SupervisorTest, WhatIgnoresBeingAskedIsKilled) {
  const auto pid_file = (folder_ / "pid").string();
  EXPECT_EQ(run({"sh", "-c", "(trap '' TERM; sh -c 'echo $$ > " + pid_file + "; exec sleep 60') & sleep 0.3"}).code,
            0);
  const auto left = std::stoi(read(pid_file));
  EXPECT_NE(kill(left, 0), 0) << "process " << left << " still lives";
}

TEST_F(SupervisorTest, TheStackHasAGroupOfItsOwnAndDiesWithTheSupervisor) {
  const auto pid_file = (folder_ / "pid").string();
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // what the supervisor leaves is ours to wait for
  const auto child = start({"true"}, [&](Channel, int, const TestOptions&) -> int {
    std::ofstream{pid_file + ".new"} << getpid() << ' ' << (getpgrp() == getpid() ? "own" : "shared");
    std::filesystem::rename(pid_file + ".new", pid_file);
    for (;;) pause();
  });
  wait_for_file(pid_file);
  std::istringstream words{read(pid_file)};
  pid_t stack = 0;
  std::string group;
  words >> stack >> group;
  EXPECT_EQ(group, "own") << "Ctrl-C is for COMMAND";
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  pid_t ended = 0;
  for (int i = 0; i < 500 && ended == 0; ++i) {
    ended = waitpid(stack, nullptr, WNOHANG);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(ended, stack) << "it lives on without a supervisor";
  if (ended == 0) kill(stack, SIGKILL);
}

TEST_F(SupervisorTest, AStackThatFaultsIsReported) {
  const auto outcome = finish(start({"sleep", "60"}, [](Channel channel, int, const TestOptions&) -> int {
    channel.send({{"type", "ready"}});
    std::this_thread::sleep_for(100ms);
    channel.send({{"type", "fault"}, {"text", "*** STOP: 0x000000D1"}});
    channel.send({{"type", "known"}, {"text", R"({"packets": )"}, {"last", false}});
    channel.send({{"type", "known"}, {"text", R"({"received": 7}})"}, {"last", true}});
    channel.send({{"type", "known"}, {"text", R"({"packets": {"rec)"}, {"last", false}});  // and no further
    signal(SIGABRT, SIG_DFL);
    abort();
  }));
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.errors, HasSubstr("Aborted"));
  EXPECT_THAT(outcome.errors, HasSubstr("reason=fault code=3"));
  const auto json = nlohmann::json::parse(read(report()));
  EXPECT_EQ(json["exit"]["reason"], "fault");
  EXPECT_THAT(json["fault"].get<std::string>(), HasSubstr("0x000000D1"));
  EXPECT_EQ(json["packets"]["received"], 7) << "what the stack could still say";
  EXPECT_TRUE(json["command"]["exit_code"].is_null()) << "COMMAND had not ended";
}

TEST_F(SupervisorTest, AStackThatCannotStartIsASetupFailure) {
  const auto outcome = finish(start({"true"}, [](Channel channel, int, const TestOptions&) {
    channel.send({{"type", "failed"}, {"text", "there is no /dev/net/tun"}});
    return kExitSetup;
  }));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.errors, "wfptap: there is no /dev/net/tun\nwfptap: exit reason=setup code=2\n");
  const auto json = nlohmann::json::parse(read(report()));
  EXPECT_EQ(json["exit"]["reason"], "setup");
  EXPECT_EQ(json["problems"], nlohmann::json({"there is no /dev/net/tun"})) << "the report says why, too";
}

}  // namespace
}  // namespace app
