// Spans of bytes with big-endian loads and stores. A buffer is never cast to a struct: alignment, aliasing and length
// all speak against it. Callers check lengths once, in a parse function; these functions only DCHECK them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "stack/base/assert.hpp"

namespace stack {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline std::uint8_t load_u8(Bytes b, std::size_t at) {
  DCHECK(at < b.size());
  return std::to_integer<std::uint8_t>(b[at]);
}
inline std::uint16_t load_be16(Bytes b, std::size_t at) {
  DCHECK(at + 2 <= b.size());
  std::uint16_t value;
  std::memcpy(&value, b.data() + at, sizeof value);
  return __builtin_bswap16(value);
}
inline std::uint32_t load_be32(Bytes b, std::size_t at) {
  DCHECK(at + 4 <= b.size());
  std::uint32_t value;
  std::memcpy(&value, b.data() + at, sizeof value);
  return __builtin_bswap32(value);
}
inline void store_u8(MutableBytes b, std::size_t at, std::uint8_t value) {
  DCHECK(at < b.size());
  b[at] = std::byte{value};
}
inline void store_be16(MutableBytes b, std::size_t at, std::uint16_t value) {
  DCHECK(at + 2 <= b.size());
  value = __builtin_bswap16(value);
  std::memcpy(b.data() + at, &value, sizeof value);
}
inline void store_be32(MutableBytes b, std::size_t at, std::uint32_t value) {
  DCHECK(at + 4 <= b.size());
  value = __builtin_bswap32(value);
  std::memcpy(b.data() + at, &value, sizeof value);
}

}  // namespace stack
