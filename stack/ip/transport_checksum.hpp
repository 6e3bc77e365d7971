// The checksum of TCP, UDP, ICMP and ICMPv6 over a packet in any number of pieces, with the pseudo header from its
// metadata.
#pragma once

#include <cstddef>

#include "stack/packet/packet.hpp"

namespace stack::ip {

// Offset of the checksum field in the transport header of `protocol`; 0 when it has none that this stack knows.
std::size_t checksum_offset(std::uint8_t protocol);

// Received: data at the transport header, meta has family, protocol, source and destination. True when the link
// vouches for it or the sum is right. An absent UDP checksum (zero) is the caller's decision, and not valid here.
bool is_transport_checksum_valid(const Packet& packet);

// The field's value while the rest is left to the link: the folded, uncomplemented sum over the pseudo header.
std::uint16_t partial_checksum(const PacketMeta& meta, std::size_t transport_size);

// True when `size` bytes of a transport header are enough to hold the checksum field of `protocol`, which it has.
bool has_checksum_field(std::uint8_t protocol, std::size_t size);

// Both: the transport header starts `offset` bytes into the data and has a checksum field; meta has family, protocol
// and addresses. False when no buffer is left for bytes that others share.
//
// To be sent: writes partial_checksum() into the field and marks the packet as partial. ICMP over IPv4 has no pseudo
// header and starts from zero.
bool set_partial_checksum(Packet& packet, std::size_t offset = 0);
// Finishes in software what set_partial_checksum left open.
bool finish_checksum(Packet& packet, std::size_t offset);

}  // namespace stack::ip
