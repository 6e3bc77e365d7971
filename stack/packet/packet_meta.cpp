#include "stack/packet/packet_meta.hpp"

namespace stack {

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::Unknown:
      return "unknown";
    case Origin::Received:
      return "received";
    case Origin::Injected:
      return "injected";
    case Origin::TcpSyn:
      return "tcp.syn";
    case Origin::TcpData:
      return "tcp.data";
    case Origin::TcpAck:
      return "tcp.ack";
    case Origin::TcpReset:
      return "tcp.reset";
    case Origin::TcpAbort:
      return "tcp.abort";
    case Origin::TcpTimeWait:
      return "tcp.time_wait";
    case Origin::TcpCookie:
      return "tcp.cookie";
    case Origin::UdpData:
      return "udp.data";
    case Origin::IcmpEcho:
      return "icmp.echo";
    case Origin::IcmpError:
      return "icmp.error";
    case Origin::Neighbor:
      return "neighbor";
  }
  return "unknown";
}

}  // namespace stack
