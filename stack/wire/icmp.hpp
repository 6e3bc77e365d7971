// The eight bytes that every ICMP message begins with, the same for both families (RFC 792, RFC 4443). What types and
// codes mean is in icmpv4.hpp and icmpv6.hpp. The checksum covers the message and, for ICMPv6, a pseudo header.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"

namespace stack::wire {

class IcmpView {
 public:
  static constexpr std::size_t kHeaderSize = 8;
  static constexpr std::size_t kChecksumOffset = 2;

  static Result<IcmpView> parse(Bytes head);  // TruncatedHeader

  std::uint8_t type() const { return load_u8(header_, 0); }
  std::uint8_t code() const { return load_u8(header_, 1); }
  std::uint16_t checksum() const { return load_be16(header_, kChecksumOffset); }
  std::uint32_t rest() const { return load_be32(header_, 4); }  // id and sequence, MTU, pointer: by type
  std::uint16_t echo_id() const { return load_be16(header_, 4); }
  std::uint16_t echo_sequence() const { return load_be16(header_, 6); }

 private:
  explicit IcmpView(Bytes header) : header_(header) {}
  Bytes header_;
};

struct IcmpFields {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint16_t checksum = 0;
  std::uint32_t rest = 0;

  static constexpr std::size_t size() { return IcmpView::kHeaderSize; }
  void emit(MutableBytes into) const;
};

}  // namespace stack::wire
