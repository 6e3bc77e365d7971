#include "src/shim/facts.hpp"

#include "fwpm/condition_flags.h"

namespace shim {
namespace {

constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolIcmpv6 = 58;

bool is_icmp(std::uint8_t protocol) { return protocol == kProtocolIcmp || protocol == kProtocolIcmpv6; }

// At every layer with ports, the slots of the ports hold type and code for ICMP.
template <typename T>
void take_icmp(Facts& facts, const T& from) {
  if (!is_icmp(from.protocol)) return;
  facts.icmp_type = from.icmp_type;
  facts.local_port = from.icmp_type;
  facts.remote_port = from.icmp_code;
}

}  // namespace

Facts facts_of(const stack::PacketContext& context) {
  Facts facts{.family = context.family,
              .direction = context.direction,
              .protocol = context.protocol,
              .origin = context.origin,
              .local = context.local,
              .remote = context.remote,
              .local_kind = context.local_kind,
              .remote_kind = context.remote_kind,
              .local_port = context.local_port,
              .remote_port = context.remote_port,
              .icmp_type = 0,
              .tcp_flags = context.tcp_flags,
              .condition_flags = 0,
              .reauthorize_reason = 0,
              .interface_index = context.interface_index,
              .local_interface_index = context.local_interface_index,
              .owner = context.endpoint.owner};
  take_icmp(facts, context);
  if (context.loopback) facts.condition_flags |= FWP_CONDITION_FLAG_IS_LOOPBACK;
  if (context.is_fragment) facts.condition_flags |= FWP_CONDITION_FLAG_IS_FRAGMENT;
  if (context.is_reassembled) facts.condition_flags |= FWP_CONDITION_FLAG_IS_REASSEMBLED;
  return facts;
}

Facts facts_of(const stack::Operation& operation) {
  Facts facts{.family = operation.family,
              .direction = operation.direction,
              .protocol = operation.protocol,
              .origin = stack::Origin::Unknown,
              .local = operation.local.address,
              .remote = operation.remote.address,
              .local_kind = operation.local_kind,
              .remote_kind = operation.remote_kind,
              .local_port = operation.local.port,
              .remote_port = operation.remote.port,
              .icmp_type = 0,
              .tcp_flags = operation.tcp_flags,
              .condition_flags = 0,
              .reauthorize_reason = 0,
              .interface_index = operation.interface_index,
              .local_interface_index = operation.local_interface_index,
              .owner = operation.endpoint.owner};
  take_icmp(facts, operation);
  if (operation.loopback) facts.condition_flags |= FWP_CONDITION_FLAG_IS_LOOPBACK;
  return facts;
}

}  // namespace shim
