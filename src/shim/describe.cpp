#include "src/shim/describe.hpp"

#include <array>
#include <string_view>

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

// From the lowest bit up, as they are on the wire.
constexpr std::array<std::string_view, 8> kTcpFlags{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};

void append_flags(std::string& text, std::uint8_t flags) {
  for (std::size_t i = 0; i < kTcpFlags.size(); ++i)
    if ((flags >> i & 1u) != 0) text.append(" ").append(kTcpFlags[i]);
}

// FNV-1a: good enough to tell connections apart in a message, and cheap.
void mix(std::uint64_t& hash, std::uint64_t value) { hash = (hash ^ value) * 0x100'0000'01b3ull; }

void mix_address(std::uint64_t& hash, const stack::IpAddress& address) {
  for (const std::byte byte : address.bytes()) mix(hash, std::to_integer<std::uint64_t>(byte));
}

}  // namespace

std::string FactsDescriber::describe() const {
  std::string text = protocol_name(facts_.protocol);
  if (facts_.protocol == kTcp) append_flags(text, facts_.tcp_flags);
  const std::string local = stack::SocketAddress{facts_.local, facts_.local_port}.to_string();
  const std::string remote = stack::SocketAddress{facts_.remote, facts_.remote_port}.to_string();
  const bool outbound = facts_.direction == stack::Direction::Outbound;
  text.append(" ").append(outbound ? local : remote).append(" > ").append(outbound ? remote : local);
  if (facts_.origin != stack::Origin::Unknown) text.append(" (").append(name_of(facts_.origin)).append(")");
  return text;
}

std::uint64_t connection_of(const Facts& facts) {
  if (facts.protocol != kTcp) return 0;
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325ull;
  mix_address(hash, facts.local);
  mix(hash, facts.local_port);
  mix_address(hash, facts.remote);
  mix(hash, facts.remote_port);
  return hash | 1;  // never zero
}

}  // namespace shim
