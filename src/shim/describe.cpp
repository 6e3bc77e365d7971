#include "src/shim/describe.hpp"

#include <array>
#include <string_view>

#include "src/shim/trace.hpp"
#include "stack/packet/packet.hpp"
#include "stack/wire/format.hpp"
#include "wfp/ndis/chain.hpp"
#include "wfp/ndis/nbl.hpp"

namespace shim {
namespace {

constexpr std::uint8_t kIcmp = 1, kTcp = 6, kUdp = 17, kIcmpv6 = 58;

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
    case kIcmp:
      return "ICMP";
    case kTcp:
      return "TCP";
    case kUdp:
      return "UDP";
    case kIcmpv6:
      return "ICMPv6";
    default:
      return "protocol " + std::to_string(protocol);
  }
}

constexpr std::size_t kDescribedBytes = 128;  // of an injected packet: its headers

// From the lowest bit up, as they are on the wire.
constexpr std::array<std::string_view, 8> kTcpFlags{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};

void append_flags(std::string& text, std::uint8_t flags) {
  for (std::size_t i = 0; i < kTcpFlags.size(); ++i)
    if ((flags >> i & 1u) != 0) text.append(" ").append(kTcpFlags[i]);
}

}  // namespace

std::string FactsDescriber::describe() const {
  std::string text = protocol_name(facts_.protocol);
  if (facts_.protocol == kTcp) append_flags(text, facts_.tcp_flags);
  const std::string local = end_text(facts_.protocol, {facts_.local, facts_.local_port});
  const std::string remote = end_text(facts_.protocol, {facts_.remote, facts_.remote_port});
  const bool outbound = facts_.direction == stack::Direction::Outbound;
  text.append(" ").append(outbound ? local : remote).append(" > ").append(outbound ? remote : local);
  if (facts_.protocol == kIcmp || facts_.protocol == kIcmpv6)
    text.append(" type ").append(std::to_string(facts_.icmp_type));
  if (facts_.origin != stack::Origin::Unknown) text.append(" (").append(name_of(facts_.origin)).append(")");
  return text;
}

std::string describe_injection(const wfp::InjectRequest& request) {
  if (request.nbl == nullptr || request.nbl->FirstNetBuffer == nullptr) return {};
  std::array<std::byte, kDescribedBytes> bytes;
  const auto size = wfp::ndis::copy_out(*request.nbl, 0, bytes);
  const auto first = stack::Bytes{bytes}.first(size);
  const unsigned version = size == 0 ? 0 : std::to_integer<unsigned>(bytes[0]) >> 4;
  const bool has_header = request.path != wfp::InjectPath::TransportSend && (version == 4 || version == 6);
  if (has_header) return stack::wire::format_ip(first);
  wfp::ndis::reference(*request.nbl);
  const stack::Packet packet = stack::Packet::take(request.nbl);
  const stack::PacketMeta* const original = packet.parent_meta();
  const bool is_known = original != nullptr && original->protocol != 0 &&
                        wfp::ndis::origin(*request.nbl->ParentNetBufferList) == wfp::ndis::Origin::stack;
  if (!is_known) return {};
  return original->source.to_string() + " > " + original->destination.to_string() + " " +
         stack::wire::format_transport(original->protocol, first);
}

}  // namespace shim
