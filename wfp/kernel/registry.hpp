// The values that a driver reads below its Parameters key: what `--param DRIVER:VALUE=DATA` set. Names compare
// without case. Data that parses as a number (decimal, or hexadecimal after 0x, up to 32 bits) is a REG_DWORD, all
// other a REG_SZ. Set by the loader before the driver starts, and gone with the driver; any thread may read.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nt/types.h"

namespace wfp::kernel {

inline constexpr std::size_t kMaxRegistryValues = 1024;  // of all drivers together

struct RegistryValue {
  ULONG type = 0;           // REG_DWORD or REG_SZ
  std::vector<UCHAR> data;  // 4 bytes, or UTF-16 with its terminator
};

class Registry {
 public:
  // False when kMaxRegistryValues are set or an argument is empty.
  bool set(std::string_view driver, std::string_view name, std::string_view data);
  void erase(std::string_view driver);  // all values of this driver
  std::optional<RegistryValue> get(std::string_view driver, std::string_view name) const;

 private:
  mutable std::mutex lock_;
  std::map<std::string, RegistryValue> values_;  // "driver\name" in lower case
};

RegistryValue parse_registry_data(std::string_view data);

}  // namespace wfp::kernel
