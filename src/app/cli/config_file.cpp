#include "src/app/cli/config_file.hpp"

#include <cstring>
#include <fstream>
#include <sstream>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "src/app/cli/guarded_parse.hpp"

namespace app {
namespace {

// Text of a scalar as the command line would have it; nothing for dates and nested tables.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* number = node.as_floating_point()) {
    std::ostringstream text;
    text << number->get();
    return text.str();
  }
  return std::nullopt;
}

std::string place(const std::string& path, const toml::source_region& where) {
  return path + ":" + std::to_string(where.begin.line) + ": ";
}

// [param.DRIVER] VALUE = DATA
std::string take_parameters(const std::string& path, const toml::table& drivers, std::vector<ConfigEntry>& entries) {
  for (const auto& [driver, values] : drivers) {
    const auto* table = values.as_table();
    if (table == nullptr) return place(path, values.source()) + "write [param." + std::string(driver.str()) + "]";
    for (const auto& [value, data] : *table) {
      const auto text = scalar_text(data);
      if (!text) return place(path, data.source()) + "a driver parameter is a text, a number, true or false";
      entries.push_back({"param", std::string(driver.str()) + ":" + std::string(value.str()) + "=" + *text});
    }
  }
  return {};
}

}  // namespace

Parsed<std::vector<ConfigEntry>> parse_config(std::string_view text, const std::string& path) {
  using P = Parsed<std::vector<ConfigEntry>>;
  const auto result = toml::parse(text, path);
  if (!result) return P::error(place(path, result.error().source()) + std::string(result.error().description()));
  std::vector<ConfigEntry> entries;
  for (const auto& [key, node] : result.table()) {
    const std::string name{key.str()};
    if (const auto* table = node.as_table(); table != nullptr && name == "param") {
      if (auto why = take_parameters(path, *table, entries); !why.empty()) return P::error(std::move(why));
    } else if (const auto* array = node.as_array()) {
      for (const auto& item : *array) {
        const auto value = scalar_text(item);
        if (!value) return P::error(place(path, item.source()) + "an item of " + name + " is no plain value");
        entries.push_back({name, *value});
      }
    } else if (const auto value = scalar_text(node)) {
      entries.push_back({name, *value});
    } else {
      return P::error(place(path, node.source()) + name + " is no plain value and no array of plain values");
    }
  }
  return entries;
}

Parsed<std::vector<ConfigEntry>> read_config_file(const std::string& path) {
  using P = Parsed<std::vector<ConfigEntry>>;
  std::ifstream file(path, std::ios::binary);
  if (!file) return P::error("--config " + path + ": " + std::strerror(errno));
  std::string text(kMaxConfigFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return P::error("--config " + path + ": cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kMaxConfigFileBytes) return P::error("--config " + path + ": larger than 1 MiB");
  return parse_guarded(text, path);
}

}  // namespace app
