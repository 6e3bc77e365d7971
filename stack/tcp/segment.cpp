#include "stack/tcp/segment.hpp"

#include <algorithm>

namespace stack::tcp {

Result<Segment> Segment::take(Packet& packet, std::uint32_t& header_size) {
  const auto view = wire::TcpView::parse(packet.head(std::min(packet.size(), wire::TcpView::kMaxHeaderSize)));
  if (!view) return view.drop();
  Segment segment;
  segment.seq = view->seq();
  segment.ack_number = view->ack_number();
  segment.window = view->window();
  segment.flags = view->flags();
  segment.options = view->options();
  header_size = static_cast<std::uint32_t>(view->header_size());
  segment.payload_size = static_cast<std::uint32_t>(packet.size() - header_size);
  segment.segment_count = std::max<std::uint16_t>(packet.coalesced().segment_count, 1);
  packet.pull(header_size);
  return segment;
}

}  // namespace stack::tcp
