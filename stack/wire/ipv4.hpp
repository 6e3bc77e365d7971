// IPv4 header (RFC 791, RFC 2474, RFC 3168). Every length is checked in parse; the header checksum apart from it,
// because a link may have verified it already.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"

namespace stack::wire {

class Ipv4View {
 public:
  static constexpr std::size_t kMinHeaderSize = 20;
  static constexpr std::size_t kMaxHeaderSize = 60;
  static constexpr std::size_t kMaxTotalLength = 65'535;
  static constexpr std::size_t kChecksumOffset = 10;

  // `head`: the packet's first bytes, min(kMaxHeaderSize, available) of them suffice; `available`: bytes from the
  // header to the end of the packet. TruncatedHeader, BadVersion, BadHeaderLength (IHL), BadLength (total length).
  static Result<Ipv4View> parse(Bytes head, std::size_t available);
  static Result<Ipv4View> parse(Bytes packet) { return parse(packet, packet.size()); }
  // A header quoted in an ICMP error, whose payload may have been cut off.
  static Result<Ipv4View> parse_quoted(Bytes quoted) { return parse(quoted, kMaxTotalLength); }

  std::size_t header_size() const { return header_.size(); }
  std::uint8_t traffic_class() const { return load_u8(header_, 1); }
  std::size_t total_length() const { return load_be16(header_, 2); }
  std::size_t payload_size() const { return total_length() - header_size(); }
  std::uint16_t identification() const { return load_be16(header_, 4); }
  bool dont_fragment() const { return (load_be16(header_, 6) & 0x4000) != 0; }
  bool more_fragments() const { return (load_be16(header_, 6) & 0x2000) != 0; }
  std::size_t fragment_offset() const { return std::size_t{8} * (load_be16(header_, 6) & 0x1fff); }  // bytes
  bool is_fragment() const { return (load_be16(header_, 6) & 0x3fff) != 0; }
  std::uint8_t hop_limit() const { return load_u8(header_, 8); }
  std::uint8_t protocol() const { return load_u8(header_, 9); }
  std::uint16_t checksum() const { return load_be16(header_, kChecksumOffset); }
  bool is_checksum_valid() const;
  IpAddress source() const { return IpAddress::v4(header_.subspan(12, 4)); }
  IpAddress destination() const { return IpAddress::v4(header_.subspan(16, 4)); }
  Bytes option_bytes() const { return header_.subspan(kMinHeaderSize); }

 private:
  explicit Ipv4View(Bytes header) : header_(header) {}
  Bytes header_;
};

struct Ipv4Fields {
  std::uint8_t traffic_class = 0;
  std::size_t payload_size = 0;  // after the header; header and payload at most 65,535
  std::uint16_t identification = 0;
  bool dont_fragment = false;
  bool more_fragments = false;
  std::size_t fragment_offset = 0;  // bytes, a multiple of eight
  std::uint8_t hop_limit = 64;
  std::uint8_t protocol = 0;
  IpAddress source{};
  IpAddress destination{};
  Bytes options{};  // copied as they are, padded to a multiple of four; at most 40 bytes

  std::size_t size() const { return Ipv4View::kMinHeaderSize + (options.size() + 3) / 4 * 4; }
  void emit(MutableBytes into) const;  // writes the first size() bytes, checksum included
};

}  // namespace stack::wire
