// The end of the process with a report that reads like a bug check: code, four parameters, the packet at hand, the
// stack. The text goes to the sink that the program set (standard error without one), then the process aborts, so
// that a core or a debugger shows the place. Any thread, any IRQL.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace wfp::kernel {

inline constexpr std::uint32_t kBugCheckOurs = 0xDEADBEEF;        // MANUALLY_INITIATED_CRASH1: a CHECK of ours
inline constexpr std::uint32_t kBugCheckThreadLeft = 0x000000CE;  // driver unloaded with operations pending
inline constexpr std::uint32_t kBugCheckDeadlock = 0x000000C4;    // DRIVER_VERIFIER_DETECTED_VIOLATION

struct BugCheck {
  std::uint32_t code = kBugCheckOurs;
  std::uintptr_t parameters[4] = {};
  std::string message;    // what happened, in words; empty when the driver itself called
  bool has_stack = true;  // false: the calling thread's stack has nothing to do with it
};

// Set once at start. The report is without the stack, which is the calling one.
using BugCheckSink = std::function<void(const BugCheck& bug, const std::string& report)>;
void set_bugcheck_sink(BugCheckSink sink);

std::string format_bugcheck(const BugCheck& bug);
[[noreturn]] void bugcheck(const BugCheck& bug);
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace wfp::kernel

#define KERNEL_CHECK(expression) \
  (static_cast<bool>(expression) ? (void)0 : ::wfp::kernel::check_failed(#expression, __FILE__, __LINE__))
