// INBOUND_IPPACKET and OUTBOUND_IPPACKET, V4 and V6.
#pragma once

#include "src/shim/classifier.hpp"

namespace shim {

// Data at the transport header inbound, at the IP header outbound. A fragment is shown twice before reassembly, the
// second time with IS_FRAGMENT, and the whole once more with IS_REASSEMBLED: the stack calls for each.
std::optional<stack::Packet> inspect_inbound_ip(Classifier& classifier, stack::Packet packet,
                                                const stack::PacketContext& context);
std::optional<stack::Packet> inspect_outbound_ip(Classifier& classifier, stack::Packet packet,
                                                 const stack::PacketContext& context);

}  // namespace shim
