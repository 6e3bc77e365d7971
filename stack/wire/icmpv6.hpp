// ICMP for IPv6 (RFC 4443): types, codes and what follows from them. Neighbour discovery's messages: ndp.hpp.
#pragma once

#include <cstdint>

#include "stack/wire/icmp.hpp"

namespace stack::wire {

inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

namespace icmpv6 {
inline constexpr std::uint8_t kUnreachable = 1, kPacketTooBig = 2, kTimeExceeded = 3, kParameterProblem = 4,
                              kEcho = 128, kEchoReply = 129, kListenerReport = 143, kRouterSolicit = 133,
                              kRouterAdvert = 134, kNeighborSolicit = 135, kNeighborAdvert = 136, kRedirect = 137;
// Codes of kUnreachable.
inline constexpr std::uint8_t kNoRoute = 0, kAdminProhibited = 1, kBeyondScope = 2, kAddress = 3, kPort = 4,
                              kPolicy = 5, kReject = 6;
// Codes of kTimeExceeded.
inline constexpr std::uint8_t kHopLimit = 0, kReassembly = 1;
// Codes of kParameterProblem.
inline constexpr std::uint8_t kErroneousField = 0, kUnknownNextHeader = 1, kUnknownOption = 2,
                              kIncompleteHeaders = 3;  // RFC 7112

constexpr bool is_error(std::uint8_t type) { return type < 128; }
constexpr bool is_ndp(std::uint8_t type) { return type >= kRouterSolicit && type <= kRedirect; }
}  // namespace icmpv6

}  // namespace stack::wire
