// Who may bind, listen, connect and be connected to: asked once an operation or a flow, not once a packet.
//
// An answer may be Later: the authorizer gives a ticket, the stack parks the operation under it (a bounded table) and
// goes on. When Stack::resume(ticket) is called, a parked bind, listen or connect is asked again with `resumed` set
// and must then be decided. A parked accept or datagram is not asked again: its packet was given up, and the one that
// comes back through the Injector is asked like a first one; resume() just forgets the ticket, so that a
// retransmission counts as new.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/hooks/hook.hpp"

namespace stack {

using Ticket = std::uint64_t;  // made by the authorizer; zero is none

enum class Decision : std::uint8_t { Allow, Deny, Later };

// An operation on an endpoint. For bind, local may be unspecified (address) or zero (port chosen by the stack).
struct Operation {
  Family family = Family::V4;
  std::uint8_t protocol = 0;
  SocketAddress local;
  SocketAddress remote;  // connect, accept, established
  AddressKind local_kind = AddressKind::Unicast;
  AddressKind remote_kind = AddressKind::Unicast;
  std::uint8_t icmp_type = 0;  // protocol ICMP: of the first packet
  std::uint8_t icmp_code = 0;
  std::uint32_t icmp_id_and_sequence = 0;
  bool has_icmp_id = false;
  Direction direction = Direction::Outbound;  // of the packet, and of the flow when it is new
  bool loopback = false;
  bool injected = false;             // the packet came back through the Injector
  Ticket resumed = 0;                // the ticket under which this operation waited
  std::uint32_t ip_header_size = 0;  // of the packet, where there is one
  std::uint32_t transport_header_size = 0;
  InterfaceIndex interface_index = 0;
  InterfaceIndex local_interface_index = 0;
  EndpointFacts endpoint;  // flow set on `established`
  std::uint8_t tcp_flags = 0;
};

struct Authorization {
  Decision decision = Decision::Allow;
  Ticket ticket = 0;  // Later
  FlowTag flow = 0;   // Allow on connect and accept: the new conversation, which ends with flow_ended()
};

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  virtual Authorization bind(const Operation& operation) = 0;
  virtual Authorization listen(const Operation& operation) = 0;
  // `packet` is null for TCP, whose SYN does not exist yet; for others it is the first datagram, data at the
  // transport header. On Deny and Later the packet has been dealt with: the caller finds `packet` empty.
  virtual Authorization connect(const Operation& operation, Packet* packet) = 0;
  // The SYN, or the first datagram from a remote, data at the payload. `packet` as above.
  virtual Authorization accept(const Operation& operation, Packet& packet) = 0;
  // The flow exists now. False ends it (TCP: reset). `packet` may be null.
  virtual bool established(const Operation& operation, Packet* packet) = 0;
  // The stack has forgotten the conversation. Called exactly once for each flow that Allow returned.
  virtual void flow_ended(FlowTag flow) = 0;
  // The endpoint is closed and its handle dead.
  virtual void endpoint_closed(EndpointId endpoint) = 0;
};

}  // namespace stack
