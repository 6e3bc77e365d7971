#include "wfp/kernel/unicode.hpp"

#include <cstdint>

namespace wfp::kernel {
namespace {
constexpr char32_t kReplacement = 0xfffd;

// One code point from UTF-8; moves `at` past it.
char32_t next_code_point(std::string_view s, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(s[at++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
  if (more == 0 || lead >= 0xf5) return kReplacement;
  char32_t code = lead & (0x3fu >> more);
  for (int i = 0; i < more; ++i, ++at) {
    if (at >= s.size() || (static_cast<unsigned char>(s[at]) & 0xc0u) != 0x80u) return kReplacement;
    code = code << 6 | (static_cast<unsigned char>(s[at]) & 0x3fu);
  }
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return surrogate || code > 0x10ffff ? kReplacement : code;
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&](unsigned value) { out.push_back(static_cast<char>(value)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0u | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0u | code >> 12);
    } else {
      put(0xf0u | code >> 18);
      put(0x80u | (code >> 12 & 0x3fu));
    }
    put(0x80u | (code >> 6 & 0x3fu));
  }
  put(0x80u | (code & 0x3fu));
}

}  // namespace

std::u16string to_utf16(std::string_view utf8) {
  std::u16string out;
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t code = next_code_point(utf8, at);
    if (code < 0x10000) {
      out.push_back(static_cast<char16_t>(code));
    } else {
      out.push_back(static_cast<char16_t>(0xd800u + ((code - 0x10000u) >> 10)));
      out.push_back(static_cast<char16_t>(0xdc00u + ((code - 0x10000u) & 0x3ffu)));
    }
  }
  return out;
}

std::string to_utf8(std::u16string_view utf16) {
  std::string out;
  for (std::size_t i = 0; i < utf16.size(); ++i) {
    char32_t code = utf16[i];
    const bool high = code >= 0xd800 && code < 0xdc00;
    if (high && i + 1 < utf16.size() && utf16[i + 1] >= 0xdc00 && utf16[i + 1] < 0xe000)
      code = 0x10000u + ((code - 0xd800u) << 10) + (utf16[++i] - 0xdc00u);
    else if (code >= 0xd800 && code < 0xe000)
      code = kReplacement;
    append_utf8(out, code);
  }
  return out;
}

}  // namespace wfp::kernel
