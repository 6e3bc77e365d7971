#include "stack/wire/ndp.hpp"

#include <algorithm>

namespace stack::wire {
namespace {

constexpr std::uint8_t kSourceMac = 1, kTargetMac = 2, kPrefixInfo = 3, kMtu = 5;
constexpr std::size_t kUnit = 8, kPrefixSize = 32;
constexpr std::uint8_t kOnLink = 0x80, kAutonomous = 0x40;

NdpPrefix parse_prefix(Bytes option) {
  const std::uint8_t flags = load_u8(option, 3);
  return {.prefix = {IpAddress::v6(option.subspan(16, 16)), std::min(load_u8(option, 2), std::uint8_t{128})},
          .on_link = (flags & kOnLink) != 0,
          .autonomous = (flags & kAutonomous) != 0,
          .valid_seconds = load_be32(option, 4),
          .preferred_seconds = load_be32(option, 8)};
}

void parse_one(Bytes option, NdpOptions& into) {
  switch (load_u8(option, 0)) {
    case kSourceMac:
      into.source_mac = MacAddress::from(option.subspan(2, 6));
      break;
    case kTargetMac:
      into.target_mac = MacAddress::from(option.subspan(2, 6));
      break;
    case kMtu:
      into.mtu = load_be32(option, 4);
      break;
    case kPrefixInfo:
      if (option.size() == kPrefixSize && into.prefix_count < NdpOptions::kMaxPrefixes)
        into.prefix_storage[into.prefix_count++] = parse_prefix(option);
      break;
    default:
      break;
  }
}

void emit_mac(MutableBytes at, std::uint8_t type, const MacAddress& mac) {
  store_u8(at, 0, type);
  store_u8(at, 1, 1);
  std::ranges::copy(mac.bytes, at.begin() + 2);
}

void emit_prefix(MutableBytes at, const NdpPrefix& prefix) {
  store_u8(at, 0, kPrefixInfo);
  store_u8(at, 1, kPrefixSize / kUnit);
  store_u8(at, 2, prefix.prefix.length);
  store_u8(at, 3,
           static_cast<std::uint8_t>((prefix.on_link ? kOnLink : 0U) | (prefix.autonomous ? kAutonomous : 0U)));
  store_be32(at, 4, prefix.valid_seconds);
  store_be32(at, 8, prefix.preferred_seconds);
  store_be32(at, 12, 0);
  std::ranges::copy(prefix.prefix.address.bytes(), at.begin() + 16);
}

IpAddress address_of(std::initializer_list<std::uint8_t> first, std::initializer_list<std::uint8_t> last) {
  std::array<std::byte, 16> bytes{};
  std::ranges::transform(first, bytes.begin(), [](std::uint8_t v) { return std::byte{v}; });
  std::ranges::transform(last, bytes.end() - static_cast<std::ptrdiff_t>(last.size()),
                         [](std::uint8_t v) { return std::byte{v}; });
  return IpAddress::v6(bytes);
}

}  // namespace

Result<NdpOptions> NdpOptions::parse(Bytes options) {
  NdpOptions parsed;
  for (std::size_t at = 0; at < options.size();) {
    if (options.size() - at < 2) return Drop::BadOption;
    const std::size_t size = kUnit * load_u8(options, at + 1);
    if (size == 0 || size > options.size() - at) return Drop::BadOption;
    parse_one(options.subspan(at, size), parsed);
    at += size;
  }
  return parsed;
}

std::size_t NdpOptions::size() const {
  return kUnit * (std::size_t{source_mac.has_value()} + target_mac.has_value() + mtu.has_value()) +
         kPrefixSize * prefix_count;
}

void NdpOptions::emit(MutableBytes into) const {
  DCHECK(into.size() >= size());
  const auto take = [&into](std::size_t size) {
    const MutableBytes option = into.first(size);
    into = into.subspan(size);
    return option;
  };
  if (source_mac) emit_mac(take(kUnit), kSourceMac, *source_mac);
  if (target_mac) emit_mac(take(kUnit), kTargetMac, *target_mac);
  if (mtu) {
    const MutableBytes option = take(kUnit);
    store_u8(option, 0, kMtu);
    store_u8(option, 1, 1);
    store_be16(option, 2, 0);
    store_be32(option, 4, *mtu);
  }
  for (const NdpPrefix& prefix : prefixes()) emit_prefix(take(kPrefixSize), prefix);
}

Result<NeighborView> NeighborView::parse(Bytes message) {
  if (message.size() < kMinSize) return Drop::TruncatedHeader;
  auto options = NdpOptions::parse(message.subspan(kMinSize));
  if (!options) return options.drop();
  return NeighborView{message, *options};
}

void NeighborFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size() && !target.is_v4());
  const std::uint32_t flags =
      (router ? 0x8000'0000U : 0U) | (solicited ? 0x4000'0000U : 0U) | (override_entry ? 0x2000'0000U : 0U);
  IcmpFields{.type = type, .rest = flags}.emit(into);
  std::ranges::copy(target.bytes(), into.begin() + 8);
  options.emit(into.subspan(NeighborView::kMinSize));
}

Result<RouterAdvertView> RouterAdvertView::parse(Bytes message) {
  if (message.size() < kMinSize) return Drop::TruncatedHeader;
  auto options = NdpOptions::parse(message.subspan(kMinSize));
  if (!options) return options.drop();
  return RouterAdvertView{message, *options};
}

void RouterAdvertFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size());
  IcmpFields{.type = icmpv6::kRouterAdvert, .rest = std::uint32_t{hop_limit} << 24 | router_lifetime_seconds}.emit(
      into);
  store_be32(into, 8, reachable_ms);
  store_be32(into, 12, retransmit_ms);
  options.emit(into.subspan(RouterAdvertView::kMinSize));
}

void RouterSolicitFields::emit(MutableBytes into) const {
  DCHECK(into.size() >= size());
  IcmpFields{.type = icmpv6::kRouterSolicit}.emit(into);
  options.emit(into.subspan(IcmpView::kHeaderSize));
}

IpAddress solicited_node_group(const IpAddress& address) {
  DCHECK(!address.is_v4());
  const Bytes bytes = address.bytes();
  return address_of({0xff, 0x02}, {0x01, 0xff, load_u8(bytes, 13), load_u8(bytes, 14), load_u8(bytes, 15)});
}
IpAddress all_nodes_group() { return address_of({0xff, 0x02}, {1}); }
IpAddress all_routers_group() { return address_of({0xff, 0x02}, {2}); }
IpAddress link_local_address(const MacAddress& mac) {
  const auto byte = [&mac](std::size_t i) { return std::to_integer<std::uint8_t>(mac.bytes[i]); };
  return address_of({0xfe, 0x80}, {static_cast<std::uint8_t>(byte(0) ^ 0x02), byte(1), byte(2), 0xff, 0xfe, byte(3),
                                   byte(4), byte(5)});
}

}  // namespace stack::wire
