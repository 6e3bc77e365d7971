#include "stack/ip/fragment_check.hpp"

#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::ip {
namespace {

constexpr std::uint32_t kFragmentOffsetField = 2;  // from the start of a fragment header

std::size_t least_header(std::uint8_t protocol) {
  switch (protocol) {
    case wire::kProtocolTcp:
      return wire::TcpView::kMinHeaderSize;
    case wire::kProtocolUdp:
      return wire::UdpView::kHeaderSize;
    case wire::kProtocolIcmpv6:
      return wire::IcmpView::kHeaderSize;
    default:
      return 0;
  }
}

FragmentFault fault(Drop reason, const IpHeader& header, std::uint32_t pointer) {
  if (header.family == Family::V4) return {reason, std::nullopt};
  return {reason, ParameterProblem{.code = wire::icmpv6::kErroneousField, .pointer = pointer}};
}

}  // namespace

std::optional<FragmentFault> check_fragment_size(const IpHeader& header) {
  const std::uint32_t size = header.total_size - header.header_size;
  if (size == 0) return FragmentFault{Drop::BadLength, std::nullopt};
  if (header.fragment->more && size % 8 != 0)
    return fault(Drop::BadLength, header, wire::Ipv6View::kPayloadLengthOffset);
  const bool v4 = header.family == Family::V4;
  const std::size_t before = v4 ? header.header_size : header.fragment->header_offset - wire::Ipv6View::kHeaderSize;
  const std::size_t most = v4 ? wire::Ipv4View::kMaxTotalLength : wire::Ipv6View::kMaxPayloadSize;
  if (before + header.fragment->offset + size > most)
    return fault(Drop::FragmentTooLarge, header, header.fragment->header_offset + kFragmentOffsetField);
  return std::nullopt;
}

std::optional<FragmentFault> check_first_fragment(const IpHeader& header, Bytes packet) {
  if (header.family == Family::V4 || header.fragment->offset != 0) return std::nullopt;
  if (packet.size() < wire::Ipv6View::kHeaderSize) return FragmentFault{Drop::NoBuffers, std::nullopt};
  const auto upper = wire::find_upper_layer(packet);
  if (upper && upper->offset + least_header(upper->protocol) <= packet.size()) return std::nullopt;
  return FragmentFault{Drop::TruncatedHeader, ParameterProblem{.code = wire::icmpv6::kIncompleteHeaders}};
}

}  // namespace stack::ip
