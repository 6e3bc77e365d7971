// ICMP for IPv4 (RFC 792, RFC 1122 3.2.2, RFC 1191): types, codes and what follows from them.
#pragma once

#include <cstdint>

#include "stack/wire/icmp.hpp"

namespace stack::wire {

inline constexpr std::uint8_t kProtocolIcmp = 1;

namespace icmpv4 {
inline constexpr std::uint8_t kEchoReply = 0, kUnreachable = 3, kSourceQuench = 4, kRedirect = 5, kEcho = 8,
                              kTimeExceeded = 11, kParameterProblem = 12;
// Codes of kUnreachable.
inline constexpr std::uint8_t kNet = 0, kHost = 1, kProtocol = 2, kPort = 3, kFragmentationNeeded = 4,
                              kSourceRouteFailed = 5, kNetUnknown = 6, kHostUnknown = 7, kNetProhibited = 9,
                              kHostProhibited = 10, kNetForTos = 11, kHostForTos = 12, kAdminProhibited = 13;
// Codes of kTimeExceeded.
inline constexpr std::uint8_t kHopLimit = 0, kReassembly = 1;

// Messages that quote the packet which caused them. Never answered by another error (RFC 1122 3.2.2).
constexpr bool is_error(std::uint8_t type) {
  return type == kUnreachable || type == kSourceQuench || type == kRedirect || type == kTimeExceeded ||
         type == kParameterProblem;
}
// RFC 1191 4: the next hop's MTU of a "fragmentation needed" message; zero from routers older than that.
inline std::uint32_t next_hop_mtu(const IcmpView& message) { return message.rest() & 0xffff; }
}  // namespace icmpv4

}  // namespace stack::wire
