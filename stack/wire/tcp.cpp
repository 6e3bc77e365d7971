#include "stack/wire/tcp.hpp"

namespace stack::wire {

Result<TcpView> TcpView::parse(Bytes head) {
  if (head.size() < kMinHeaderSize) return Drop::TruncatedHeader;
  const std::size_t size = std::size_t{4} * (load_u8(head, 12) >> 4);
  if (size < kMinHeaderSize) return Drop::BadHeaderLength;
  if (size > head.size()) return Drop::TruncatedHeader;
  return TcpView{head.first(size)};
}

void TcpFields::emit(MutableBytes into) const {
  const std::size_t header_size = size();
  DCHECK(header_size <= TcpView::kMaxHeaderSize && into.size() >= header_size);
  store_be16(into, 0, src_port);
  store_be16(into, 2, dst_port);
  store_be32(into, 4, seq.value());
  store_be32(into, 8, ack_number.value());
  store_u8(into, 12, static_cast<std::uint8_t>(header_size / 4 << 4));
  store_u8(into, 13, flags);
  store_be16(into, 14, window);
  store_be16(into, TcpView::kChecksumOffset, checksum);
  store_be16(into, 18, urgent_pointer);
  options.emit(into.subspan(TcpView::kMinHeaderSize));
}

}  // namespace stack::wire
