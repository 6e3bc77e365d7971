// What a packet injected into the receive path can be accused of once the stack's own facts are at hand: where its
// original came in, and which interfaces there are. What the call itself shows is checked in wfp/inject/check_call.
//
// Processor's thread, in the driver's name. Rules: INJ-WRONG-INTERFACE, INJ-UNALIGNED-HEADER. Nothing is refused: the
// call has returned long ago, and a packet for no interface is dropped by the stack. Source: documented
// FwpsInjectNetworkReceiveAsync0 and the documented considerations for callout drivers.
#pragma once

#include "src/shim/stack_host.hpp"
#include "stack/packet/packet.hpp"

namespace shim {

// Data at the IP header.
void check_received(const stack::Packet& packet, const wfp::InjectRequest& request, const StackControl& control);

}  // namespace shim
