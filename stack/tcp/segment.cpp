#include "stack/tcp/segment.hpp"

#include <algorithm>

namespace stack::tcp {

Segment Segment::take(const wire::TcpView& view, Packet packet) {
  Segment segment;
  segment.seq = view.seq();
  segment.ack_number = view.ack_number();
  segment.window = view.window();
  segment.flags = view.flags();
  segment.options = view.options();
  segment.payload_size = static_cast<std::uint32_t>(packet.size() - view.header_size());
  segment.segment_count = std::max<std::uint16_t>(packet.coalesced().segment_count, 1);
  packet.meta().transport_header_size = static_cast<std::uint32_t>(view.header_size());
  packet.pull(view.header_size());
  segment.packet = std::move(packet);
  return segment;
}

}  // namespace stack::tcp
