// What the stack needs from a network interface card. The program implements it over a TAP device, simulations over a
// lossy pipe, tests in ten lines. Frames that arrive are pushed in by the link's owner: Stack::receive(interface,
// frame).
//
// Units: bytes. Threads: the stack's own. Ownership: transmit takes the frame on every path. Errors: a frame that
// finds no room is released and reported as false; the interface counts it as Drop::TransmitQueueFull.
#pragma once

#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/packet/packet.hpp"

namespace stack {

enum class Medium : std::uint8_t {
  Ethernet,  // frames begin with an Ethernet header
  RawIp,     // frames begin with an IP header; there are no neighbours to resolve
};

// What the link does so that the stack need not. May change while the link runs; read before each packet.
struct LinkCapabilities {
  bool checksum = false;  // finishes partial TCP and UDP checksums (Packet::checksum().transport_partial)
  bool tso4 = false;      // cuts large TCP segments over IPv4 (Packet::large_send()); implies checksum
  bool tso6 = false;      // and over IPv6
  std::uint32_t gso_max_bytes = 65'535;  // largest IP packet of a large send

  bool has_tso(Family family) const { return family == Family::V4 ? tso4 : tso6; }
  bool operator==(const LinkCapabilities&) const = default;
};

class Link {
 public:
  virtual ~Link() = default;
  virtual Medium medium() const = 0;
  virtual std::uint32_t mtu() const = 0;  // largest IP packet, without the Ethernet header
  virtual MacAddress mac() const = 0;     // all zero for RawIp
  virtual LinkCapabilities capabilities() const = 0;
  virtual bool transmit(Packet frame) = 0;
  // The round of work is over: what transmit gathered goes out now.
  virtual void flush() {}
};

}  // namespace stack
