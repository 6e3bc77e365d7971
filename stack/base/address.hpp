// Link and network addresses. One IpAddress for both families, so that everything above stack/wire has one path.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/bytes.hpp"

namespace stack {

enum class Family : std::uint8_t { V4, V6 };

struct MacAddress {
  std::array<std::byte, 6> bytes{};

  auto operator<=>(const MacAddress&) const = default;
  bool is_broadcast() const;
  bool is_multicast() const { return (bytes[0] & std::byte{1}) != std::byte{0}; }
  static MacAddress from(Bytes six);
  static MacAddress broadcast();
};

// An IPv4 or IPv6 address in network byte order. IPv4 uses the first four bytes; the rest stay zero, so comparing and
// hashing need no case distinction.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v4(Bytes four);
  static IpAddress v6(Bytes sixteen);
  static IpAddress any(Family family);
  static std::optional<IpAddress> parse(std::string_view text);  // dotted quad or RFC 4291 text; no scope id

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::V4; }
  Bytes bytes() const { return Bytes{bytes_}.first(is_v4() ? 4 : 16); }
  std::uint32_t v4_host_order() const { return load_be32(bytes_, 0); }

  bool is_unspecified() const;
  bool is_loopback() const;    // 127/8, ::1
  bool is_multicast() const;   // 224/4, ff00::/8
  bool is_broadcast() const;   // 255.255.255.255 alone; a subnet's broadcast address is the address table's business
  bool is_link_local() const;  // 169.254/16, fe80::/10

  auto operator<=>(const IpAddress&) const = default;
  std::string to_string() const;

 private:
  std::array<std::byte, 16> bytes_{};
  Family family_ = Family::V4;
};

// An address with its prefix length: an interface address, or a route's destination.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;

  bool contains(const IpAddress& other) const;
  static std::optional<IpPrefix> parse(std::string_view text);  // "10.77.0.2/24"; without "/n" a host prefix
  bool operator==(const IpPrefix&) const = default;
};

// An address and a port, the latter in host order.
struct SocketAddress {
  IpAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const SocketAddress&) const = default;
  std::string to_string() const;  // 10.77.0.2:80, [fd77::2]:80
};

}  // namespace stack
