#include "src/node/vnet_translation.hpp"

#include "stack/wire/checksum.hpp"

namespace node {
namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17;

std::uint16_t checksum_offset_of(std::uint8_t protocol) {
  if (protocol == kTcp) return 16;
  return protocol == kUdp ? 6 : 2;  // ICMP and ICMPv6
}

bool is_tcp(tap::GsoType type) { return type == tap::GsoType::Tcp4 || type == tap::GsoType::Tcp6; }

}  // namespace

void apply_received(const tap::VnetHeader& header, stack::Packet& frame) {
  // An open checksum comes from the kernel's own sockets: the bytes never crossed a wire, and there is nothing to
  // verify. It stays open, in case that a driver sends the packet on.
  if (header.checksum != tap::ChecksumState::None)
    frame.set_checksum(
        {.transport_verified = true, .transport_partial = header.checksum == tap::ChecksumState::Needed});
  if (!is_tcp(header.gso_type) || header.gso_size == 0) return;
  const std::size_t size = frame.size();
  const std::size_t payload = size > header.header_length ? size - header.header_length : 0;
  const std::size_t segments = (payload + header.gso_size - 1) / header.gso_size;
  frame.set_coalesced({.segment_count = static_cast<std::uint16_t>(segments), .segment_size = header.gso_size});
}

tap::VnetHeader make_vnet_header(const stack::Packet& frame) {
  tap::VnetHeader header;
  if (!frame.checksum().transport_partial) return header;
  const auto& meta = frame.meta();
  const auto transport = meta.link_header_size + meta.ip_header_size;
  header.checksum = tap::ChecksumState::Needed;
  header.checksum_start = static_cast<std::uint16_t>(transport);
  header.checksum_offset = checksum_offset_of(meta.protocol);
  if (const auto segment_size = frame.large_send().segment_size; segment_size != 0) {
    header.gso_type = meta.family == stack::Family::V4 ? tap::GsoType::Tcp4 : tap::GsoType::Tcp6;
    header.gso_size = static_cast<std::uint16_t>(segment_size);
    header.header_length = static_cast<std::uint16_t>(transport + meta.transport_header_size);
  }
  return header;
}

void finish_frame_checksum(const tap::VnetHeader& header, stack::MutableBytes frame) {
  if (header.checksum != tap::ChecksumState::Needed) return;
  const std::size_t field = std::size_t{header.checksum_start} + header.checksum_offset;
  if (field + 2 > frame.size()) return;
  // The field holds the pseudo header's sum, so summing over it includes that.
  auto sum = stack::wire::checksum_of(frame.subspan(header.checksum_start));
  if (sum == 0 && header.checksum_offset == checksum_offset_of(kUdp)) sum = 0xffff;  // RFC 768
  stack::store_be16(frame, field, sum);
}

}  // namespace node
