// INBOUND_TRANSPORT and OUTBOUND_TRANSPORT, V4 and V6. The metadata of the awkward packets comes from Metadata's
// inbound_transport() and outbound_transport(), by one rule: no live endpoint, no handle and no flow.
#pragma once

#include "src/shim/classifier.hpp"

namespace shim {

// Data at the payload (ICMP: its header).
std::optional<stack::Packet> inspect_inbound_transport(Classifier& classifier, stack::Packet packet,
                                                       const stack::PacketContext& context);
// Data at the transport header. `control_endpoint` is zero unless --endpoint-metadata corrected was asked for.
std::optional<stack::Packet> inspect_outbound_transport(Classifier& classifier, stack::Packet packet,
                                                        const stack::PacketContext& context,
                                                        stack::EndpointId control_endpoint);

// The flow whose contexts callouts may have for this packet; zero without a live endpoint, so that a callout
// conditional on flow sees none of the awkward packets.
std::uint64_t flow_of(const stack::PacketContext& context);

}  // namespace shim
