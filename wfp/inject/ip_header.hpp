// The IP header of a transport packet, built anew or in the place of another one, with finished checksums: what
// FwpsConstructIpHeaderForTransportPacket0 does. After it the data starts at the IP header.
//
// New: data at the transport header; the header goes in front of it. Rebuild: data at an IP header of the given size,
// which is replaced by one of 20 bytes and its IPv4 options, or of 40 bytes; AH, ESP and extension headers go. Bytes
// that others may see are not written: the packet gets its own copy of what changes. Any thread, one packet at a
// time. Source: RFC 791, RFC 8200, RFC 768, RFC 9293, RFC 4443; documented rules of the function.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "fwps/inject.h"
#include "ndis.h"

namespace wfp::inject {

struct IpHeaderFacts {
  std::uint16_t address_family = 0;      // AF_INET or AF_INET6
  const std::uint8_t* source = nullptr;  // 4 or 16 bytes, network order
  const std::uint8_t* destination = nullptr;
  std::uint8_t protocol = 0;
  std::size_t old_header_size = 0;  // 0: new
};

inline constexpr std::uint8_t kDefaultHopLimit = 128;

class IpHeaderBuilder {
 public:
  explicit IpHeaderBuilder(std::uint64_t key) : key_(key) {}

  // STATUS_INVALID_PARAMETER: family, sizes or several NET_BUFFERs in a rebuild; STATUS_INSUFFICIENT_RESOURCES: no
  // memory. The packet is then unchanged as far as anybody can tell.
  NTSTATUS build(NET_BUFFER_LIST& nbl, const IpHeaderFacts& facts);

 private:
  std::uint16_t next_identification(const IpHeaderFacts& facts);

  const std::uint64_t key_;
  std::atomic<std::uint32_t> counter_{0};
};

}  // namespace wfp::inject
