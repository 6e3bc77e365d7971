#include "stack/ip/transport_checksum.hpp"

#include "stack/wire/checksum.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::ip {
namespace {

wire::Checksum initial_sum(const PacketMeta& meta, std::size_t transport_size) {
  if (meta.protocol == wire::kProtocolIcmp) return {};
  return wire::pseudo_header(meta.source, meta.destination, meta.protocol,
                             static_cast<std::uint32_t>(transport_size));
}

// Adds the bytes from `offset` on.
void add_packet(wire::Checksum& sum, const Packet& packet, std::size_t offset) {
  packet.for_each_range([&sum, &offset](Bytes range) {
    if (offset >= range.size()) {
      offset -= range.size();
      return;
    }
    sum.add(range.subspan(offset));
    offset = 0;
  });
}

}  // namespace

std::size_t checksum_offset(std::uint8_t protocol) {
  switch (protocol) {
    case wire::kProtocolTcp:
      return wire::TcpView::kChecksumOffset;
    case wire::kProtocolUdp:
      return wire::UdpView::kChecksumOffset;
    case wire::kProtocolIcmp:
    case wire::kProtocolIcmpv6:
      return wire::IcmpView::kChecksumOffset;
    default:
      return 0;
  }
}

bool is_transport_checksum_valid(const Packet& packet) {
  if (packet.checksum().transport_verified) return true;
  wire::Checksum sum = initial_sum(packet.meta(), packet.size());
  add_packet(sum, packet, 0);
  return sum.is_valid();
}

std::uint16_t partial_checksum(const PacketMeta& meta, std::size_t transport_size) {
  return initial_sum(meta, transport_size).sum();
}

bool has_checksum_field(std::uint8_t protocol, std::size_t size) {
  const std::size_t at = checksum_offset(protocol);
  return at != 0 && size >= at + sizeof(std::uint16_t);
}

bool set_partial_checksum(Packet& packet, std::size_t offset) {
  const std::uint8_t protocol = packet.meta().protocol;
  DCHECK(packet.size() >= offset && has_checksum_field(protocol, packet.size() - offset));
  const std::size_t at = offset + checksum_offset(protocol);
  const std::uint16_t partial = partial_checksum(packet.meta(), packet.size() - offset);
  const Bytes head = packet.head(at + 2);
  if (head.empty()) return false;
  if (load_be16(head, at) != partial) {
    const MutableBytes header = packet.make_private(at + 2);
    if (header.empty()) return false;
    store_be16(header, at, partial);
  }
  packet.set_checksum({.transport_partial = true});
  return true;
}

bool finish_checksum(Packet& packet, std::size_t offset) {
  const std::uint8_t protocol = packet.meta().protocol;
  DCHECK(packet.size() >= offset && has_checksum_field(protocol, packet.size() - offset));
  const std::size_t at = offset + checksum_offset(protocol);
  wire::Checksum sum;
  add_packet(sum, packet, offset);
  std::uint16_t value = sum.finish();
  if (value == 0 && protocol == wire::kProtocolUdp) value = 0xffff;  // RFC 768: zero means that there is none
  const MutableBytes header = packet.make_private(at + 2);
  if (header.empty()) return false;
  store_be16(header, at, value);
  ChecksumInfo info = packet.checksum();
  info.transport_partial = false;
  packet.set_checksum(info);
  return true;
}

}  // namespace stack::ip
