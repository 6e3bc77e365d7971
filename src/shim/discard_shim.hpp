// The discard twins of the transport and IP layers: what the stack gives up is shown there with its reason.
#pragma once

#include "src/shim/classifier.hpp"

namespace shim {

// False: a callout or filter blocked, which silences the protocol's answer (documented: a block at
// INBOUND_TRANSPORT_DISCARD stops the RST, one at INBOUND_IPPACKET_DISCARD the ICMP error).
// An injected packet learns its fate through NBL->Status.
bool show_discarded(Classifier& classifier, const stack::Packet& packet, stack::Drop reason,
                    const stack::PacketContext& context);

}  // namespace shim
