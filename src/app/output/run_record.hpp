// What a run was started with, for its report.
#pragma once

#include "src/app/cli/options.hpp"
#include "src/app/output/report.hpp"

namespace app::output {

RunRecord run_record(const RunOptions& options);

}  // namespace app::output
