#include "src/shim/transport_shim.hpp"

namespace shim {

std::uint64_t flow_of(const stack::PacketContext& context) {
  return context.endpoint.match == stack::EndpointMatch::Live ? context.endpoint.flow : 0;
}

std::optional<stack::Packet> inspect_inbound_transport(Classifier& classifier, stack::Packet packet,
                                                       const stack::PacketContext& context) {
  return classifier.judge(LayerPair::InboundTransport, std::move(packet), facts_of(context),
                          Metadata::inbound_transport(context), flow_of(context));
}

std::optional<stack::Packet> inspect_outbound_transport(Classifier& classifier, stack::Packet packet,
                                                        const stack::PacketContext& context,
                                                        stack::EndpointId control_endpoint) {
  return classifier.judge(LayerPair::OutboundTransport, std::move(packet), facts_of(context),
                          Metadata::outbound_transport(context, control_endpoint), flow_of(context));
}

}  // namespace shim
