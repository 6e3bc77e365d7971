// Which call of a DriverEntry that failed it was, in words.
#pragma once

#include <string>
#include <vector>

#include "nt/ntstatus.h"
#include "wfp/ledger/failed_calls.hpp"

namespace app {

// To be put behind "DriverEntry failed with STATUS": the call that returned this status, then the others that failed. Empty
// when none did.
std::string failed_calls_text(const std::vector<wfp::ledger::FailedCall>& calls, NTSTATUS status);

}  // namespace app
