// Neighbour discovery messages (RFC 4861 4): solicitations and advertisements of neighbours and routers, with the
// options that a host uses. The views span the whole ICMPv6 message, header included; checksum and hop limit are
// checked outside. An option of length zero makes a whole message invalid (RFC 4861 4.6): BadOption.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/address.hpp"
#include "stack/base/bytes.hpp"
#include "stack/base/result.hpp"
#include "stack/wire/icmpv6.hpp"

namespace stack::wire {

inline constexpr std::uint8_t kNdpHopLimit = 255;  // any other value came through a router: RFC 4861 6.1, 7.1

struct NdpPrefix {
  IpPrefix prefix{};
  bool on_link = false;
  bool autonomous = false;
  std::uint32_t valid_seconds = 0;
  std::uint32_t preferred_seconds = 0;
  bool operator==(const NdpPrefix&) const = default;
};

struct NdpOptions {
  static constexpr std::size_t kMaxPrefixes = 4;  // further ones are ignored

  std::optional<MacAddress> source_mac{};
  std::optional<MacAddress> target_mac{};
  std::optional<std::uint32_t> mtu{};
  std::array<NdpPrefix, kMaxPrefixes> prefix_storage{};
  std::size_t prefix_count = 0;

  static Result<NdpOptions> parse(Bytes options);
  std::span<const NdpPrefix> prefixes() const { return std::span{prefix_storage}.first(prefix_count); }
  std::size_t size() const;
  void emit(MutableBytes into) const;
};

// A neighbour solicitation or advertisement: both carry a target.
class NeighborView {
 public:
  static constexpr std::size_t kMinSize = 24;

  static Result<NeighborView> parse(Bytes message);  // TruncatedHeader, BadOption

  bool is_router() const { return (load_u8(message_, 4) & 0x80) != 0; }     // advertisement
  bool is_solicited() const { return (load_u8(message_, 4) & 0x40) != 0; }  // advertisement
  bool is_override() const { return (load_u8(message_, 4) & 0x20) != 0; }   // advertisement
  IpAddress target() const { return IpAddress::v6(message_.subspan(8, 16)); }
  const NdpOptions& options() const { return options_; }

 private:
  NeighborView(Bytes message, NdpOptions options) : message_(message), options_(options) {}
  Bytes message_;
  NdpOptions options_;
};

struct NeighborFields {
  std::uint8_t type = icmpv6::kNeighborSolicit;
  bool router = false;
  bool solicited = false;
  bool override_entry = false;
  IpAddress target{};
  NdpOptions options{};

  std::size_t size() const { return NeighborView::kMinSize + options.size(); }
  void emit(MutableBytes into) const;  // checksum zero
};

class RouterAdvertView {
 public:
  static constexpr std::size_t kMinSize = 16;

  static Result<RouterAdvertView> parse(Bytes message);  // TruncatedHeader, BadOption

  std::uint8_t hop_limit() const { return load_u8(message_, 4); }                   // 0: not specified
  std::uint16_t router_lifetime_seconds() const { return load_be16(message_, 6); }  // 0: no default router
  std::uint32_t reachable_ms() const { return load_be32(message_, 8); }
  std::uint32_t retransmit_ms() const { return load_be32(message_, 12); }
  const NdpOptions& options() const { return options_; }

 private:
  RouterAdvertView(Bytes message, NdpOptions options) : message_(message), options_(options) {}
  Bytes message_;
  NdpOptions options_;
};

struct RouterAdvertFields {
  std::uint8_t hop_limit = 0;
  std::uint16_t router_lifetime_seconds = 0;
  std::uint32_t reachable_ms = 0;
  std::uint32_t retransmit_ms = 0;
  NdpOptions options{};

  std::size_t size() const { return RouterAdvertView::kMinSize + options.size(); }
  void emit(MutableBytes into) const;
};

struct RouterSolicitFields {
  NdpOptions options{};

  std::size_t size() const { return IcmpView::kHeaderSize + options.size(); }
  void emit(MutableBytes into) const;
};

// ff02::1:ff00:0/104 with the last three bytes of `address` (RFC 4291 2.7.1).
IpAddress solicited_node_group(const IpAddress& address);
IpAddress all_nodes_group();    // ff02::1
IpAddress all_routers_group();  // ff02::2
// fe80::/64 with the modified EUI-64 of `mac` (RFC 4291 appendix A).
IpAddress link_local_address(const MacAddress& mac);

}  // namespace stack::wire
