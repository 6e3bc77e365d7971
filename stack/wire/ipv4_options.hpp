// IPv4 options (RFC 791 3.1, RFC 1122 3.2.1.8). A host acts on none of them; it must know a source route,
// which it refuses (RFC 7126), and where a malformed one stands, for ICMP parameter problem.
#pragma once

#include <cstddef>
#include <optional>

#include "stack/base/bytes.hpp"

namespace stack::wire {

struct Ipv4Options {
  bool source_route = false;                // loose or strict, with an address still to visit
  std::optional<std::size_t> error_offset;  // of the first malformed option, from the start of the IPv4 header

  static Ipv4Options parse(Bytes options);  // Ipv4View::option_bytes()
};

}  // namespace stack::wire
