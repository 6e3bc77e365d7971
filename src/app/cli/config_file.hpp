// A configuration file: TOML with the run options under their command-line names. A repeatable option is an array.
// Drivers' parameters may also be tables:
//
//   address = ["10.77.0.2/24"]
//   tun = true
//   [param.passthrough]
//   mode = "robust"
#pragma once

#include <string>
#include <vector>

#include "src/app/cli/option_values.hpp"

namespace app {

struct ConfigEntry {
  std::string option;  // without the dashes
  std::string value;
  bool operator==(const ConfigEntry&) const = default;
};

inline constexpr std::size_t kMaxConfigFileBytes = 1 << 20;

// The entries in the file's order of names. Errors name the file and the line.
Parsed<std::vector<ConfigEntry>> read_config_file(const std::string& path);
// The same for a text. The parser is a library that ends the process on some malformed texts: read_config_file() lets a
// child process do it (guarded_parse.hpp).
Parsed<std::vector<ConfigEntry>> parse_config(std::string_view text, const std::string& path);

}  // namespace app
