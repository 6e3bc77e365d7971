// UDP header (RFC 768). The checksum covers the payload and is verified by who holds the packet; that it may be zero
// over IPv4 and not over IPv6 (RFC 8200 8.1) is decided there, too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"

namespace stack::wire {

inline constexpr std::uint8_t kProtocolUdp = 17;

class UdpView {
 public:
  static constexpr std::size_t kHeaderSize = 8;
  static constexpr std::size_t kChecksumOffset = 6;

  // `head`: the datagram's first bytes, kHeaderSize suffice; `available`: bytes from the header to the end of the
  // packet. TruncatedHeader; BadHeaderLength: a length below the header's; BadLength: one beyond the packet.
  static Result<UdpView> parse(Bytes head, std::size_t available);
  static Result<UdpView> parse(Bytes datagram) { return parse(datagram, datagram.size()); }

  std::uint16_t src_port() const { return load_be16(header_, 0); }
  std::uint16_t dst_port() const { return load_be16(header_, 2); }
  std::size_t length() const { return load_be16(header_, 4); }  // header and payload; bytes behind it are padding
  std::size_t payload_size() const { return length() - kHeaderSize; }
  std::uint16_t checksum() const { return load_be16(header_, kChecksumOffset); }

 private:
  explicit UdpView(Bytes header) : header_(header) {}
  Bytes header_;
};

struct UdpFields {
  std::uint16_t src_port = 0;
  std::uint16_t dst_port = 0;
  std::size_t payload_size = 0;  // at most 65,527
  std::uint16_t checksum = 0;

  static constexpr std::size_t size() { return UdpView::kHeaderSize; }
  void emit(MutableBytes into) const;
};

}  // namespace stack::wire
