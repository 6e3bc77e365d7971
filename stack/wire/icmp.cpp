#include "stack/wire/icmp.hpp"

namespace stack::wire {

Result<IcmpView> IcmpView::parse(Bytes head) {
  if (head.size() < kHeaderSize) return Drop::TruncatedHeader;
  return IcmpView{head.first(kHeaderSize)};
}

void IcmpFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size());
  store_u8(into, 0, type);
  store_u8(into, 1, code);
  store_be16(into, IcmpView::kChecksumOffset, checksum);
  store_be32(into, 4, rest);
}

}  // namespace stack::wire
