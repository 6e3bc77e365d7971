// Reads from a transport header what a sender would have said about it: for packets that come from outside.
#pragma once

#include "stack/ip/ip_sender.hpp"

namespace stack::ip {

// Data at the transport header of facts.protocol. Fills ports, flags, ICMP numbers and transport_header_size, as far
// as the header can be read.
void read_transport_facts(Packet& packet, SendFacts& facts);

// The same for a packet on its way in that a hook sees before its transport does: ports, flags and ICMP numbers of
// context.protocol, so that a trace names the packet in full.
void read_transport_facts(Packet& packet, PacketContext& context);

}  // namespace stack::ip
