// TCP header (RFC 9293 3.1). The view spans the header with its options; the payload stays in the packet. The
// checksum covers payload and pseudo header and is therefore verified by who holds the packet
// (stack/ip/transport_checksum).
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"
#include "stack/base/seq.hpp"
#include "stack/wire/tcp_options.hpp"

namespace stack::wire {

inline constexpr std::uint8_t kProtocolTcp = 6;

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20,
                              kEce = 0x40, kCwr = 0x80;
}

class TcpView {
 public:
  static constexpr std::size_t kMinHeaderSize = 20;
  static constexpr std::size_t kMaxHeaderSize = 60;
  static constexpr std::size_t kChecksumOffset = 16;

  // `head`: the first bytes of the segment, min(kMaxHeaderSize, size of the segment) of them suffice.
  // TruncatedHeader: less than the data offset promises. BadHeaderLength: a data offset below 5.
  static Result<TcpView> parse(Bytes head);

  std::uint16_t src_port() const { return load_be16(header_, 0); }
  std::uint16_t dst_port() const { return load_be16(header_, 2); }
  Seq seq() const { return Seq{load_be32(header_, 4)}; }
  Seq ack_number() const { return Seq{load_be32(header_, 8)}; }
  std::size_t header_size() const { return header_.size(); }
  std::uint8_t flags() const { return load_u8(header_, 13); }
  bool fin() const { return (flags() & tcp_flag::kFin) != 0; }
  bool syn() const { return (flags() & tcp_flag::kSyn) != 0; }
  bool rst() const { return (flags() & tcp_flag::kRst) != 0; }
  bool psh() const { return (flags() & tcp_flag::kPsh) != 0; }
  bool ack() const { return (flags() & tcp_flag::kAck) != 0; }
  bool urg() const { return (flags() & tcp_flag::kUrg) != 0; }
  bool ece() const { return (flags() & tcp_flag::kEce) != 0; }
  bool cwr() const { return (flags() & tcp_flag::kCwr) != 0; }
  std::uint16_t window() const { return load_be16(header_, 14); }
  std::uint16_t checksum() const { return load_be16(header_, 16); }
  std::uint16_t urgent_pointer() const { return load_be16(header_, 18); }
  Bytes option_bytes() const { return header_.subspan(kMinHeaderSize); }
  TcpOptions options() const { return TcpOptions::parse(option_bytes()); }

 private:
  explicit TcpView(Bytes header) : header_(header) {}
  Bytes header_;
};

struct TcpFields {
  std::uint16_t src_port = 0;
  std::uint16_t dst_port = 0;
  Seq seq{};
  Seq ack_number{};
  std::uint8_t flags = 0;  // tcp_flag
  std::uint16_t window = 0;
  std::uint16_t checksum = 0;
  std::uint16_t urgent_pointer = 0;
  TcpOptions options{};

  std::size_t size() const { return TcpView::kMinHeaderSize + options.size(); }
  void emit(MutableBytes into) const;  // writes the first size() bytes
};

}  // namespace stack::wire
