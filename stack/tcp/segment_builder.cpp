#include "stack/tcp/segment_builder.hpp"

#include <algorithm>

#include "stack/ip/transport_checksum.hpp"

namespace stack::tcp {
namespace {

void shorten(OutSegment& segment, std::size_t fitted) {
  auto size = static_cast<std::uint32_t>(fitted);
  if (segment.segment_size > 0 && size > segment.segment_size)
    size = size / segment.segment_size * segment.segment_size;
  segment.payload_size = size;
  segment.flags &= static_cast<std::uint8_t>(~(flag::kPsh | flag::kFin));
}

}  // namespace

Packet build_segment(PacketPool& pool, const FourTuple& tuple, OutSegment& segment, const SendBuffer* payload,
                     std::size_t payload_offset) {
  Packet packet = pool.allocate(0);
  if (!packet) return packet;
  if (segment.payload_size > 0) {
    const std::size_t fitted = payload->append_to(packet, payload_offset, segment.payload_size);
    if (fitted == 0) return {};
    if (fitted < segment.payload_size) {
      shorten(segment, fitted);
      packet.trim(segment.payload_size);
    }
  }
  const wire::TcpFields fields{.src_port = tuple.local.port,
                               .dst_port = tuple.remote.port,
                               .seq = segment.seq,
                               .ack_number = segment.ack_number,
                               .flags = segment.flags,
                               .window = segment.window,
                               .options = segment.options};
  fields.emit(packet.push(fields.size()));

  PacketMeta& meta = packet.meta();
  meta.origin = segment.origin;
  meta.direction = Direction::Outbound;
  meta.family = tuple.local.address.family();
  meta.protocol = wire::kProtocolTcp;
  meta.source = tuple.local.address;
  meta.destination = tuple.remote.address;
  meta.transport_header_size = static_cast<std::uint32_t>(fields.size());
  if (segment.segment_size > 0 && segment.payload_size > segment.segment_size)
    packet.set_large_send({segment.segment_size});
  if (!ip::set_partial_checksum(packet)) return {};
  return packet;
}

}  // namespace stack::tcp
