// What the stack remembers about a packet beside its bytes: where it came from and where its headers are. It lives in
// the part of the NET_BUFFER_LIST that belongs to the packet's current protocol stack, so that it travels with the
// buffer. Offload facts (checksum, large send, coalesced receive) are not here: they are the buffer's out-of-band
// information, see Packet, because drivers read and write the same slots.
#pragma once

#include <cstdint>
#include <string_view>

#include "stack/base/address.hpp"
#include "stack/base/time.hpp"

namespace stack {

using InterfaceIndex = std::uint32_t;  // from 1; 0 is none

// Which part of the stack made a packet. name_of() gives the text of the trace: "tcp.reset".
enum class Origin : std::uint8_t {
  Unknown,
  Received,     // came from a link
  Injected,     // came from outside through the Injector
  TcpSyn,       // SYN and SYN-ACK
  TcpData,      // anything with payload or FIN
  TcpAck,       // pure acknowledgement of a live connection, window updates and probes included
  TcpReset,     // RST for a segment that no connection matches, sent from segment matching
  TcpAbort,     // RST of a connection that has or had an endpoint
  TcpTimeWait,  // ACK for a connection whose endpoint is gone
  TcpCookie,    // SYN-ACK without state
  UdpData,
  IcmpEcho,
  IcmpError,
  Neighbor,  // ARP and NDP
};
std::string_view name_of(Origin origin);

enum class Direction : std::uint8_t { Outbound, Inbound };

struct PacketMeta {
  Origin origin = Origin::Unknown;
  Direction direction = Direction::Inbound;
  Family family = Family::V4;
  std::uint8_t protocol = 0;  // IP protocol of the transport header, after extension headers
  bool loopback = false;
  bool link_broadcast = false;     // the frame's destination was not our unicast address
  bool reassembled = false;        // made of fragments
  std::uint8_t hop_limit = 0;      // received TTL or hop limit
  std::uint8_t traffic_class = 0;  // TOS byte, ECN bits included
  std::uint8_t injection_hops = 0;
  InterfaceIndex interface_index = 0;
  std::uint32_t link_header_size = 0;
  std::uint32_t ip_header_size = 0;         // extension headers included; pulled before transport sees the packet
  std::uint32_t transport_header_size = 0;  // options included
  IpAddress source;
  IpAddress destination;
  Instant received_at;
};

}  // namespace stack
