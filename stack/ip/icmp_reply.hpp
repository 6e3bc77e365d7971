// ICMP errors that this host sends about packets it received (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3.2, RFC 4443 2.4).
// Never about ICMP errors, groups, broadcasts, IPv4 fragments behind the first or sources that are no single host; and
// limited in rate. An error passes the hooks IcmpErrorOut, TransportOut and IpOut.
#pragma once

#include <cstdint>

#include "stack/base/token_bucket.hpp"
#include "stack/ip/ip_header.hpp"
#include "stack/ip/output.hpp"

namespace stack::ip {

enum class IcmpError : std::uint8_t {
  PortUnreachable,
  ProtocolUnreachable,  // IPv6: parameter problem, unknown next header; `parameter` is its offset
  ReassemblyTimeExceeded,
  ParameterProblem,  // `code` and `parameter`: the offset of the octet
};

struct IcmpErrorDetail {
  IcmpError error{};
  std::uint8_t code = 0;
  std::uint32_t parameter = 0;
  bool answer_multicast = false;  // RFC 4443 2.4 (e.3): a parameter problem that is reported about groups, too
};

class IcmpReply {
 public:
  static constexpr std::size_t kMaxV4 = 576;   // RFC 1812 4.3.2.3: the whole error datagram
  static constexpr std::size_t kMaxV6 = 1280;  // RFC 4443 2.4 (c)

  IcmpReply(const IpParts& parts, Output& output, std::uint32_t per_second, std::uint32_t burst)
      : parts_(parts), output_(output), limit_(per_second, burst) {}

  // `offending` is a received packet with its data at the IP header; the caller has not yet given it up or keeps a
  // share. Sends the error when one is due; the packet itself is only read.
  void send(const IcmpErrorDetail& detail, const Packet& offending, Instant now);

 private:
  bool is_due(const IcmpErrorDetail& detail, const Packet& offending) const;
  Packet build(const IcmpErrorDetail& detail, const Packet& offending, Family family);

  IpParts parts_;
  Output& output_;
  TokenBucket limit_;
};

}  // namespace stack::ip
