#include "wfp/inject/checksum.hpp"

#include <bit>
#include <cstring>

namespace wfp::inject {
namespace {

std::uint16_t swapped(std::uint16_t value) { return static_cast<std::uint16_t>(value << 8 | value >> 8); }

std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

template <typename Word>
Word load(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The sum does not depend on the byte order in which words are read, except that its bytes are swapped (RFC
// 1071 2.B).
std::uint16_t sum_of(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 4; left -= 4, at += 4) sum += load<std::uint32_t>(at);
  if (left >= 2) {
    sum += load<std::uint16_t>(at);
    left -= 2;
    at += 2;
  }
  if (left == 1) {
    std::uint16_t last = 0;
    std::memcpy(&last, at, 1);
    sum += last;
  }
  return fold(sum);
}

}  // namespace

void Checksum::add(std::span<const std::byte> bytes) {
  const std::uint16_t sum = sum_of(bytes);
  sum_ += is_odd_ ? swapped(sum) : sum;
  is_odd_ = is_odd_ != (bytes.size() % 2 != 0);
}

std::uint16_t Checksum::finish() const {
  const auto sum = static_cast<std::uint16_t>(~fold(sum_));
  return std::endian::native == std::endian::little ? swapped(sum) : sum;
}

void store_be16(std::byte* at, std::uint16_t value) {
  at[0] = static_cast<std::byte>(value >> 8);
  at[1] = static_cast<std::byte>(value & 0xff);
}

std::uint16_t load_be16(const std::byte* at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) << 8 | std::to_integer<unsigned>(at[1]));
}

}  // namespace wfp::inject
