// UTF-8 and UTF-16, for names that cross between the program and the drivers. Bad input becomes U+FFFD.
#pragma once

#include <string>
#include <string_view>

#include "nt/types.h"

namespace wfp::kernel {

std::u16string to_utf16(std::string_view utf8);
std::string to_utf8(std::u16string_view utf16);

inline std::u16string_view view_of(const UNICODE_STRING& string) {
  return {reinterpret_cast<const char16_t*>(string.Buffer), string.Length / sizeof(WCHAR)};
}
inline std::u16string_view view_of(PCWSTR string) { return reinterpret_cast<const char16_t*>(string); }

}  // namespace wfp::kernel
