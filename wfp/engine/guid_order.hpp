// GUIDs as keys of ordered maps, and as text. Any thread.
#pragma once

#include <cstring>
#include <string>

#include "guiddef.h"

namespace wfp::engine {

struct GuidOrder {
  bool operator()(const GUID& left, const GUID& right) const { return std::memcmp(&left, &right, sizeof(GUID)) < 0; }
};

inline bool is_zero(const GUID& guid) {
  static constexpr GUID kZero{};
  return std::memcmp(&guid, &kZero, sizeof(GUID)) == 0;
}

std::string to_text(const GUID& guid);  // {c86fd1bf-21cd-497e-a0bb-17425c885c58}

}  // namespace wfp::engine
