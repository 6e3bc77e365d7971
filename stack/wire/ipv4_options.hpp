// IPv4 options (RFC 791 3.1, RFC 1122 3.2.1.8). A host must know a source route, which it refuses (RFC 7126), and where
// a malformed one stands, for ICMP parameter problem. It acts on none of them but in answers to an echo, where a record
// of the route or of times goes on with this host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "stack/base/address.hpp"
#include "stack/base/bytes.hpp"

namespace stack::wire {

struct Ipv4Options {
  bool source_route = false;                // loose or strict, with an address still to visit
  std::optional<std::size_t> error_offset;  // of the first malformed option, from the start of the IPv4 header

  static Ipv4Options parse(Bytes options);  // Ipv4View::option_bytes()
};

// The options of an echo's answer (RFC 1122 3.2.2.6): Record Route and Timestamp of the request, this host added where
// there is room. All others are left out.
class Ipv4EchoOptions {
 public:
  static constexpr std::size_t kMaxSize = 40;

  // `request`: well-formed. `own`: the address that answers. `milliseconds`: of any clock; marked as not being the time
  // of day in UT (RFC 791 3.1).
  Ipv4EchoOptions(Bytes request, const IpAddress& own, std::uint32_t milliseconds);
  Bytes bytes() const { return Bytes{bytes_}.first(size_); }

 private:
  std::array<std::byte, kMaxSize> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace stack::wire
