// The report of a run whose stack cannot write one any more: it did not start, or it died. Plain functions.
#pragma once

#include <optional>
#include <string>

#include "src/app/cli/options.hpp"
#include "src/app/output/report.hpp"
#include "src/app/output/run_record.hpp"

namespace app {

output::Report setup_report(const TestOptions& options, const std::string& why);

// `status` is the stack's, from waitpid(2); `end` is COMMAND's, if it had ended; `bug_check` may be empty. Says on
// standard error how it ended, too, unless we have killed it and said so.
output::Report fault_report(const TestOptions& options, int status, const std::optional<CommandEnd>& end,
                            const std::string& bug_check, bool was_killed);

// To the descriptor of --report; -1: nothing to do. Says on standard error what failed. `known`: what the stack's process
// could still count (src/app/output/report.hpp); may be empty.
void write_early_report(const output::Report& report, int fd, const TestOptions& options,
                        const std::string& known = {});

}  // namespace app
