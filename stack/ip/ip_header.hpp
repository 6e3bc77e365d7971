// One parse for both families: the facts of an IP header and its extension headers that the rest of IP works with.
// Where a packet is refused and its sender is owed an explanation, `problem` says which ICMP parameter problem to
// send.
#pragma once

#include <cstdint>
#include <optional>

#include "stack/base/result.hpp"
#include "stack/packet/packet.hpp"

namespace stack::ip {

struct FragmentHeader {
  std::uint32_t id = 0;
  std::uint32_t offset = 0;  // bytes
  bool more = false;
  std::uint32_t header_offset = 0;       // IPv6: of the fragment header, from the IP header; IPv4: 0
  std::uint32_t next_header_offset = 0;  // IPv6: of the field that announces it; IPv4: 0
};

struct IpHeader {
  Family family = Family::V4;
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;  // after extension headers
  std::uint8_t hop_limit = 0;
  std::uint8_t traffic_class = 0;
  bool dont_fragment = false;            // IPv4; IPv6 routers never fragment
  std::uint32_t header_size = 0;         // extension headers included, a fragment header as well
  std::uint32_t total_size = 0;          // what lies behind it in the packet is padding
  std::uint32_t next_header_offset = 0;  // IPv6: of the field that announces `protocol`; IPv4: 9
  std::optional<FragmentHeader> fragment;
};

struct ParameterProblem {
  std::uint8_t code = 0;
  std::uint32_t pointer = 0;  // from the start of the IP header
  bool answer_multicast = false;
};

// Data at the IP header; the packet is not changed. Checks version, lengths, the IPv4 checksum unless the link
// vouched for it, options and extension headers. `problem` is set on some drops only.
Result<IpHeader> parse_ip_header(Packet& packet, std::optional<ParameterProblem>& problem);

// Copies the header's facts into the packet's metadata; origin, direction and interface are not touched.
void fill_meta(PacketMeta& meta, const IpHeader& header);

}  // namespace stack::ip
