// Makes a packet of a planned segment: header in fresh memory, payload shared with the send buffer's blocks.
#pragma once

#include "stack/packet/packet_pool.hpp"
#include "stack/tcp/four_tuple.hpp"
#include "stack/tcp/output.hpp"

namespace stack::tcp {

// Data at the TCP header, checksum partial. `payload` holds the bytes from `payload_offset` on; null for a segment
// without any. When the packet has no descriptor for all of them, `segment` is shortened (whole segments stay whole)
// and loses its PSH and FIN. Empty when there is no buffer.
Packet build_segment(PacketPool& pool, const FourTuple& tuple, OutSegment& segment, const SendBuffer* payload,
                     std::size_t payload_offset);

}  // namespace stack::tcp
