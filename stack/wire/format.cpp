#include "stack/wire/format.hpp"

#include <algorithm>
#include <cstdio>

#include "stack/wire/arp.hpp"
#include "stack/wire/ethernet.hpp"
#include "stack/wire/icmpv4.hpp"
#include "stack/wire/icmpv6.hpp"
#include "stack/wire/ipv4.hpp"
#include "stack/wire/ipv6.hpp"
#include "stack/wire/ipv6_ext.hpp"
#include "stack/wire/ndp.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::wire {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string mac_text(const MacAddress& mac) {
  char text[18];
  const auto at = [&mac](std::size_t i) { return std::to_integer<unsigned>(mac.bytes[i]); };
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", at(0), at(1), at(2), at(3), at(4), at(5));
  return text;
}

std::string bad(std::string_view what, Drop drop) {
  return std::string{what} + " (" + std::string{name_of(drop)} + ")";
}

std::string flags_text(const TcpView& tcp) {
  std::string text = "[";
  const auto flag = [&text](bool set, char letter) {
    if (set) text += letter;
  };
  flag(tcp.syn(), 'S');
  flag(tcp.fin(), 'F');
  flag(tcp.rst(), 'R');
  flag(tcp.psh(), 'P');
  flag(tcp.urg(), 'U');
  flag(tcp.ece(), 'E');
  flag(tcp.cwr(), 'W');
  flag(tcp.ack(), '.');
  return text + "]";
}

std::string options_text(const TcpOptions& options) {
  std::string text;
  const auto item = [&text](const std::string& words) { text += (text.empty() ? " <" : ",") + words; };
  if (options.mss) item("mss " + number(*options.mss));
  if (options.sack_permitted) item("sackOK");
  if (options.timestamps)
    item("TS " + number(options.timestamps->value) + " ecr " + number(options.timestamps->echo));
  if (options.window_scale) item("wscale " + number(*options.window_scale));
  for (const SackBlock& block : options.sack_blocks())
    item("sack " + number(block.left.value()) + ":" + number(block.right.value()));
  if (options.malformed) item("malformed");
  return text.empty() ? text : text + ">";
}

std::string tcp_text(Bytes bytes, std::size_t available) {
  const auto tcp = TcpView::parse(bytes);
  if (!tcp) return bad("TCP", tcp.drop());
  std::string text = "TCP " + flags_text(*tcp) + " seq " + number(tcp->seq().value());
  if (tcp->ack()) text += " ack " + number(tcp->ack_number().value());
  if (tcp->urg()) text += " urg " + number(tcp->urgent_pointer());
  return text + " win " + number(tcp->window()) + options_text(tcp->options()) + " len " +
         number(available - std::min(available, tcp->header_size()));
}

std::string udp_text(Bytes bytes, std::size_t available) {
  const auto udp = UdpView::parse(bytes, available);
  return udp ? "UDP len " + number(udp->payload_size()) : bad("UDP", udp.drop());
}

std::string echo_text(const char* name, const IcmpView& icmp, std::size_t available) {
  return name + (" id " + number(icmp.echo_id())) + " seq " + number(icmp.echo_sequence()) + " len " +
         number(available - std::min(available, IcmpView::kHeaderSize));
}

std::string other_text(const char* name, const IcmpView& icmp) {
  return name + (" type " + number(icmp.type())) + " code " + number(icmp.code());
}

std::string icmpv4_text(Bytes bytes, std::size_t available) {
  const auto icmp = IcmpView::parse(bytes);
  if (!icmp) return bad("ICMP", icmp.drop());
  switch (icmp->type()) {
    case icmpv4::kEcho:
      return echo_text("ICMP echo request", *icmp, available);
    case icmpv4::kEchoReply:
      return echo_text("ICMP echo reply", *icmp, available);
    case icmpv4::kUnreachable:
      if (icmp->code() == icmpv4::kFragmentationNeeded)
        return "ICMP fragmentation needed, mtu " + number(icmpv4::next_hop_mtu(*icmp));
      if (icmp->code() == icmpv4::kPort) return "ICMP port unreachable";
      if (icmp->code() == icmpv4::kHost) return "ICMP host unreachable";
      if (icmp->code() == icmpv4::kProtocol) return "ICMP protocol unreachable";
      return other_text("ICMP unreachable", *icmp);
    case icmpv4::kTimeExceeded:
      return other_text("ICMP time exceeded", *icmp);
    default:
      return other_text("ICMP", *icmp);
  }
}

std::string ndp_target_text(const char* name, Bytes bytes) {
  const auto message = NeighborView::parse(bytes);
  return message ? name + (" " + message->target().to_string()) : bad(name, message.drop());
}

std::string icmpv6_text(Bytes bytes, std::size_t available) {
  const auto icmp = IcmpView::parse(bytes);
  if (!icmp) return bad("ICMPv6", icmp.drop());
  switch (icmp->type()) {
    case icmpv6::kEcho:
      return echo_text("ICMPv6 echo request", *icmp, available);
    case icmpv6::kEchoReply:
      return echo_text("ICMPv6 echo reply", *icmp, available);
    case icmpv6::kPacketTooBig:
      return "ICMPv6 packet too big, mtu " + number(icmp->rest());
    case icmpv6::kUnreachable:
      if (icmp->code() == icmpv6::kPort) return "ICMPv6 port unreachable";
      if (icmp->code() == icmpv6::kAddress) return "ICMPv6 address unreachable";
      return other_text("ICMPv6 unreachable", *icmp);
    case icmpv6::kNeighborSolicit:
      return ndp_target_text("ICMPv6 neighbor solicitation", bytes);
    case icmpv6::kNeighborAdvert:
      return ndp_target_text("ICMPv6 neighbor advertisement", bytes);
    case icmpv6::kRouterSolicit:
      return "ICMPv6 router solicitation";
    case icmpv6::kRouterAdvert:
      return "ICMPv6 router advertisement";
    default:
      return other_text("ICMPv6", *icmp);
  }
}

