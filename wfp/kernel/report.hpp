// How wfp/kernel names a driver's mistake and whose code is running. Not for packets' accounting: that is wfp/ledger.
// A violation goes to the ledger as a rule id and a message that says what was wrong and what to do. Any thread, any
// IRQL; never called with a lock of this folder held.
#pragma once

#include <string>
#include <string_view>

#include "wfp/ledger/irql.hpp"

namespace wfp::kernel {

// Rule ids are stable: reports and tests match on them.
namespace rule {
inline constexpr std::string_view kIrql = ledger::kIrqlRule;
inline constexpr std::string_view kIrqlLeak = "IRQL-LEAK";
inline constexpr std::string_view kLockRecursion = "LOCK-RECURSION";
inline constexpr std::string_view kLockStranger = "LOCK-STRANGER";
inline constexpr std::string_view kLockHeld = "LOCK-HELD-IN-CALL";
inline constexpr std::string_view kObject = "OBJECT-NOT-INITIALIZED";
inline constexpr std::string_view kPoolLeak = "POOL-LEAK-UNLOAD";
inline constexpr std::string_view kPoolFree = "POOL-BAD-FREE";
inline constexpr std::string_view kPoolTag = "POOL-WRONG-TAG";
inline constexpr std::string_view kPoolOverrun = "POOL-OVERWRITE";
inline constexpr std::string_view kPoolUseAfterFree = "POOL-USE-AFTER-FREE";
inline constexpr std::string_view kThreadLeak = "UNLOAD-THREAD";
inline constexpr std::string_view kHandle = "HANDLE-BAD";
inline constexpr std::string_view kWorkItem = "WORK-ITEM";
inline constexpr std::string_view kDeviceLeak = "UNLOAD-DEVICE";
inline constexpr std::string_view kTimerLeak = "UNLOAD-TIMER";
inline constexpr std::string_view kResidue = "UNLOAD-RESIDUE";
inline constexpr std::string_view kHandleLeak = "UNLOAD-HANDLE";
inline constexpr std::string_view kMutex = "MUTEX-NOT-OWNED";
inline constexpr std::string_view kRundown = "RUNDOWN";
inline constexpr std::string_view kBound = "BOUND-REACHED";
inline constexpr std::string_view kAssert = "DRIVER-ASSERT";
}  // namespace rule

void report_violation(std::string_view rule_id, const std::string& message);

// printf into a string, for messages.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

}  // namespace wfp::kernel
