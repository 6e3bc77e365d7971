// What a crash looks like from outside: each case crashes a process of its own and reads what it said.
#include "src/app/process/fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <thread>

#include "nt/ke.h"
#include "src/app/process/sanitizer.hpp"
#include "stack/base/assert.hpp"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/driver_call.hpp"
#include "wfp/ledger/ledger.hpp"

namespace app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

int told = -1;
void tell(const char* text, std::size_t size) { [[maybe_unused]] const auto written = write(told, text, size); }

void write_errors(std::string_view text) {
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

struct Crash {
  std::string errors;  // standard error
  std::string told;    // what the supervisor would get
  int signal = 0;
};

std::atomic<bool> written{false};

std::string read_all(int fd) {
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; (got = read(fd, piece, sizeof piece)) > 0;) text.append(piece, static_cast<std::size_t>(got));
  close(fd);
  return text;
}

Crash crash(const std::function<void()>& body) {
  int errors[2], messages[2];
  EXPECT_EQ(pipe(errors), 0);
  EXPECT_EQ(pipe(messages), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(errors[1], STDERR_FILENO);
    close(errors[0]);
    told = messages[1];
    install_fault_report(tell);
    body();
    _exit(0);
  }
  close(errors[1]);
  close(messages[1]);
  Crash result;
  result.errors = read_all(errors[0]);
  result.told = read_all(messages[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

bool is_sanitized() { return has_sanitizer(); }

// A page that may not be touched.
volatile int* forbidden() {
  return static_cast<int*>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

TEST(Fault, AWildWriteOfADriverReadsLikeABugCheck) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer reports crashes itself";
  const auto result = crash([] {
    const auto driver = wfp::ledger::add_driver("passthrough");
    remember_driver(driver, "passthrough");
    const wfp::ledger::DriverScope scope{driver};
    *forbidden() = 1;
  });
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("*** STOP: 0x00000050 (0x"), HasSubstr("PAGE_FAULT_IN_NONPAGED_AREA"),
                    HasSubstr("write to address"), HasSubstr("driver passthrough"), HasSubstr("*** stack:")));
  EXPECT_THAT(result.told, HasSubstr("0x00000050"));
}

TEST(Fault, AtDispatchLevelItIsTheOtherCode) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer reports crashes itself";
  const auto result = crash([] {
    wfp::kernel::set_irql(DISPATCH_LEVEL);
    [[maybe_unused]] const int value = *forbidden();
  });
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("*** STOP: 0x000000D1 (0x"), HasSubstr(", 0x0000000000000002, 0x0000000000000000, 0x"),
                    HasSubstr("read of address")));
}

[[gnu::noinline]] int deeper(volatile int* level) {
  volatile int here[256] = {*level + 1};
  if (here[0] > 10'000'000) return 0;  // never that deep
  return deeper(here) + here[0];
}

TEST(Fault, AUsedUpStackIsADoubleFault) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer reports crashes itself";
  for (const bool on_main : {true, false}) {
    const auto result = crash([on_main] {
      const auto overflow = [] {
        const wfp::ledger::DriverCall call{wfp::ledger::CallKind::Thread};  // prepares the thread
        volatile int level = 0;
        deeper(&level);
      };
      on_main ? overflow() : std::thread{overflow}.join();
    });
    EXPECT_EQ(result.signal, SIGSEGV);
    EXPECT_THAT(result.errors, AllOf(HasSubstr("*** STOP: 0x0000007F (0x0000000000000008, 0x"),
                                     HasSubstr("UNEXPECTED_KERNEL_MODE_TRAP"), HasSubstr("the stack is used up")));
    EXPECT_THAT(result.told, HasSubstr("0x0000007F"));
  }
}

// Somebody above the driver would catch it, such as a future: it is told all the same.
TEST(Fault, AnExceptionDoesNotLeaveADriver) {
  const auto result = crash([] {
    const auto driver = wfp::ledger::add_driver("thrower");
    remember_driver(driver, "thrower");
    try {
      const wfp::ledger::DriverScope scope{driver};
      const wfp::ledger::DriverCall call{wfp::ledger::CallKind::Entry};
      throw std::runtime_error("oops");
    } catch (const std::exception&) {
      write_errors("caught\n");
    }
  });
  EXPECT_EQ(result.signal, SIGABRT);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("KMODE_EXCEPTION_NOT_HANDLED"), HasSubstr("*** driver thrower, "),
                                   HasSubstr("*** in its DriverEntry"), Not(HasSubstr("caught\n"))));
  EXPECT_THAT(result.told, HasSubstr("a C++ exception"));
}

TEST(Fault, ASecondFaultDoesNotCutTheReportOfTheFirstShort) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer reports crashes itself";
  const auto result = crash([] {
    wait_for_recordings([] {  // asked while the first report is under way
      static std::atomic_flag once = ATOMIC_FLAG_INIT;
      if (!once.test_and_set()) std::thread{[] { *forbidden() = 1; }}.detach();
      return written.load();
    });
    std::thread{[] {
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
      write_errors("recorded\n");
      written = true;
    }}.detach();
    std::abort();
  });
  EXPECT_EQ(result.signal, SIGABRT);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("recorded\n"), Not(HasSubstr("PAGE_FAULT"))));
}

TEST(Fault, ExitOutsideADriverIsAnOrdinaryEnd) {
  const auto result = crash([] {
    remember_driver(wfp::ledger::add_driver("good"), "good");
    std::exit(0);
  });
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.told, "");
}

TEST(Fault, TheEndWaitsForTheRecordings) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer reports crashes itself";
  const auto result = crash([] {
    wait_for_recordings([] { return written.load(); });
    std::thread{[] {
      std::this_thread::sleep_for(std::chrono::milliseconds{60});
      write_errors("recorded\n");
      written = true;
    }}.detach();
    *forbidden() = 1;
  });
  EXPECT_THAT(result.errors, HasSubstr("recorded\n"));
}

TEST(Fault, RecordingsThatNeverComeAreNotWaitedForLong) {
  if (is_sanitized()) GTEST_SKIP() << "the sanitizer reports crashes itself";
  const auto began = std::chrono::steady_clock::now();
  const auto result = crash([] {
    wait_for_recordings([] { return false; });
    *forbidden() = 1;
  });
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{4});
}

TEST(Fault, AFailedCheckOfOursIsReportedToo) {
  const auto result = crash([] { CHECK(1 + 1 == 3); });
  EXPECT_EQ(result.signal, SIGABRT);
  EXPECT_THAT(result.errors, HasSubstr("1 + 1 == 3"));
  EXPECT_THAT(result.told, HasSubstr("*** STOP:"));
}

TEST(Fault, ABugCheckOfADriverKeepsItsParameters) {
  const auto result = crash([] { wfp::kernel::bugcheck({.code = 0xe2, .parameters = {1, 2, 3, 4}, .message = ""}); });
  EXPECT_EQ(result.signal, SIGABRT);
  EXPECT_THAT(result.errors, HasSubstr("*** STOP: 0x000000E2 (0x0000000000000001, 0x0000000000000002"));
}

}  // namespace
}  // namespace app
