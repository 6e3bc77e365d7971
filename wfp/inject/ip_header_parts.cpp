#include "wfp/inject/ip_header_parts.hpp"

#include <algorithm>
#include <cstring>

#include "wfp/ndis/chain.hpp"
#include "ws2def.h"

namespace wfp::inject {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpV6 = 58;
constexpr std::size_t kIpv4Size = 20, kIpv6Size = 40;
constexpr std::uint16_t kDontFragment = 0x4000;

unsigned at(std::span<const std::byte> bytes, std::size_t index) { return std::to_integer<unsigned>(bytes[index]); }

OldHeader read_ipv4(std::span<const std::byte> bytes, std::size_t size) {
  OldHeader old;
  const std::size_t own_size = (at(bytes, 0) & 0xf) * std::size_t{4};
  old.is_valid = at(bytes, 0) >> 4 == 4 && own_size >= kIpv4Size && own_size <= size && own_size <= bytes.size();
  if (!old.is_valid) return old;
  old.traffic_class = static_cast<std::uint8_t>(at(bytes, 1));
  old.hop_limit = static_cast<std::uint8_t>(at(bytes, 8));
  old.options_size = own_size - kIpv4Size;
  std::copy_n(bytes.begin() + kIpv4Size, old.options_size, old.options.begin());
  return old;
}

OldHeader read_ipv6(std::span<const std::byte> bytes) {
  OldHeader old;
  old.is_valid = at(bytes, 0) >> 4 == 6;
  old.traffic_class = static_cast<std::uint8_t>((at(bytes, 0) & 0xf) << 4 | at(bytes, 1) >> 4);
  old.flow_label = (at(bytes, 1) & 0xf) << 16 | at(bytes, 2) << 8 | at(bytes, 3);
  old.hop_limit = static_cast<std::uint8_t>(at(bytes, 7));
  return old;
}

}  // namespace

TransportChecksum transport_checksum(std::uint8_t protocol, std::uint16_t address_family) {
  switch (protocol) {
    case kTcp:
      return {.header_size = 20, .offset = 16, .has_pseudo_header = true};
    case kUdp:
      return {.header_size = 8, .offset = 6, .has_pseudo_header = true, .zero_means_none = true};
    case kIcmp:
      if (address_family == AF_INET) return {.header_size = 8, .offset = 2};
      break;
    case kIcmpV6:
      if (address_family == AF_INET6) return {.header_size = 8, .offset = 2, .has_pseudo_header = true};
      break;
    default:
      break;
  }
  return {};
}

OldHeader read_old_header(const NET_BUFFER_LIST& nbl, const IpHeaderFacts& facts) {
  if (facts.old_header_size == 0) return {};
  std::array<std::byte, 60> bytes{};
  const std::size_t least = facts.address_family == AF_INET ? kIpv4Size : kIpv6Size;
  const std::size_t wanted = std::min(facts.old_header_size, bytes.size());
  OldHeader old;
  old.is_valid = wanted >= least && ndis::copy_out(nbl, 0, std::span(bytes).first(wanted)) == wanted;
  if (!old.is_valid) return old;
  return facts.address_family == AF_INET ? read_ipv4(std::span(bytes).first(wanted), facts.old_header_size)
                                         : read_ipv6(bytes);
}

void add_pseudo_header(Checksum& sum, const IpHeaderFacts& facts, std::size_t transport_size) {
  const std::size_t size = facts.address_family == AF_INET ? 4 : 16;
  sum.add(std::as_bytes(std::span(facts.source, size)));
  sum.add(std::as_bytes(std::span(facts.destination, size)));
  // Zeros, the protocol and the length: as two words, the same sum for both families (RFC 9293 3.1, RFC 8200 8.1).
  std::array<std::byte, 4> rest{};
  store_be16(rest.data(), facts.protocol);
  store_be16(rest.data() + 2, static_cast<std::uint16_t>(transport_size));
  sum.add(rest);
}

void write_ipv4(std::byte* header, const IpHeaderFacts& facts, const OldHeader& old, std::size_t transport_size,
                std::uint16_t identification) {
  const std::size_t size = kIpv4Size + old.options_size;
  header[0] = static_cast<std::byte>(0x40 | size / 4);
  header[1] = std::byte{old.traffic_class};
  store_be16(header + 2, static_cast<std::uint16_t>(size + transport_size));
  store_be16(header + 4, identification);
  store_be16(header + 6, facts.protocol == kTcp ? kDontFragment : std::uint16_t{0});
  header[8] = std::byte{old.hop_limit};
  header[9] = std::byte{facts.protocol};
  store_be16(header + 10, 0);
  std::memcpy(header + 12, facts.source, 4);
  std::memcpy(header + 16, facts.destination, 4);
  std::copy_n(old.options.begin(), old.options_size, header + kIpv4Size);
  Checksum sum;
  sum.add(std::span(header, size));
  store_be16(header + 10, sum.finish());
}

void write_ipv6(std::byte* header, const IpHeaderFacts& facts, const OldHeader& old, std::size_t transport_size) {
  header[0] = static_cast<std::byte>(0x60 | old.traffic_class >> 4);
  header[1] = static_cast<std::byte>((old.traffic_class & 0xfu) << 4 | old.flow_label >> 16);
  store_be16(header + 2, static_cast<std::uint16_t>(old.flow_label & 0xffff));
  store_be16(header + 4, static_cast<std::uint16_t>(transport_size));
  header[6] = std::byte{facts.protocol};
  header[7] = std::byte{old.hop_limit};
  std::memcpy(header + 8, facts.source, 16);
  std::memcpy(header + 24, facts.destination, 16);
}

}  // namespace wfp::inject
