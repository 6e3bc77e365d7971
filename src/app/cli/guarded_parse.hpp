// Parses a configuration in a child process: whatever the parser does with a malformed text, aborting, looping and using
// up memory included, ends as a sentence. Called while the program has one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "src/app/cli/config_file.hpp"

namespace app {

using ConfigParser = std::function<Parsed<std::vector<ConfigEntry>>(std::string_view, const std::string&)>;

Parsed<std::vector<ConfigEntry>> parse_guarded(std::string_view text, const std::string& path,
                                               const ConfigParser& parse = parse_config);

}  // namespace app
