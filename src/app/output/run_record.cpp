#include "src/app/output/run_record.hpp"

#include "src/app/cli/version.hpp"

namespace app::output {

RunRecord run_record(const RunOptions& options) {
  return {std::string(kVersion), options.node.seed, options.arguments};
}

}  // namespace app::output
