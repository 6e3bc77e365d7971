// What a file is that was given as a driver and is none: source, a driver that was compiled for Windows, an object file,
// something for another machine, a file that is cut short. The dynamic linker says little more than "invalid ELF header".
#pragma once

#include <string>

namespace app {

// A sentence with what to do; empty when it may be a shared object of this machine, or when there is no such file.
std::string explain_file_kind(const std::string& path);

}  // namespace app
