#include "wfp/engine/guid_order.hpp"

#include <array>
#include <cstdio>

namespace wfp::engine {

std::string to_text(const GUID& guid) {
  std::array<char, 40> out;
  const auto& tail = guid.Data4;
  std::snprintf(out.data(), out.size(), "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}", guid.Data1, guid.Data2,
                guid.Data3, tail[0], tail[1], tail[2], tail[3], tail[4], tail[5], tail[6], tail[7]);
  return out.data();
}

}  // namespace wfp::engine
