// Ethernet II header. VLAN tags are not interpreted: a tagged frame has an EtherType that nobody here claims.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"

namespace stack::wire {

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

class EthernetView {
 public:
  static constexpr std::size_t kHeaderSize = 14;

  static Result<EthernetView> parse(Bytes head);  // TruncatedHeader

  MacAddress destination() const { return MacAddress::from(header_.first(6)); }
  MacAddress source() const { return MacAddress::from(header_.subspan(6, 6)); }
  std::uint16_t ether_type() const { return load_be16(header_, 12); }

 private:
  explicit EthernetView(Bytes header) : header_(header) {}
  Bytes header_;
};

struct EthernetFields {
  MacAddress destination{};
  MacAddress source{};
  std::uint16_t ether_type = 0;

  static constexpr std::size_t size() { return EthernetView::kHeaderSize; }
  void emit(MutableBytes into) const;
};

// 33:33 and the last four bytes of an IPv6 group (RFC 2464 7), 01:00:5e and its last 23 bits for IPv4 (RFC 1112 6.4).
MacAddress multicast_mac(const IpAddress& group);

}  // namespace stack::wire
