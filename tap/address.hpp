// Addresses as the kernel's side of the device is given them: plain bytes in network order, parsed from text.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tap/error.hpp"

namespace tap {

using MacAddress = std::array<std::uint8_t, 6>;

// An address with the length of its network's prefix; without a "/N" in the text the length is that of the address.
struct IpPrefix {
  std::array<std::uint8_t, 16> bytes{};  // IPv4: the first four
  bool is_v6 = false;
  std::uint8_t length = 0;  // bits

  std::span<const std::uint8_t> address() const { return std::span{bytes}.first(is_v6 ? 16 : 4); }
  bool operator==(const IpPrefix&) const = default;
};

Result<IpPrefix> parse_prefix(std::string_view text);  // "10.77.0.1/24", "fd77::1/64", "10.77.0.1"
std::string to_string(const IpPrefix& prefix);

}  // namespace tap
