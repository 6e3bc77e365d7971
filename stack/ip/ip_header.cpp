#include "stack/ip/ip_header.hpp"

#include <algorithm>

#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv4_options.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"

namespace stack::ip {
namespace {

Result<IpHeader> parse_v4(Packet& packet, std::optional<ParameterProblem>& problem) {
  const Bytes head = packet.head(std::min(packet.size(), wire::Ipv4View::kMaxHeaderSize));
  const auto ip = wire::Ipv4View::parse(head, packet.size());
  if (!ip) return ip.drop();
  if (!packet.checksum().ip_verified && !ip->is_checksum_valid()) return Drop::BadChecksum;
  if (!ip->option_bytes().empty()) {
    const auto options = wire::Ipv4Options::parse(ip->option_bytes());
    if (options.error_offset) {
      problem = ParameterProblem{.code = 0, .pointer = static_cast<std::uint32_t>(*options.error_offset)};
      return Drop::BadOption;
    }
    if (options.source_route) return Drop::SourceRouted;
  }
  IpHeader header;
  header.family = Family::V4;
  header.source = ip->source();
  header.destination = ip->destination();
  header.protocol = ip->protocol();
  header.hop_limit = ip->hop_limit();
  header.traffic_class = ip->traffic_class();
  header.dont_fragment = ip->dont_fragment();
  header.header_size = static_cast<std::uint32_t>(ip->header_size());
  header.total_size = static_cast<std::uint32_t>(ip->total_length());
  header.next_header_offset = 9;
  if (ip->is_fragment())
    header.fragment = FragmentHeader{.id = ip->identification(),
                                     .offset = static_cast<std::uint32_t>(ip->fragment_offset()),
                                     .more = ip->more_fragments()};
  return header;
}

Drop refuse(const wire::Ipv6Chain& chain, std::optional<ParameterProblem>& problem) {
  if (chain.verdict == wire::Ipv6Chain::Verdict::ParameterProblem)
    problem = ParameterProblem{.code = static_cast<std::uint8_t>(chain.problem_code),
                               .pointer = static_cast<std::uint32_t>(chain.problem_offset),
                               .answer_multicast = chain.answer_multicast};
  return Drop::BadOption;
}

Result<IpHeader> parse_v6(Packet& packet, std::optional<ParameterProblem>& problem) {
  constexpr std::size_t kFixed = wire::Ipv6View::kHeaderSize;
  const auto ip = wire::Ipv6View::parse(packet.head(std::min(packet.size(), kFixed)), packet.size());
  if (!ip) return ip.drop();
  IpHeader header;
  header.family = Family::V6;
  header.source = ip->source();
  header.destination = ip->destination();
  header.protocol = ip->next_header();
  header.hop_limit = ip->hop_limit();
  header.traffic_class = ip->traffic_class();
  header.header_size = kFixed;
  header.total_size = static_cast<std::uint32_t>(kFixed + ip->payload_size());
  header.next_header_offset = 6;
  if (!wire::is_extension_header(header.protocol)) return header;

  const std::size_t chain_bytes = std::min<std::size_t>(header.total_size, wire::Ipv6Chain::kMaxChainSize);
  const Bytes headers = packet.head(chain_bytes);
  if (headers.empty()) return Drop::NoBuffers;
  const auto chain = wire::Ipv6Chain::walk(headers);
  if (chain.verdict != wire::Ipv6Chain::Verdict::Ok) return refuse(chain, problem);
  header.protocol = chain.protocol;
  header.header_size = static_cast<std::uint32_t>(chain.offset);
  header.next_header_offset = static_cast<std::uint32_t>(chain.next_header_offset);
  if (chain.fragment)
    header.fragment =
        FragmentHeader{.id = chain.fragment->id,
                       .offset = static_cast<std::uint32_t>(chain.fragment->offset),
                       .more = chain.fragment->more,
                       .header_offset = static_cast<std::uint32_t>(chain.fragment->header_offset),
                       .next_header_offset = static_cast<std::uint32_t>(chain.fragment->next_header_offset)};
  return header;
}

}  // namespace

Result<IpHeader> parse_ip_header(Packet& packet, std::optional<ParameterProblem>& problem) {
  problem.reset();
  const Bytes first = packet.head(std::min<std::size_t>(packet.size(), 1));
  if (first.empty()) return Drop::TruncatedHeader;  // nothing, or a driver's chain that is shorter than it says
  switch (load_u8(first, 0) >> 4) {
    case 4:
      return parse_v4(packet, problem);
    case 6:
      return parse_v6(packet, problem);
    default:
      return Drop::BadVersion;
  }
}

void fill_meta(PacketMeta& meta, const IpHeader& header) {
  meta.family = header.family;
  meta.source = header.source;
  meta.destination = header.destination;
  meta.protocol = header.protocol;
  meta.hop_limit = header.hop_limit;
  meta.traffic_class = header.traffic_class;
  meta.ip_header_size = header.header_size;
}

}  // namespace stack::ip
