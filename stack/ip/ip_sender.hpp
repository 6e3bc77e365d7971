// What a transport needs from IP to send. Implemented by ip::Output; tests use a double of ten lines.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/result.hpp"
#include "stack/base/time.hpp"
#include "stack/hooks/hook.hpp"

namespace stack::ip {

// The way to a remote address as of now. A transport keeps it and asks again when `generation` has moved on.
struct Route {
  IpAddress source;  // what a packet without a source would get
  IpAddress next_hop;
  InterfaceIndex interface_index = 0;
  std::uint32_t mtu = 0;             // path MTU: whole IP packet, bytes
  std::uint32_t large_send_max = 0;  // largest TCP payload in one packet; 0: no segmentation below TCP
  bool checksum_offload = false;     // a checksum may be left partial for what is below the hooks
  bool may_fragment = false;         // IPv4: the path needs fragments (PathMtuCache::Path); overrules dont_fragment
  bool loopback = false;             // to this very host
  bool on_link = false;
  AddressKind remote_kind = AddressKind::Unicast;
};

// Everything about a packet that its bytes do not say. The hooks' context is built from this.
struct SendFacts {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 0;  // 0: the interface's default
  bool dont_fragment = true;   // IPv4, unless the route needs fragments
  Origin origin = Origin::Unknown;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  std::uint32_t icmp_id_and_sequence = 0;
  bool has_icmp_id = false;
  std::uint8_t tcp_flags = 0;
  std::uint32_t transport_header_size = 0;
  Bytes ipv4_options{};  // of the header that is pushed; read during the call
  EndpointFacts endpoint;
};

class IpSender {
 public:
  virtual ~IpSender() = default;
  virtual Result<Route> route(const IpAddress& remote, const std::optional<IpAddress>& source) = 0;
  virtual std::uint32_t route_generation() const = 0;  // changes when routes, addresses or path MTUs change
  // Data at the transport header, transport checksum partial (ChecksumInfo) or complete. Runs TransportOut, then IP,
  // IpOut, fragmentation, neighbour and link. Owns the packet on every path; what cannot be sent is counted and
  // discarded.
  virtual void send(Packet packet, const SendFacts& facts, const Route& route, Instant now) = 0;
  // The transport has proof that `route.next_hop` is reachable (RFC 4861 7.3.1).
  virtual void confirm_reachable(const Route& route, Instant now) = 0;
};

}  // namespace stack::ip
