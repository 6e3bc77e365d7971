// Why a packet was not processed. Every place that gives a packet up names one of these reasons; it is counted in
// Stats and shown to the discard hook. Bad input is never logged one by one and never fatal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stack {

// X(Name, "text") in the order of the layers that produce them. The text is the reason's name in reports.
#define WFPTAP_DROP_REASONS(X)                        \
  X(TruncatedHeader, "truncated_header")              \
  X(BadHeaderLength, "bad_header_length")             \
  X(BadVersion, "bad_version")                        \
  X(BadChecksum, "bad_checksum")                      \
  X(BadLength, "bad_length")                          \
  X(BadOption, "bad_option")                          \
  X(BadOffload, "bad_offload")                        \
  X(NotForUs, "not_for_us")                           \
  X(UnknownEtherType, "unknown_ether_type")           \
  X(BadSourceAddress, "bad_source_address")           \
  X(BadDestinationAddress, "bad_destination_address") \
  X(HopLimitExceeded, "hop_limit_exceeded")           \
  X(UnknownProtocol, "unknown_protocol")              \
  X(SourceRouted, "source_routed")                    \
  X(FragmentOverlap, "fragment_overlap")              \
  X(FragmentDuplicate, "fragment_duplicate")          \
  X(FragmentTooLarge, "fragment_too_large")           \
  X(ReassemblyTimeout, "reassembly_timeout")          \
  X(ReassemblyLimit, "reassembly_limit")              \
  X(NoRoute, "no_route")                              \
  X(NoSourceAddress, "no_source_address")             \
  X(PacketTooBig, "packet_too_big")                   \
  X(NeighborUnreachable, "neighbor_unreachable")      \
  X(NeighborQueueFull, "neighbor_queue_full")         \
  X(NeighborInvalid, "neighbor_invalid")              \
  X(IcmpRateLimited, "icmp_rate_limited")             \
  X(IcmpInvalid, "icmp_invalid")                      \
  X(NoEndpoint, "no_endpoint")                        \
  X(ReceiveQueueFull, "receive_queue_full")           \
  X(ReceiveMemory, "receive_memory")                  \
  X(SendQueueFull, "send_queue_full")                 \
  X(ListenQueueFull, "listen_queue_full")             \
  X(BadCookie, "bad_cookie")                          \
  X(TcpUnacceptable, "tcp_unacceptable")              \
  X(TcpPaws, "tcp_paws")                              \
  X(TcpTimestampMissing, "tcp_timestamp_missing")     \
  X(TcpOutOfOrderLimit, "tcp_out_of_order_limit")     \
  X(TcpAfterClose, "tcp_after_close")                 \
  X(ConnectionLimit, "connection_limit")              \
  X(FlowLimit, "flow_limit")                          \
  X(PendLimit, "pend_limit")                          \
  X(PendRetransmission, "pend_retransmission")        \
  X(Blocked, "blocked")                               \
  X(Absorbed, "absorbed")                             \
  X(AuthorizationDenied, "authorization_denied")      \
  X(InjectionHopLimit, "injection_hop_limit")         \
  X(InjectionInvalid, "injection_invalid")            \
  X(EndpointGone, "endpoint_gone")                    \
  X(NoBuffers, "no_buffers")                          \
  X(TransmitQueueFull, "transmit_queue_full")         \
  X(LinkDown, "link_down")                            \
  X(Shutdown, "shutdown")

enum class Drop : std::uint8_t {
#define X(name, text) name,
  WFPTAP_DROP_REASONS(X)
#undef X
};

inline constexpr std::size_t kDropCount = 0
#define X(name, text) +1
    WFPTAP_DROP_REASONS(X)
#undef X
    ;

constexpr std::string_view name_of(Drop drop) {
  constexpr std::array<std::string_view, kDropCount> names{
#define X(name, text) text,
      WFPTAP_DROP_REASONS(X)
#undef X
  };
  return names[static_cast<std::size_t>(drop)];
}

}  // namespace stack
