// Which layout of the Windows structures a driver's file was built against: the note that the headers put into it
// (wfp/include/nt/layout_version.h), read from the file before anything of it is mapped or run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace app {

// One for each version that the sources of the image were built against. Nothing: no ELF image of this machine, or no
// file, of which the dynamic linker says more. Every offset in the file is checked.
std::optional<std::vector<std::uint32_t>> layout_versions(const std::string& path);

// Why it may not be loaded, and what to do; empty when it was built against the layout that this program has.
std::string explain_layout(const std::string& path);

}  // namespace app
