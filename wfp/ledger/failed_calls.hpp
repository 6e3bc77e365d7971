// The latest calls of each driver that failed, with what they were about: so that a DriverEntry which fails with a bare
// status can be told in words which call it was. Management calls alone, which are few; bounded by driver. Any thread.
#pragma once

#include <string>
#include <vector>

#include "nt/ntstatus.h"
#include "wfp/ledger/ledger.hpp"

namespace wfp::ledger {

struct FailedCall {
  std::string routine;  // FwpmFilterAdd0
  NTSTATUS status = 0;
  std::string about;  // "filter 'x': there is no layer {...}"; empty: nothing more is known
};

inline constexpr std::size_t kKeptFailures = 4;  // of each driver

// Of the running driver; without one nothing is kept. Returns `status`.
NTSTATUS call_failed(const char* routine, NTSTATUS status, std::string about);
std::vector<FailedCall> failed_calls(DriverId driver);  // the oldest first
void forget_failed_calls(DriverId driver);

}  // namespace wfp::ledger
