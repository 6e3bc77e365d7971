#include "stack/ip/transport_facts.hpp"

#include <algorithm>

#include "stack/ip/transport_checksum.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::ip {
namespace {

bool is_echo(const SendFacts& facts) {
  if (facts.protocol == wire::kProtocolIcmp)
    return facts.icmp_type == wire::icmpv4::kEcho || facts.icmp_type == wire::icmpv4::kEchoReply;
  return facts.icmp_type == wire::icmpv6::kEcho || facts.icmp_type == wire::icmpv6::kEchoReply;
}

}  // namespace

void read_transport_facts(Packet& packet, SendFacts& facts) {
  const Bytes head = packet.head(std::min<std::size_t>(packet.size(), wire::TcpView::kMaxHeaderSize));
  if (facts.protocol == wire::kProtocolTcp) {
    if (const auto tcp = wire::TcpView::parse(head)) {
      facts.local_port = tcp->src_port();
      facts.remote_port = tcp->dst_port();
      facts.tcp_flags = tcp->flags();
      facts.transport_header_size = static_cast<std::uint32_t>(tcp->header_size());
    }
  } else if (facts.protocol == wire::kProtocolUdp) {
    if (const auto udp = wire::UdpView::parse(head, packet.size())) {
      facts.local_port = udp->src_port();
      facts.remote_port = udp->dst_port();
      facts.transport_header_size = wire::UdpView::kHeaderSize;
    }
  } else if (checksum_offset(facts.protocol) != 0 && head.size() >= wire::IcmpView::kHeaderSize) {
    facts.icmp_type = load_u8(head, 0);
    facts.icmp_code = load_u8(head, 1);
    facts.has_icmp_id = is_echo(facts);
    if (facts.has_icmp_id) facts.icmp_id_and_sequence = load_be32(head, 4);
    facts.transport_header_size = wire::IcmpView::kHeaderSize;
  }
}

void read_transport_facts(Packet& packet, PacketContext& context) {
  SendFacts facts;
  facts.protocol = context.protocol;
  read_transport_facts(packet, facts);
  context.local_port = facts.remote_port;  // the header's sender is the other side
  context.remote_port = facts.local_port;
  context.tcp_flags = facts.tcp_flags;
  context.icmp_type = facts.icmp_type;
  context.icmp_code = facts.icmp_code;
  context.icmp_id_and_sequence = facts.icmp_id_and_sequence;
  context.has_icmp_id = facts.has_icmp_id;
}

}  // namespace stack::ip
