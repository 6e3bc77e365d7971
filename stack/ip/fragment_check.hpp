// What can be wrong with a fragment before it meets the others (RFC 791 3.2, RFC 8200 4.5). No state.
#pragma once

#include <optional>

#include "stack/base/drop.hpp"
#include "stack/ip/ip_header.hpp"

namespace stack::ip {

struct FragmentFault {
  Drop reason{};
  std::optional<ParameterProblem> problem;  // what RFC 8200 wants its sender to be told; IPv4's is told nothing
};

// Both: `header` has a fragment. Empty: nothing is wrong.
//
// No payload, a piece in the middle that is not a multiple of eight bytes, or a whole that no length field could say.
std::optional<FragmentFault> check_fragment_size(const IpHeader& header);
// An IPv6 first fragment must reach the upper layer's header and hold all of it (RFC 7112): a filter that sees only
// fragments could not judge it otherwise. `packet`: its first bytes in one piece, from the IP header on; empty when
// there was no buffer for that.
std::optional<FragmentFault> check_first_fragment(const IpHeader& header, Bytes packet);

}  // namespace stack::ip
