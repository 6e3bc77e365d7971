#include "src/node/frame_class.hpp"

#include "stack/wire/ethernet.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/tcp.hpp"

namespace node {
namespace {

using stack::Bytes;
namespace wire = stack::wire;

constexpr std::size_t kTcpFlags = 13;

FrameClass classify_tcp(Bytes segment) {
  if (segment.size() <= kTcpFlags) return FrameClass::Ordinary;
  return (stack::load_u8(segment, kTcpFlags) & wire::tcp_flag::kSyn) != 0 ? FrameClass::Control
                                                                          : FrameClass::Ordinary;
}

FrameClass classify_v4(Bytes packet) {
  constexpr std::size_t kProtocol = 9, kSmallest = 20;
  if (packet.size() < kSmallest) return FrameClass::Ordinary;
  const std::size_t header_size = (stack::load_u8(packet, 0) & 0xfU) * 4;
  const std::uint8_t protocol = stack::load_u8(packet, kProtocol);
  if (protocol == wire::kProtocolIcmp) return FrameClass::Control;
  if (protocol != wire::kProtocolTcp || header_size > packet.size()) return FrameClass::Ordinary;
  return classify_tcp(packet.subspan(header_size));
}

FrameClass classify_v6(Bytes packet) {
  constexpr std::size_t kNextHeader = 6, kHeaderSize = wire::Ipv6View::kHeaderSize;
  if (packet.size() <= kHeaderSize) return FrameClass::Ordinary;
  const std::uint8_t next = stack::load_u8(packet, kNextHeader);
  if (next == wire::kProtocolTcp) return classify_tcp(packet.subspan(kHeaderSize));
  if (next != wire::kProtocolIcmpv6) return FrameClass::Ordinary;
  const std::uint8_t type = stack::load_u8(packet, kHeaderSize);
  return wire::icmpv6::is_ndp(type) ? FrameClass::Resolution : FrameClass::Control;
}

}  // namespace

FrameClass classify_frame(Bytes frame, stack::Medium medium) {
  if (medium == stack::Medium::RawIp) {
    if (frame.empty()) return FrameClass::Ordinary;
    return stack::load_u8(frame, 0) >> 4 == 6 ? classify_v6(frame) : classify_v4(frame);
  }
  constexpr std::size_t kHeaderSize = wire::EthernetView::kHeaderSize, kType = 12;
  if (frame.size() < kHeaderSize) return FrameClass::Ordinary;
  switch (stack::load_be16(frame, kType)) {
    case wire::kEtherTypeArp:
      return FrameClass::Resolution;
    case wire::kEtherTypeIpv4:
      return classify_v4(frame.subspan(kHeaderSize));
    case wire::kEtherTypeIpv6:
      return classify_v6(frame.subspan(kHeaderSize));
    default:
      return FrameClass::Ordinary;
  }
}

}  // namespace node
