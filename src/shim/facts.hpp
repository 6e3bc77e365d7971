// What a classification shows, gathered from the stack's own words (stack::PacketContext, stack::Operation) before it
// is written in WFP's. Plain data on the caller's stack, valid for one call.
#pragma once

#include <cstdint>

#include "stack/hooks/authorizer.hpp"

namespace shim {

// The compartment of this host: there is one, and it is Windows' default.
inline constexpr std::uint32_t kCompartmentId = 1;

struct Facts {
  stack::Family family = stack::Family::V4;
  stack::Direction direction = stack::Direction::Inbound;
  std::uint8_t protocol = 0;
  stack::Origin origin = stack::Origin::Unknown;
  stack::IpAddress local;
  stack::IpAddress remote;
  stack::AddressKind local_kind = stack::AddressKind::Unspecified;
  stack::AddressKind remote_kind = stack::AddressKind::Unspecified;
  std::uint16_t local_port = 0;   // ICMP: its type, as the documented layer pages say
  std::uint16_t remote_port = 0;  // ICMP: its code
  std::uint8_t icmp_type = 0;     // 0 for all other protocols
  std::uint8_t tcp_flags = 0;
  std::uint32_t condition_flags = 0;     // FWP_CONDITION_FLAG_*
  std::uint32_t reauthorize_reason = 0;  // FWP_CONDITION_REAUTHORIZE_REASON_*
  std::uint32_t interface_index = 0;
  std::uint32_t local_interface_index = 0;
  const stack::Owner* owner = nullptr;
};

Facts facts_of(const stack::PacketContext& context);
Facts facts_of(const stack::Operation& operation);

}  // namespace shim
