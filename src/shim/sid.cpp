#include "src/shim/sid.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace shim {
namespace {

constexpr std::size_t kMaxSubAuthorities = 15;
constexpr std::size_t kFirstSubAuthority = 8;

// Takes "-number" from the front of `text`.
bool take_number(std::string_view& text, std::uint64_t limit, std::uint64_t& number) {
  if (text.empty() || text.front() != '-') return false;
  text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number > limit) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// Revision, count of sub-authorities, six bytes of authority in big-endian order, sub-authorities in little-endian
// order.
bool parse(std::string_view text, std::span<std::uint8_t, 68> into) {
  std::uint64_t number = 0;
  if (!text.starts_with("S")) return false;
  text.remove_prefix(1);
  if (!take_number(text, 1, number) || number != 1) return false;
  into[0] = 1;
  if (!take_number(text, 0xffff'ffff'ffffull, number)) return false;
  for (std::size_t i = 0; i < 6; ++i) into[2 + i] = static_cast<std::uint8_t>(number >> (8 * (5 - i)));
  std::size_t count = 0;
  for (; !text.empty(); ++count) {
    if (count == kMaxSubAuthorities || !take_number(text, 0xffff'ffff, number)) return false;
    for (std::size_t i = 0; i < 4; ++i)
      into[kFirstSubAuthority + 4 * count + i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  into[1] = static_cast<std::uint8_t>(count);
  return count > 0;
}

}  // namespace

void write_sid(std::string_view text, std::span<std::uint8_t, 68> into) {
  std::ranges::fill(into, std::uint8_t{0});
  if (parse(text, into)) return;
  std::ranges::fill(into, std::uint8_t{0});
  into[0] = 1;
  into[1] = 1;  // one sub-authority, zero, of authority zero
}

}  // namespace shim
