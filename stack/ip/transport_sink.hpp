// How IP hands packets up without including TCP, UDP or ICMP: one sink per protocol, registered by stack/core.
#pragma once

#include <cstdint>

#include "stack/base/time.hpp"
#include "stack/packet/packet.hpp"

namespace stack::ip {

// An ICMP error about a packet that this host sent, or its like from the stack itself (too big for the path, a
// neighbour that does not answer), reduced to what a transport acts on.
struct PathEvent {
  enum class Kind : std::uint8_t {
    PacketTooBig,
    PortUnreachable,
    ProtocolUnreachable,
    HostUnreachable,
    NetUnreachable,
    AdminProhibited,
    TimeExceeded,
    ParameterProblem
  };
  Kind kind{};
  IpAddress local;   // source of the packet in error
  IpAddress remote;  // its destination
  std::uint8_t protocol = 0;
  std::uint32_t mtu = 0;   // PacketTooBig: the path's new MTU
  bool is_hard = false;    // RFC 1122 4.2.3.9: an error that aborts a connection attempt
  Bytes transport_header;  // the first bytes of the transport header in error (at least 8); valid during the call
};

class TransportSink {
 public:
  virtual ~TransportSink() = default;
  // The packet is for this host; data at the transport header; meta has family, source, destination, header sizes. It
  // has passed IpIn and reassembly. The sink owns it, runs TransportIn, and gives up what it does not want through
  // Hooks::discard.
  virtual void receive(Packet packet, Instant now) = 0;
  // Whether the packet in error may be one that this transport has just sent (RFC 5927 4.1, RFC 8201 4): asked before
  // an ICMP error changes anything, such as the path's MTU.
  virtual bool may_have_sent(const PathEvent& event) const = 0;
  virtual void path_event(const PathEvent& event, Instant now) = 0;
};

}  // namespace stack::ip
