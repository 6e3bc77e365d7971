#include "wfp/kernel/bugcheck.hpp"

#include <execinfo.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/thread_state.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::kernel {
namespace {

constexpr int kMaxStackFrames = 48;
BugCheckSink report_sink;

std::string stack_text() {
  std::array<void*, kMaxStackFrames> frames{};
  const int count = backtrace(frames.data(), kMaxStackFrames);
  std::string out;
  char** names = backtrace_symbols(frames.data(), count);
  for (int i = 1; i < count; ++i) out += text("  %02d %s\n", i - 1, names != nullptr ? names[i] : "?");
  std::free(names);
  return out;
}

}  // namespace

void set_bugcheck_sink(BugCheckSink sink) { report_sink = std::move(sink); }

std::string format_bugcheck(const BugCheck& bug) {
  std::string out = text("*** STOP: 0x%08X (0x%016zX, 0x%016zX, 0x%016zX, 0x%016zX)\n", bug.code, bug.parameters[0],
                         bug.parameters[1], bug.parameters[2], bug.parameters[3]);
  if (!bug.message.empty()) out += "*** " + bug.message + "\n";
  const std::string driver = ledger::driver_name(ledger::current_driver());
  out += text("*** driver %s, processor %u, %s\n", driver.empty() ? "(none)" : driver.c_str(),
              static_cast<unsigned>(thread_state.processor), irql_name(current_irql()));
  if (const auto callout = ledger::current_callout(); !callout.empty()) out += "*** in " + callout + "\n";
  if (const auto packet = ledger::current_packet(); !packet.empty()) out += "*** packet: " + packet + "\n";
  return out;
}

void bugcheck(const BugCheck& bug) {
  static std::atomic_flag already = ATOMIC_FLAG_INIT;
  if (already.test_and_set()) std::abort();  // the sink itself failed
  const std::string report = format_bugcheck(bug);
  if (report_sink)
    report_sink(bug, report);
  else
    std::fputs((report + (bug.has_stack ? "*** stack:\n" + stack_text() : "")).c_str(), stderr);
  std::abort();
}

void check_failed(const char* expression, const char* file, int line) {
  bugcheck({.code = kBugCheckOurs, .message = text("CHECK failed: %s at %s:%d", expression, file, line)});
}

}  // namespace wfp::kernel
