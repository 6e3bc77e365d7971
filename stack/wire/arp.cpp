#include "stack/wire/arp.hpp"

#include <algorithm>

#include "stack/wire/ethernet.hpp"

namespace stack::wire {
namespace {
constexpr std::uint16_t kHardwareEthernet = 1;
constexpr std::uint8_t kMacSize = 6, kIpv4Size = 4;
}  // namespace

Result<ArpView> ArpView::parse(Bytes packet) {
  if (packet.size() < kSize) return Drop::TruncatedHeader;
  if (load_be16(packet, 0) != kHardwareEthernet || load_be16(packet, 2) != kEtherTypeIpv4) return Drop::BadOption;
  if (load_u8(packet, 4) != kMacSize || load_u8(packet, 5) != kIpv4Size) return Drop::BadOption;
  const std::uint16_t operation = load_be16(packet, 6);
  if (operation != static_cast<std::uint16_t>(ArpOperation::Request) &&
      operation != static_cast<std::uint16_t>(ArpOperation::Reply))
    return Drop::BadOption;
  return ArpView{packet.first(kSize)};
}

void ArpFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size() && sender_ip.is_v4() && target_ip.is_v4());
  store_be16(into, 0, kHardwareEthernet);
  store_be16(into, 2, kEtherTypeIpv4);
  store_u8(into, 4, kMacSize);
  store_u8(into, 5, kIpv4Size);
  store_be16(into, 6, static_cast<std::uint16_t>(operation));
  std::ranges::copy(sender_mac.bytes, into.begin() + 8);
  std::ranges::copy(sender_ip.bytes(), into.begin() + 14);
  std::ranges::copy(target_mac.bytes, into.begin() + 18);
  std::ranges::copy(target_ip.bytes(), into.begin() + 24);
}

}  // namespace stack::wire
