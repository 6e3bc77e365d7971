#include "stack/wire/udp.hpp"

namespace stack::wire {

Result<UdpView> UdpView::parse(Bytes head, std::size_t available) {
  if (head.size() < kHeaderSize) return Drop::TruncatedHeader;
  const std::size_t length = load_be16(head, 4);
  if (length < kHeaderSize) return Drop::BadHeaderLength;
  if (length > available) return Drop::BadLength;
  return UdpView{head.first(kHeaderSize)};
}

void UdpFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size() && payload_size <= 0xffff - size());
  store_be16(into, 0, src_port);
  store_be16(into, 2, dst_port);
  store_be16(into, 4, static_cast<std::uint16_t>(size() + payload_size));
  store_be16(into, UdpView::kChecksumOffset, checksum);
}

}  // namespace stack::wire
