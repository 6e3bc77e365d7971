// Opens a file that the program writes: recordings and reports.
#pragma once

#include <sys/types.h>

#include <cstdio>

#include "src/app/files/place.hpp"

namespace app::files {

inline constexpr mode_t kPrivate = 0600;  // what others' traffic stands in
inline constexpr mode_t kUsual = 0666;    // what the umask leaves of it

// An empty file of `mode`, or an existing one, emptied; "-" is standard output. Not one that somebody else may have put
// there for us to write to: see place.hpp; in a folder that others can write, an existing file must be ours or the
// folder owner's, and have one name.
Parsed<tap::FileDescriptor> open_output_file(const std::string& path, mode_t mode);

// The same for the functions of stdio.
Parsed<std::FILE*> open_output_stream(const std::string& path, mode_t mode);

}  // namespace app::files
