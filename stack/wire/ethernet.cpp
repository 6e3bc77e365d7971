#include "stack/wire/ethernet.hpp"

#include <algorithm>

namespace stack::wire {

Result<EthernetView> EthernetView::parse(Bytes head) {
  if (head.size() < kHeaderSize) return Drop::TruncatedHeader;
  return EthernetView{head.first(kHeaderSize)};
}

void EthernetFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size());
  std::ranges::copy(destination.bytes, into.begin());
  std::ranges::copy(source.bytes, into.begin() + 6);
  store_be16(into, 12, ether_type);
}

MacAddress multicast_mac(const IpAddress& group) {
  DCHECK(group.is_multicast());
  const Bytes address = group.bytes();
  MacAddress mac;
  if (group.is_v4()) {
    mac.bytes = {std::byte{0x01}, std::byte{0x00}, std::byte{0x5e}, address[1] & std::byte{0x7f},
                 address[2],      address[3]};
  } else {
    mac.bytes = {std::byte{0x33}, std::byte{0x33}, address[12], address[13], address[14], address[15]};
  }
  return mac;
}

}  // namespace stack::wire
