// IPv6 header (RFC 8200 3). Extension headers: ipv6_ext.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"

namespace stack::wire {

class Ipv6View {
 public:
  static constexpr std::size_t kHeaderSize = 40;
  static constexpr std::size_t kMaxPayloadSize = 65'535;  // jumbograms (RFC 2675) are not supported
  static constexpr std::size_t kPayloadLengthOffset = 4;

  // `head`: the packet's first bytes, kHeaderSize suffice; `available`: bytes from the header to the end of the
  // packet. TruncatedHeader, BadVersion, BadLength (payload length beyond the packet).
  static Result<Ipv6View> parse(Bytes head, std::size_t available);
  static Result<Ipv6View> parse(Bytes packet) { return parse(packet, packet.size()); }
  // A header quoted in an ICMP error, whose payload may have been cut off.
  static Result<Ipv6View> parse_quoted(Bytes quoted) { return parse(quoted, kHeaderSize + kMaxPayloadSize); }

  std::uint8_t traffic_class() const { return static_cast<std::uint8_t>(load_be16(header_, 0) >> 4); }
  std::uint32_t flow_label() const { return load_be32(header_, 0) & 0xf'ffff; }
  std::size_t payload_size() const { return load_be16(header_, kPayloadLengthOffset); }  // extension headers included
  std::uint8_t next_header() const { return load_u8(header_, 6); }
  std::uint8_t hop_limit() const { return load_u8(header_, 7); }
  IpAddress source() const { return IpAddress::v6(header_.subspan(8, 16)); }
  IpAddress destination() const { return IpAddress::v6(header_.subspan(24, 16)); }

 private:
  explicit Ipv6View(Bytes header) : header_(header) {}
  Bytes header_;
};

struct Ipv6Fields {
  std::uint8_t traffic_class = 0;
  std::uint32_t flow_label = 0;  // 20 bits
  std::size_t payload_size = 0;  // extension headers included; at most 65,535
  std::uint8_t next_header = 59;
  std::uint8_t hop_limit = 64;
  IpAddress source{};
  IpAddress destination{};

  static constexpr std::size_t size() { return Ipv6View::kHeaderSize; }
  void emit(MutableBytes into) const;
};

}  // namespace stack::wire
