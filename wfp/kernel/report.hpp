// How wfp/kernel names a driver's mistake and whose code is running. Not for packets' accounting: that is wfp/ledger.
// A violation goes to the ledger as a rule id and a message that says what was wrong and what to do. Any thread, any
// IRQL; never called with a lock of this folder held.
#pragma once

#include <string>
#include <string_view>

namespace wfp::kernel {

// Rule ids are stable: reports and tests match on them.
namespace rule {
inline constexpr std::string_view kIrql = "irql";
inline constexpr std::string_view kLockRecursion = "lock-recursion";
inline constexpr std::string_view kLockStranger = "lock-released-by-stranger";
inline constexpr std::string_view kLockHeld = "lock-held-in-call";
inline constexpr std::string_view kObject = "object-not-initialized";
inline constexpr std::string_view kPoolLeak = "pool-leak";
inline constexpr std::string_view kPoolFree = "pool-bad-free";
inline constexpr std::string_view kPoolTag = "pool-wrong-tag";
inline constexpr std::string_view kPoolOverrun = "pool-overrun";
inline constexpr std::string_view kPoolUseAfterFree = "pool-use-after-free";
inline constexpr std::string_view kThreadLeak = "thread-leak";
inline constexpr std::string_view kHandle = "bad-handle";
inline constexpr std::string_view kWorkItem = "work-item";
inline constexpr std::string_view kDeviceLeak = "device-leak";
inline constexpr std::string_view kTimerLeak = "timer-leak";
inline constexpr std::string_view kHandleLeak = "handle-leak";
inline constexpr std::string_view kMutex = "mutex-not-owned";
inline constexpr std::string_view kRundown = "rundown";
inline constexpr std::string_view kBound = "bound-reached";
inline constexpr std::string_view kAssert = "driver-assert";
}  // namespace rule

void report_violation(std::string_view rule_id, const std::string& message);

// printf into a string, for messages.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

}  // namespace wfp::kernel
