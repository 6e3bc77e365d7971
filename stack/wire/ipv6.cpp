#include "stack/wire/ipv6.hpp"

#include <algorithm>

namespace stack::wire {

Result<Ipv6View> Ipv6View::parse(Bytes head, std::size_t available) {
  if (head.size() < kHeaderSize) return Drop::TruncatedHeader;
  if (load_u8(head, 0) >> 4 != 6) return Drop::BadVersion;
  if (kHeaderSize + load_be16(head, kPayloadLengthOffset) > available) return Drop::BadLength;
  return Ipv6View{head.first(kHeaderSize)};
}

void Ipv6Fields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size() && payload_size <= Ipv6View::kMaxPayloadSize);
  store_be32(into, 0, 6U << 28 | std::uint32_t{traffic_class} << 20 | (flow_label & 0xf'ffff));
  store_be16(into, Ipv6View::kPayloadLengthOffset, static_cast<std::uint16_t>(payload_size));
  store_u8(into, 6, next_header);
  store_u8(into, 7, hop_limit);
  std::ranges::copy(source.bytes(), into.begin() + 8);
  std::ranges::copy(destination.bytes(), into.begin() + 24);
}

}  // namespace stack::wire
