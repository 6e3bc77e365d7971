// The SHA-256 of a file, in hexadecimal: which build of a driver it was.
#pragma once

#include <string>

namespace app {

std::string sha256_of_file(const std::string& path);  // empty: it cannot be read

}  // namespace app
