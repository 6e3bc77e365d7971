// One line of text for any packet: for logs, traces and the verifier. Never fails: what cannot be read is said in
// words.
//   IP 10.77.0.1:34562 > 10.77.0.2:80 TCP [S] seq 1 win 64240 <mss 1460> len 0
//   IP6 fe80::1 > ff02::1:ff00:2 ICMPv6 neighbor solicitation fe80::2
//   ARP who has 10.77.0.2, tell 10.77.0.1 (02:00:00:00:00:01)
#pragma once

#include <string>

#include "stack/base/bytes.hpp"

namespace stack::wire {

std::string format_frame(Bytes ethernet_frame);
std::string format_ip(Bytes ip_packet);  // from the IP header on; as many bytes as there are
// From the transport header on, for a packet whose IP header is not pushed yet or lies elsewhere.
std::string format_transport(std::uint8_t protocol, Bytes bytes);

}  // namespace stack::wire
