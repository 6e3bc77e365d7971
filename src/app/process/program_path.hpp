// Where the program's own file is: drivers that ship lie beside it, and --gdb starts it again.
#pragma once

#include <filesystem>

namespace app {

// Absolute; empty when /proc is not there. Read at the first call and kept: the kernel spells it for the mount
// namespace of the reader, so main() asks before the program enters another one. [any thread]
const std::filesystem::path& program_path();

}  // namespace app
