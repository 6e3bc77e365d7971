// An NTSTATUS for a reader: its number, and its name where the driver's headers have one.
#pragma once

#include <string>

#include "nt/ntstatus.h"

namespace app {

std::string status_text(NTSTATUS status);  // 0xc000009a (STATUS_INSUFFICIENT_RESOURCES)

}  // namespace app