std::string transport_text(std::uint8_t protocol, Bytes bytes, std::size_t available) {
  switch (protocol) {
    case kProtocolTcp:
      return tcp_text(bytes, available);
    case kProtocolUdp:
      return udp_text(bytes, available);
    case kProtocolIcmp:
      return icmpv4_text(bytes, available);
    case kProtocolIcmpv6:
      return icmpv6_text(bytes, available);
    default:
      return "protocol " + number(protocol) + " len " + number(available);
  }
}

// Ports stand beside the addresses where the protocol has them and its first four bytes are there.
std::string ends_text(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol, Bytes transport) {
  if ((protocol == kProtocolTcp || protocol == kProtocolUdp) && transport.size() >= 4)
    return SocketAddress{source, load_be16(transport, 0)}.to_string() + " > " +
           SocketAddress{destination, load_be16(transport, 2)}.to_string();
  return source.to_string() + " > " + destination.to_string();
}

std::string fragment_text(std::uint32_t id, std::size_t offset, bool more) {
  return " fragment id " + number(id) + " offset " + number(offset) + (more ? "+" : "");
}

std::string ipv4_text(Bytes packet) {
  const auto ip = Ipv4View::parse_quoted(packet);
  if (!ip) return bad("IP", ip.drop());
  const std::size_t there = std::min(packet.size(), ip->total_length());
  const Bytes payload = packet.subspan(ip->header_size(), there - ip->header_size());
  if (ip->fragment_offset() != 0)
    return "IP " + ends_text(ip->source(), ip->destination(), 0, {}) +
           fragment_text(ip->identification(), ip->fragment_offset(), ip->more_fragments()) + " len " +
           number(ip->payload_size());
  return "IP " + ends_text(ip->source(), ip->destination(), ip->protocol(), payload) +
         (ip->more_fragments() ? fragment_text(ip->identification(), 0, true) : "") + " " +
         transport_text(ip->protocol(), payload, ip->payload_size());
}

std::string ipv6_text(Bytes packet) {
  const auto ip = Ipv6View::parse_quoted(packet);
  if (!ip) return bad("IP6", ip.drop());
  const auto chain = Ipv6Chain::walk(packet);
  if (chain.verdict != Ipv6Chain::Verdict::Ok || chain.offset > packet.size())
    return "IP6 " + ends_text(ip->source(), ip->destination(), 0, {}) + " bad extension header";
  const std::size_t end = Ipv6View::kHeaderSize + ip->payload_size();
  const std::size_t available = end - std::min(end, chain.offset);
  const Bytes payload = packet.subspan(chain.offset, std::min(packet.size() - chain.offset, available));
  const std::string fragment =
      chain.fragment ? fragment_text(chain.fragment->id, chain.fragment->offset, chain.fragment->more) : "";
  if (chain.fragment && chain.fragment->offset != 0)
    return "IP6 " + ends_text(ip->source(), ip->destination(), 0, {}) + fragment + " len " + number(available);
  return "IP6 " + ends_text(ip->source(), ip->destination(), chain.protocol, payload) + fragment + " " +
         transport_text(chain.protocol, payload, available);
}

std::string arp_text(Bytes packet) {
  const auto arp = ArpView::parse(packet);
  if (!arp) return bad("ARP", arp.drop());
  const std::string sender = arp->sender_ip().to_string() + " (" + mac_text(arp->sender_mac()) + ")";
  if (arp->operation() == ArpOperation::Request)
    return "ARP who has " + arp->target_ip().to_string() + ", tell " + sender;
  return "ARP " + arp->sender_ip().to_string() + " is at " + mac_text(arp->sender_mac());
}

}  // namespace

std::string format_frame(Bytes ethernet_frame) {
  const auto ethernet = EthernetView::parse(ethernet_frame);
  if (!ethernet) return bad("Ethernet", ethernet.drop());
  const Bytes payload = ethernet_frame.subspan(EthernetView::kHeaderSize);
  switch (ethernet->ether_type()) {
    case kEtherTypeIpv4:
    case kEtherTypeIpv6:
      return format_ip(payload);
    case kEtherTypeArp:
      return arp_text(payload);
    default: {
      char type[8];
      std::snprintf(type, sizeof type, "0x%04x", unsigned{ethernet->ether_type()});
      return "Ethernet " + mac_text(ethernet->source()) + " > " + mac_text(ethernet->destination()) + " type " +
             type + " len " + number(payload.size());
    }
  }
}

std::string format_ip(Bytes ip_packet) {
  if (ip_packet.empty()) return "IP (truncated_header)";
  return load_u8(ip_packet, 0) >> 4 == 6 ? ipv6_text(ip_packet) : ipv4_text(ip_packet);
}

std::string format_transport(std::uint8_t protocol, Bytes bytes) {
  return transport_text(protocol, bytes, bytes.size());
}

}  // namespace stack::wire
