// The program's version; WFPTAP_VERSION comes from the project() line of the root CMakeLists.txt.
#pragma once

#include <string_view>

namespace app {
inline constexpr std::string_view kVersion = WFPTAP_VERSION;
}
