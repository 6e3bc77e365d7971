// How wfp/kernel names a driver's mistake and whose code is running. Not for packets' accounting: that is wfp/ledger.
// A violation goes to the ledger as a rule id and a message that says what was wrong and what to do. Any thread, any
// IRQL; never called with a lock of this folder held.
#pragma once

#include <string>
#include <string_view>

#include "wfp/ledger/irql.hpp"

namespace wfp::kernel {

void report_violation(std::string_view rule_id, const std::string& message);

// "1 pool block", "2 pool blocks": `what` is the singular, whose plural ends in s.
std::string counted(std::size_t count, std::string_view what);

// printf into a string, for messages.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);

}  // namespace wfp::kernel
