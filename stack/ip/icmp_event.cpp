#include "stack/ip/icmp_event.hpp"

#include <optional>

#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"

namespace stack::ip {
namespace {

using Kind = PathEvent::Kind;
constexpr std::size_t kLeastQuoted = 8;  // RFC 792: ports, and TCP's sequence number

struct Meaning {
  Kind kind;
  bool is_hard = false;
};

// RFC 1122 4.2.3.9 says which are hard.
std::optional<Meaning> meaning_v4(std::uint8_t type, std::uint8_t code) {
  namespace v4 = wire::icmpv4;
  if (type == v4::kTimeExceeded) return Meaning{Kind::TimeExceeded};
  if (type == v4::kParameterProblem) return Meaning{Kind::ParameterProblem};
  if (type != v4::kUnreachable) return std::nullopt;  // source quench (RFC 6633) and redirects are not acted on
  switch (code) {
    case v4::kNet:
    case v4::kNetUnknown:
    case v4::kNetForTos:
      return Meaning{Kind::NetUnreachable};
    case v4::kProtocol:
      return Meaning{Kind::ProtocolUnreachable, true};
    case v4::kPort:
      return Meaning{Kind::PortUnreachable, true};
    case v4::kFragmentationNeeded:
      return Meaning{Kind::PacketTooBig};
    case v4::kNetProhibited:
    case v4::kHostProhibited:
    case v4::kAdminProhibited:
      return Meaning{Kind::AdminProhibited, true};
    default:
      return Meaning{Kind::HostUnreachable};
  }
}

std::optional<Meaning> meaning_v6(std::uint8_t type, std::uint8_t code) {
  namespace v6 = wire::icmpv6;
  if (type == v6::kPacketTooBig) return Meaning{Kind::PacketTooBig};
  if (type == v6::kTimeExceeded) return Meaning{Kind::TimeExceeded};
  if (type == v6::kParameterProblem)
    return code == v6::kUnknownNextHeader ? Meaning{Kind::ProtocolUnreachable, true}
                                          : Meaning{Kind::ParameterProblem};
  if (type != v6::kUnreachable) return std::nullopt;
  switch (code) {
    case v6::kNoRoute:
      return Meaning{Kind::NetUnreachable};
    case v6::kAdminProhibited:
    case v6::kPolicy:
    case v6::kReject:
      return Meaning{Kind::AdminProhibited, true};
    case v6::kPort:
      return Meaning{Kind::PortUnreachable, true};
    default:
      return Meaning{Kind::HostUnreachable};
  }
}

Result<QuotedEvent> quote_v4(Bytes quoted) {
  const auto ip = wire::Ipv4View::parse_quoted(quoted);
  if (!ip || ip->fragment_offset() != 0) return Drop::IcmpInvalid;
  QuotedEvent result;
  result.event.local = ip->source();
  result.event.remote = ip->destination();
  result.event.protocol = ip->protocol();
  result.event.transport_header = quoted.subspan(ip->header_size());
  result.quoted_size = static_cast<std::uint32_t>(ip->total_length());
  return result;
}

Result<QuotedEvent> quote_v6(Bytes quoted) {
  const auto ip = wire::Ipv6View::parse_quoted(quoted);
  if (!ip) return Drop::IcmpInvalid;
  const auto chain = wire::Ipv6Chain::walk(quoted);
  if (chain.verdict != wire::Ipv6Chain::Verdict::Ok || (chain.fragment && chain.fragment->offset != 0))
    return Drop::IcmpInvalid;
  QuotedEvent result;
  result.event.local = ip->source();
  result.event.remote = ip->destination();
  result.event.protocol = chain.protocol;
  result.event.transport_header = quoted.subspan(chain.offset);
  result.quoted_size = static_cast<std::uint32_t>(wire::Ipv6View::kHeaderSize + ip->payload_size());
  return result;
}

}  // namespace

Result<QuotedEvent> read_path_event(Family family, std::uint8_t type, std::uint8_t code, std::uint32_t rest,
                                    Bytes quoted) {
  const auto meaning = family == Family::V4 ? meaning_v4(type, code) : meaning_v6(type, code);
  if (!meaning) return Drop::IcmpInvalid;
  auto result = family == Family::V4 ? quote_v4(quoted) : quote_v6(quoted);
  if (!result) return result;
  if (result->event.transport_header.size() < kLeastQuoted) return Drop::IcmpInvalid;
  result->event.kind = meaning->kind;
  result->event.is_hard = meaning->is_hard;
  if (meaning->kind == Kind::PacketTooBig) result->event.mtu = family == Family::V4 ? rest & 0xffff : rest;
  return result;
}

}  // namespace stack::ip
