// What a report can still say when a driver has ended the run.
#include <future>
#include <memory>

#include "src/app/daemon/counts.hpp"
#include "src/app/daemon/daemon.hpp"
#include "src/app/output/run_record.hpp"

namespace app {
namespace {

constexpr std::chrono::milliseconds kAnswer{300};  // that the processor has, in a run that is about to end

struct Counting {
  output::Report report;
  std::promise<void> counted;
};

}  // namespace

// A processor that does not answer stands in a driver's code or in the fault handler: its counts do not move.
void Daemon::collect_last(const std::function<void(const output::Report&)>& take) {
  const auto counting = std::make_shared<Counting>();
  output::Report& report = counting->report;
  report.run = output::run_record(options_);
  if (drivers_) report.drivers = drivers_->records();
  for (auto& driver : report.drivers)
    if (driver.loaded && !driver.unloaded && driver.why_not_unloaded.empty())
      driver.why_not_unloaded = "the run ended before";
  if (violations_) collect_violations(*violations_, report);
  if (watch_) report.fault_stack = watch_->final_stack();
  take(report);
  if (!is_running_ || system_ == nullptr) return;
  auto counted = counting->counted.get_future();
  node_->post([counting](node::System& system) {
    collect_counts(system, counting->report);
    counting->counted.set_value();
  });
  if (counted.wait_for(kAnswer) == std::future_status::ready) return take(report);
  output::Report known = report;
  collect_counts(*system_, known);
  take(known);
}

}  // namespace app
