#include "stack/link/loopback.hpp"

namespace stack::link {

// The bytes never left this machine: a checksum that was not made yet counts as verified, one that was made is
// checked.
Packet Loopback::pop() {
  if (queue_.empty()) return {};
  Packet packet = queue_.pop();
  const bool partial = packet.checksum().transport_partial;
  packet.set_checksum({.ip_verified = partial, .transport_verified = partial, .transport_partial = partial});
  packet.set_large_send({});
  PacketMeta& meta = packet.meta();
  meta.origin = Origin::Received;
  meta.direction = Direction::Inbound;
  meta.loopback = true;
  meta.link_broadcast = false;
  meta.link_header_size = 0;
  return packet;
}

}  // namespace stack::link
