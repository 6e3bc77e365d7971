// Decides what an Ethernet frame is: for whom, and for which protocol. Pure.
#pragma once

#include "stack/base/result.hpp"
#include "stack/packet/packet.hpp"

namespace stack::link {

enum class FrameKind : std::uint8_t { Ipv4, Ipv6, Arp };

struct Demuxed {
  FrameKind kind{};
  bool to_group = false;  // broadcast or multicast: nobody answers such a packet with an error
};

// Data at the Ethernet header. TruncatedHeader; NotForUs: another host's unicast address; UnknownEtherType. Groups
// are not filtered here: IP knows which ones are listened to.
Result<Demuxed> demux(Packet& frame, const MacAddress& own);

}  // namespace stack::link
