// Every function that the program exports to drivers, called with nothing but zeros by a driver: it comes back, or the
// report names the function and the argument that may not be NULL, where Windows would fault. Each in a process of
// its own.
#include <elf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "nt/ke.h"
#include "src/app/process/sanitizer.hpp"
#include "tests/support/fake_host.hpp"
#include "wfp/ale/pend.hpp"
#include "wfp/engine/engine.hpp"
#include "wfp/flow/flows.hpp"
#include "wfp/inject/injections.hpp"
#include "wfp/kernel/bugcheck.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/sim_scheduler.hpp"
#include "wfp/ledger/ledger.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp {
namespace {

struct Export {
  std::string name;
  void* address;
};

// The functions of our own dynamic symbol table that are named as Windows names them.
std::vector<Export> exports() {
  std::vector<Export> found;
  const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  struct stat file {};
  fstat(fd, &file);
  const auto size = static_cast<std::size_t>(file.st_size);
  const auto* const bytes = static_cast<const char*>(mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0));
  close(fd);
  const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(bytes);
  const std::span sections(reinterpret_cast<const ElfW(Shdr)*>(bytes + header.e_shoff), header.e_shnum);
  std::uintptr_t base = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<std::uintptr_t*>(out) = info->dlpi_addr;
        return 1;
      },
      &base);
  for (const auto& section : sections) {
    if (section.sh_type != SHT_DYNSYM) continue;
    const std::span symbols(reinterpret_cast<const ElfW(Sym)*>(bytes + section.sh_offset),
                            section.sh_size / sizeof(ElfW(Sym)));
    for (const auto& symbol : symbols) {
      const char* const name = bytes + sections[section.sh_link].sh_offset + symbol.st_name;
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF && *name >= 'A' && *name <= 'Z')
        found.push_back({name, reinterpret_cast<void*>(base + symbol.st_value)});
    }
  }
  munmap(const_cast<char*>(bytes), size);
  std::ranges::sort(found, {}, &Export::name);
  return found;
}

// A driver: its one call lies in a section of its own, whose bounds the linker knows.
using Anything = std::uint64_t (*)(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                                   std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                                   std::uint64_t, std::uint64_t);
[[gnu::noinline, gnu::section("null_driver")]] void call_with_zeros(void* function) {
  reinterpret_cast<Anything>(function)(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  asm volatile("");  // the call above is no tail call
}
extern "C" const char __start_null_driver, __stop_null_driver;

constexpr unsigned kSeconds = 20;

int told = -1;
void tell(const std::string& text) { [[maybe_unused]] const auto written = write(told, text.data(), text.size()); }

// In a process of its own: the engine and all that drivers meet, then the one call.
[[noreturn]] void call_alone(const Export& function, KIRQL level) {
  alarm(kSeconds);
  std::set_terminate([] { _exit(3); });
  signal(SIGSEGV, SIG_DFL);
  const auto begin = reinterpret_cast<std::uintptr_t>(&__start_null_driver);
  ledger::add_image("null.so", begin, begin, reinterpret_cast<std::uintptr_t>(&__stop_null_driver));
  ledger::set_level(ledger::Level::standard);
  kernel::VirtualClock clock;
  FakeHost host;
  auto kernel = std::make_unique<kernel::Kernel>(std::make_unique<kernel::SimScheduler>(clock, 1, 1));
  kernel->scheduler().bind_processor(0);
  engine::Engine engine(host, kernel->scheduler());
  flow::Flows flows(engine.callouts(), host);
  engine.set_flows(&flows);
  inject::Injections injections(host, kernel->scheduler(), 1);
  ale::Pends pends(host, kernel->scheduler());
  kernel::set_bugcheck_sink([](const kernel::BugCheck&, const std::string& report) {
    tell(report);
    if (ledger::place_of_call(ledger::calling_address())) tell("*** placed\n");
    _exit(0);
  });
  const ledger::DriverScope scope(ledger::add_driver("null"));
  kernel::set_irql(level);
  call_with_zeros(function.address);
  kernel::set_irql(PASSIVE_LEVEL);
  for (const auto& violation : ledger::violations()) tell(violation.rule + ": " + violation.message + "\n");
  tell("came back\n");
  _exit(0);
}

struct Outcome {
  std::string text;
  int signal = 0;
};

Outcome outcome_of(const Export& function, KIRQL level) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    told = ends[1];
    call_alone(function, level);
  }
  close(ends[1]);
  Outcome outcome;
  std::array<char, 4096> piece;
  for (ssize_t got = 0; (got = read(ends[0], piece.data(), piece.size())) > 0;)
    outcome.text.append(piece.data(), static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  return outcome;
}

// They do not come back, and need no argument for it.
const std::set<std::string> kNeverReturn{"KeBugCheck", "KeBugCheckEx", "DbgBreakPoint", "PsTerminateSystemThread"};

TEST(NullArguments, EveryFunctionComesBackOrNamesItsArgument) {
  if (app::has_thread_sanitizer()) GTEST_SKIP() << "its own functions are exported, too";
  const auto functions = exports();
  ASSERT_GT(functions.size(), 200u) << "the program exports what drivers import";
  std::size_t named = 0;
  for (const Export& function : functions) {
    if (kNeverReturn.contains(function.name)) continue;
    const auto outcome = outcome_of(function, PASSIVE_LEVEL);
    EXPECT_EQ(outcome.signal, 0) << function.name << " ended with:\n" << outcome.text;
    const bool returned = outcome.text.ends_with("came back\n");
    if (returned || outcome.signal != 0) continue;
    ++named;
    EXPECT_THAT(outcome.text,
                testing::ContainsRegex("\\*\\*\\* " + function.name + " was called with [A-Za-z0-9]+ NULL"));
    EXPECT_THAT(outcome.text, testing::HasSubstr("STOP: 0x00000050"));
    EXPECT_THAT(outcome.text, testing::HasSubstr("*** placed")) << function.name;
  }
  EXPECT_GT(named, 80u);
}

TEST(NullArguments, AtDispatchLevelItIsTheOtherCode) {
  const auto outcome = outcome_of({"KeSetEvent", reinterpret_cast<void*>(&KeSetEvent)}, DISPATCH_LEVEL);
  EXPECT_THAT(outcome.text, testing::HasSubstr("STOP: 0x000000D1 (0x0000000000000000, 0x0000000000000002"));
  EXPECT_THAT(outcome.text, testing::HasSubstr("KeSetEvent was called with Event NULL"));
}

}  // namespace
}  // namespace wfp
