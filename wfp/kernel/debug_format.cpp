#include "wfp/kernel/debug_format.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "nt/types.h"
#include "wfp/kernel/unicode.hpp"

namespace wfp::kernel {
namespace {

constexpr int kMaxNumber = 9999;  // width or precision; more than a line can hold

// One conversion: %[flags][width][.precision][size]letter, with the size in Windows' terms.
struct Spec {
  std::string head = "%";  // flags, width, precision, with every * already replaced by its number
  int precision = -1;
  bool is_64 = false, wide = false, narrow = false;
  char letter = 0;
};

template <class Value>
std::string print(const Spec& spec, const char* size, Value value) {
  std::array<char, kMaxFormattedBytes + 1> buffer;
  const std::string format = spec.head + size + spec.letter;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const int length = std::snprintf(buffer.data(), buffer.size(), format.c_str(), value);
#pragma GCC diagnostic pop
  return length < 0 ? std::string() : std::string(buffer.data());
}

const char* parse_size(const char* at, Spec& spec) {
  if (std::strncmp(at, "I64", 3) == 0 || std::strncmp(at, "I32", 3) == 0) {
    spec.is_64 = at[1] == '6';
    return at + 3;
  }
  for (; *at != 0 && std::strchr("hlLwIzjt", *at) != nullptr; ++at) {
    // `l` alone is 32 bits on Windows; `ll`, `I`, `z`, `j` and `t` are 64
    if ((*at == 'l' && at[1] == 'l') || *at == 'I' || *at == 'z' || *at == 'j' || *at == 't') spec.is_64 = true;
    if (*at == 'w' || *at == 'l') spec.wide = true;
    if (*at == 'h') spec.narrow = true;
  }
  return at;
}

const char* parse(const char* at, Spec& spec, va_list arguments) {
  while (*at != 0 && std::strchr("-+ #0", *at) != nullptr) spec.head += *at++;
  const auto number = [&] {
    int value = 0;
    if (*at == '*') {
      value = va_arg(arguments, int);
      ++at;
    } else {
      for (; *at >= '0' && *at <= '9'; ++at) value = std::min(value * 10 + (*at - '0'), kMaxNumber);
    }
    return value;
  };
  if (*at == '*' || (*at >= '1' && *at <= '9')) spec.head += std::to_string(number());
  if (*at == '.') {
    ++at;
    spec.precision = number();
    spec.head += "." + std::to_string(spec.precision);
  }
  at = parse_size(at, spec);
  spec.letter = *at;
  return *at != 0 ? at + 1 : at;
}

std::string pad(Spec spec, const std::string& value) {
  if (spec.precision >= 0) return print(Spec{.head = spec.head, .letter = 's'}, "", value.c_str());
  spec.letter = 's';
  return spec.head == "%" ? value : print(spec, "", value.c_str());
}

// %s and %S.
std::string convert_string(const Spec& spec, const void* string) {
  if (string == nullptr) return pad(spec, "(null)");
  const bool wide = spec.letter == 's' ? spec.wide : !spec.narrow;
  if (wide) return pad(spec, to_utf8(static_cast<const char16_t*>(string)));
  const auto* bytes = static_cast<const char*>(string);
  const std::size_t limit = spec.precision >= 0 ? static_cast<std::size_t>(spec.precision) : kMaxFormattedBytes;
  return pad(spec, std::string(bytes, strnlen(bytes, limit)));
}

// %Z and %wZ.
std::string convert_counted_string(const Spec& spec, const void* counted) {
  if (counted == nullptr) return pad(spec, "(null)");
  if (spec.wide) return pad(spec, to_utf8(view_of(*static_cast<const UNICODE_STRING*>(counted))));
  const auto& ansi = *static_cast<const STRING*>(counted);
  return pad(spec, std::string(ansi.Buffer, ansi.Length));
}

std::string convert(const Spec& spec, va_list arguments) {
  switch (spec.letter) {
    case 'd':
    case 'i':
      return spec.is_64 ? print(spec, "ll", va_arg(arguments, long long)) : print(spec, "", va_arg(arguments, int));
    case 'u':
    case 'x':
    case 'X':
    case 'o':
      return spec.is_64 ? print(spec, "ll", va_arg(arguments, unsigned long long))
                        : print(spec, "", va_arg(arguments, unsigned));
    case 'p':
      return pad(spec, print(Spec{.head = "%016", .letter = 'X'}, "ll",
                             reinterpret_cast<unsigned long long>(va_arg(arguments, void*))));
    case 'c':
      if (!spec.wide) return print(spec, "", va_arg(arguments, int));
      [[fallthrough]];
    case 'C': {
      const auto unit = static_cast<char16_t>(va_arg(arguments, int));
      return pad(spec, to_utf8(std::u16string_view(&unit, 1)));
    }
    case 's':
    case 'S':
      return convert_string(spec, va_arg(arguments, const void*));
    case 'Z':
      return convert_counted_string(spec, va_arg(arguments, const void*));
    case 'e':
    case 'E':
    case 'f':
    case 'g':
    case 'G':
      return print(spec, "", va_arg(arguments, double));
    case '%':
      return "%";
    default:
      return spec.head + spec.letter;  // unknown: shown as written
  }
}

}  // namespace

std::string format_text(const char* format, va_list arguments) {
  std::string out;
  va_list rest;
  va_copy(rest, arguments);
  for (const char* at = format; *at != 0 && out.size() < kMaxFormattedBytes;) {
    if (*at != '%') {
      out += *at++;
      continue;
    }
    Spec spec;
    at = parse(at + 1, spec, rest);
    if (spec.letter != 0) out += convert(spec, rest);
  }
  va_end(rest);
  if (out.size() > kMaxFormattedBytes) out.resize(kMaxFormattedBytes);
  return out;
}

}  // namespace wfp::kernel
