// The hook points of the stack: places where somebody outside may look at a packet, take it, or stop it; and what the
// stack tells about the packet there, in its own words. The stack promises where the data starts at each point and
// checks on return that it is back there. The positions are the ones that WFP documents for its layers:
//
//   IpIn           transport header; the IP header is pulled
//   IpOut          IP header
//   IpForward      IP header
//   TransportIn    payload (ICMP: its header)
//   TransportOut   transport header, IP header not pushed yet
//   DatagramIn     payload (ICMP: its header)
//   DatagramOut    transport header
//   IcmpErrorIn    inner IP header
//   IcmpErrorOut   ICMP header
//
// An unarmed hook costs one bit test: callers build a PacketContext only when Hooks::armed() says so.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/handle.hpp"
#include "stack/packet/packet.hpp"

namespace stack {

enum class Hook : std::uint8_t {
  IpIn,
  IpOut,
  IpForward,
  TransportIn,
  TransportOut,
  DatagramIn,
  DatagramOut,
  IcmpErrorIn,
  IcmpErrorOut,
};
inline constexpr std::size_t kHookCount = 9;

enum class AddressKind : std::uint8_t { Unspecified, Unicast, Anycast, Multicast, Broadcast };

// On whose behalf an endpoint exists: a service of the daemon, an application. Shared by its endpoints, never null
// there. Identity is configuration; nothing in the stack interprets it.
struct Owner {
  std::uint64_t process_id = 0;
  std::u16string process_path;  // NT style, lower case: \device\harddiskvolume1\wfptap\http
  std::string user_sid;         // text form, S-1-5-18
  std::string package_sid;      // empty: not an application container
  std::uint64_t token = 0;      // opaque
  std::uint32_t sub_process_tag = 0;
};

// What an authorizer calls a conversation; opaque to the stack, which stores it beside the connection. Zero: none.
using FlowTag = std::uint64_t;

// How much of an endpoint stands behind a packet.
enum class EndpointMatch : std::uint8_t {
  None,      // no endpoint takes part: a segment matched nothing, or the answer to one
  TimeWait,  // a connection whose endpoint is gone; only its small block is left
  Live,      // `endpoint` names it
};

struct EndpointFacts {
  EndpointMatch match = EndpointMatch::None;
  EndpointId endpoint;           // zero unless Live
  EndpointId parent;             // the listener of an accepted connection
  FlowTag flow = 0;              // zero before the flow is authorized
  const Owner* owner = nullptr;  // null unless Live
};

struct FragmentFacts {
  std::uint32_t id = 0;
  std::uint32_t offset = 0;  // bytes
  std::uint32_t length = 0;  // of the reassembled datagram's payload when known, else of this fragment
  bool more = false;
};

// Facts about a packet at a hook point, valid during the call. local and remote are seen from this host, whatever the
// direction. Ports are zero where the protocol has none; for ICMP, icmp_type and icmp_code say what it is.
struct PacketContext {
  Hook hook = Hook::IpIn;
  Direction direction = Direction::Inbound;
  Family family = Family::V4;
  std::uint8_t protocol = 0;
  Origin origin = Origin::Unknown;
  IpAddress local;
  IpAddress remote;
  AddressKind local_kind = AddressKind::Unicast;
  AddressKind remote_kind = AddressKind::Unicast;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  std::uint8_t icmp_type = 0;
  std::uint8_t icmp_code = 0;
  std::uint32_t icmp_id_and_sequence = 0;  // id << 16 | sequence; echo only, see has_icmp_id
  bool has_icmp_id = false;
  std::uint8_t tcp_flags = 0;  // CWR ECE URG ACK PSH RST SYN FIN, as on the wire
  bool loopback = false;
  bool needs_authorization = false;  // an authorizer will be asked about this packet right after (TransportIn)
  bool reauthorization = false;      // of a flow that was authorized before
  bool is_fragment = false;          // IpIn: this fragment, on its way to reassembly
  bool is_reassembled = false;
  FragmentFacts fragment;
  std::uint32_t ip_header_size = 0;  // as transmitted, extension headers included; 0 where there is none yet
  std::uint32_t transport_header_size = 0;
  std::uint32_t path_mtu = 0;                // IpOut; 0 elsewhere
  InterfaceIndex interface_index = 0;        // the interface that the packet came in by or leaves by
  InterfaceIndex local_interface_index = 0;  // the interface that has the local address
  std::uint8_t hop_limit = 0;
  EndpointFacts endpoint;
};

}  // namespace stack
