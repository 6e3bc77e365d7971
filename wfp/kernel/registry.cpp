#include "wfp/kernel/registry.hpp"

#include <cctype>
#include <charconv>
#include <cstring>

#include "nt/zw.h"
#include "wfp/kernel/unicode.hpp"

namespace wfp::kernel {
namespace {

std::string key_of(std::string_view driver, std::string_view name) {
  std::string key = std::string(driver) + "\\" + std::string(name);
  for (char& c : key) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return key;
}

}  // namespace

RegistryValue parse_registry_data(std::string_view data) {
  std::string_view digits = data;
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    digits.remove_prefix(2);
    base = 16;
  }
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  RegistryValue value;
  if (error == std::errc{} && end == digits.data() + digits.size() && !digits.empty()) {
    value.type = REG_DWORD;
    value.data.resize(sizeof number);
    std::memcpy(value.data.data(), &number, sizeof number);
    return value;
  }
  const std::u16string wide = to_utf16(data);
  value.type = REG_SZ;
  value.data.resize((wide.size() + 1) * sizeof(char16_t));
  std::memcpy(value.data.data(), wide.c_str(), value.data.size());
  return value;
}

bool Registry::set(std::string_view driver, std::string_view name, std::string_view data) {
  if (driver.empty() || name.empty()) return false;
  const std::lock_guard lock(lock_);
  const std::string key = key_of(driver, name);
  if (values_.size() >= kMaxRegistryValues && !values_.contains(key)) return false;
  values_[key] = parse_registry_data(data);
  return true;
}

void Registry::erase(std::string_view driver) {
  const std::string prefix = key_of(driver, "");
  const std::lock_guard lock(lock_);
  std::erase_if(values_, [&](const auto& value) { return value.first.starts_with(prefix); });
}

std::optional<RegistryValue> Registry::get(std::string_view driver, std::string_view name) const {
  const std::lock_guard lock(lock_);
  const auto found = values_.find(key_of(driver, name));
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

}  // namespace wfp::kernel
