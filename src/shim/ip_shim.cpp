#include "src/shim/ip_shim.hpp"

namespace shim {

// The IP layers know no flow: a packet belongs to one only after the transport has found it.
std::optional<stack::Packet> inspect_inbound_ip(Classifier& classifier, stack::Packet packet,
                                                const stack::PacketContext& context) {
  return classifier.judge(LayerPair::InboundIpPacket, std::move(packet), facts_of(context),
                          Metadata::inbound_ip(context), 0);
}

std::optional<stack::Packet> inspect_outbound_ip(Classifier& classifier, stack::Packet packet,
                                                 const stack::PacketContext& context) {
  return classifier.judge(LayerPair::OutboundIpPacket, std::move(packet), facts_of(context),
                          Metadata::outbound_ip(context), 0);
}

}  // namespace shim
