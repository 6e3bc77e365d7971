#include "wfp/ledger/failed_calls.hpp"

#include <array>
#include <deque>
#include <mutex>
#include <utility>

namespace wfp::ledger {
namespace {

struct Failures {
  std::mutex mutex;
  std::array<std::deque<FailedCall>, kDriverLimit> calls;
};

Failures& failures() {
  static Failures* const instance = new Failures;  // never destroyed, as the ledger's state
  return *instance;
}

}  // namespace

NTSTATUS call_failed(const char* routine, NTSTATUS status, std::string about) {
  const DriverId driver = current_driver();
  if (driver == kNoDriver) return status;
  auto& all = failures();
  const std::lock_guard lock(all.mutex);
  auto& calls = all.calls[driver];
  if (calls.size() == kKeptFailures) calls.pop_front();
  calls.push_back({routine, status, std::move(about)});
  return status;
}

std::vector<FailedCall> failed_calls(DriverId driver) {
  if (driver >= kDriverLimit) return {};
  auto& all = failures();
  const std::lock_guard lock(all.mutex);
  return {all.calls[driver].begin(), all.calls[driver].end()};
}

void forget_failed_calls(DriverId driver) {
  if (driver >= kDriverLimit) return;
  auto& all = failures();
  const std::lock_guard lock(all.mutex);
  all.calls[driver].clear();
}

}  // namespace wfp::ledger
