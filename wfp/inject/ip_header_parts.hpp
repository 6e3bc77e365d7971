// The pieces of ip_header.cpp: reading what a rebuild keeps, writing headers, and where each transport's checksum is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "wfp/inject/checksum.hpp"
#include "wfp/inject/ip_header.hpp"

namespace wfp::inject {

struct TransportChecksum {
  std::size_t header_size = 0;  // bytes that must be there; 0: no checksum that we know
  std::size_t offset = 0;
  bool has_pseudo_header = false;
  bool zero_means_none = false;
};
TransportChecksum transport_checksum(std::uint8_t protocol, std::uint16_t address_family);

// What a rebuild takes over; the values of a new header when there is none.
struct OldHeader {
  bool is_valid = true;  // false: not an IP header of that size and family
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = kDefaultHopLimit;
  std::uint32_t flow_label = 0;
  std::array<std::byte, 40> options{};  // IPv4
  std::size_t options_size = 0;
};
OldHeader read_old_header(const NET_BUFFER_LIST& nbl, const IpHeaderFacts& facts);

void add_pseudo_header(Checksum& sum, const IpHeaderFacts& facts, std::size_t transport_size);
void write_ipv4(std::byte* header, const IpHeaderFacts& facts, const OldHeader& old, std::size_t transport_size,
                std::uint16_t identification);
void write_ipv6(std::byte* header, const IpHeaderFacts& facts, const OldHeader& old, std::size_t transport_size);

}  // namespace wfp::inject
