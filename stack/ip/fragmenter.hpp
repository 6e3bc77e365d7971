// Cuts packets that are larger than a path allows: IP fragments (RFC 791, RFC 8200 4.5) and TCP segments of a large
// send or of a coalesced receive. Pieces share the data blocks of the packet they come from; only their headers are
// their own.
#pragma once

#include <cstdint>
#include <functional>

#include "stack/base/result.hpp"
#include "stack/ip/ip_header.hpp"
#include "stack/packet/packet_pool.hpp"

namespace stack::ip {

using PacketVisitor = std::function<void(Packet)>;  // owns each piece

struct Cut {
  std::uint32_t made = 0;  // pieces
  bool complete = false;   // false: for want of buffers the rest was not made
};

// Both: data at the IP header; `header` is its parse. Pieces have their data at the IP header, too, and the metadata
// of the whole.

// The transport checksum is finished. `id` names the datagram. An IPv4 packet may be a fragment itself; an IPv6 one
// not. `mtu` holds the headers and eight bytes at least.
Cut cut_into_fragments(PacketPool& pool, Packet& packet, const IpHeader& header, std::uint32_t mtu, std::uint32_t id,
                       const PacketVisitor& visit);

// TCP, at least a complete TCP header. Segments carry `segment_size` payload bytes, the last one the rest; sequence
// numbers and IPv4 identifications count on, FIN and PSH go with the last one, CWR with the first. Their transport
// checksums are partial, and verified where the whole one's was.
Cut cut_into_segments(PacketPool& pool, Packet& packet, const IpHeader& header, std::uint32_t segment_size,
                      const PacketVisitor& visit);

}  // namespace stack::ip
