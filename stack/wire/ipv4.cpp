#include "stack/wire/ipv4.hpp"

#include <algorithm>

#include "stack/wire/checksum.hpp"

namespace stack::wire {

Result<Ipv4View> Ipv4View::parse(Bytes head, std::size_t available) {
  if (head.size() < kMinHeaderSize) return Drop::TruncatedHeader;
  if (load_u8(head, 0) >> 4 != 4) return Drop::BadVersion;
  const std::size_t header_size = std::size_t{4} * (load_u8(head, 0) & 0x0f);
  if (header_size < kMinHeaderSize) return Drop::BadHeaderLength;
  if (header_size > head.size()) return Drop::TruncatedHeader;
  const std::size_t total = load_be16(head, 2);
  if (total < header_size || total > available) return Drop::BadLength;
  return Ipv4View{head.first(header_size)};
}

bool Ipv4View::is_checksum_valid() const { return sum_of(header_) == 0xffff; }

void Ipv4Fields::emit(MutableBytes into) const {
  const std::size_t header_size = size();
  DCHECK(header_size <= Ipv4View::kMaxHeaderSize && into.size() >= header_size);
  DCHECK(header_size + payload_size <= Ipv4View::kMaxTotalLength && fragment_offset % 8 == 0);
  store_u8(into, 0, static_cast<std::uint8_t>(0x40 | header_size / 4));
  store_u8(into, 1, traffic_class);
  store_be16(into, 2, static_cast<std::uint16_t>(header_size + payload_size));
  store_be16(into, 4, identification);
  store_be16(into, 6,
             static_cast<std::uint16_t>((dont_fragment ? 0x4000U : 0U) | (more_fragments ? 0x2000U : 0U) |
                                        fragment_offset / 8));
  store_u8(into, 8, hop_limit);
  store_u8(into, 9, protocol);
  store_be16(into, Ipv4View::kChecksumOffset, 0);
  std::ranges::copy(source.bytes(), into.begin() + 12);
  std::ranges::copy(destination.bytes(), into.begin() + 16);
  const MutableBytes tail = into.subspan(Ipv4View::kMinHeaderSize, header_size - Ipv4View::kMinHeaderSize);
  std::ranges::fill(tail, std::byte{0});
  std::ranges::copy(options, tail.begin());
  store_be16(into, Ipv4View::kChecksumOffset, checksum_of(into.first(header_size)));
}

}  // namespace stack::wire
