#include "stack/base/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace stack {

bool MacAddress::is_broadcast() const {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0xff}; });
}
MacAddress MacAddress::from(Bytes six) {
  DCHECK(six.size() >= 6);
  MacAddress mac;
  std::copy_n(six.begin(), 6, mac.bytes.begin());
  return mac;
}
MacAddress MacAddress::broadcast() {
  MacAddress mac;
  mac.bytes.fill(std::byte{0xff});
  return mac;
}

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress a;
  store_be32(a.bytes_, 0, host_order);
  return a;
}
IpAddress IpAddress::v4(Bytes four) {
  DCHECK(four.size() >= 4);
  IpAddress a;
  std::memcpy(a.bytes_.data(), four.data(), 4);
  return a;
}
IpAddress IpAddress::v6(Bytes sixteen) {
  DCHECK(sixteen.size() >= 16);
  IpAddress a;
  a.family_ = Family::V6;
  std::memcpy(a.bytes_.data(), sixteen.data(), 16);
  return a;
}
IpAddress IpAddress::any(Family family) {
  IpAddress a;
  a.family_ = family;
  return a;
}
std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string zero_terminated{text};
  std::array<std::byte, 16> raw{};
  if (inet_pton(AF_INET, zero_terminated.c_str(), raw.data()) == 1) return v4(raw);
  if (inet_pton(AF_INET6, zero_terminated.c_str(), raw.data()) == 1) return v6(raw);
  return std::nullopt;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(bytes_, [](std::byte b) { return b == std::byte{0}; });
}
bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == std::byte{127};
  return bytes_[15] == std::byte{1} &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::byte b) { return b == std::byte{0}; });
}
bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & std::byte{0xf0}) == std::byte{0xe0} : bytes_[0] == std::byte{0xff};
}
bool IpAddress::is_broadcast() const { return is_v4() && v4_host_order() == 0xffff'ffff; }
bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == std::byte{169} && bytes_[1] == std::byte{254};
  return bytes_[0] == std::byte{0xfe} && (bytes_[1] & std::byte{0xc0}) == std::byte{0x80};
}
std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
}

bool IpPrefix::contains(const IpAddress& other) const {
  if (other.family() != address.family()) return false;
  const Bytes a = address.bytes(), b = other.bytes();
  const std::size_t whole = length / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  if (length % 8 == 0) return true;
  const auto mask = static_cast<std::byte>(0xff00 >> (length % 8));
  return (a[whole] & mask) == (b[whole] & mask);
}
std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned longest = address->is_v4() ? 32 : 128;
  unsigned length = longest;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > longest) return std::nullopt;
  }
  return IpPrefix{*address, static_cast<std::uint8_t>(length)};
}

std::string SocketAddress::to_string() const {
  const auto text = address.to_string();
  return (address.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

}  // namespace stack
