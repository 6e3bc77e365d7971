#include "src/shim/discard_shim.hpp"

#include "src/shim/discard_reason.hpp"
#include "src/shim/transport_shim.hpp"

namespace shim {
namespace {

struct Place {
  LayerPair pair;
  bool at_transport;
};

// The datagram and ICMP error layers are not built yet; what is given up there has no twin to be shown at.
std::optional<Place> place_of(stack::Hook hook) {
  switch (hook) {
    case stack::Hook::IpIn:
      return Place{LayerPair::InboundIpPacket, false};
    case stack::Hook::IpOut:
      return Place{LayerPair::OutboundIpPacket, false};
    case stack::Hook::TransportIn:
      return Place{LayerPair::InboundTransport, true};
    case stack::Hook::TransportOut:
      return Place{LayerPair::OutboundTransport, true};
    default:
      return std::nullopt;
  }
}

Metadata metadata_of(LayerPair pair, const stack::PacketContext& context) {
  switch (pair) {
    case LayerPair::InboundIpPacket:
      return Metadata::inbound_ip(context);
    case LayerPair::OutboundIpPacket:
      return Metadata::outbound_ip(context);
    case LayerPair::InboundTransport:
      return Metadata::inbound_transport(context);
    default:
      return Metadata::outbound_transport(context, {});
  }
}

// What an injection completes with when its packet ends here. A received packet that reached its transport was
// delivered: that TCP has no use for a second copy of a segment is not the injection's failure.
NTSTATUS outcome(stack::Drop reason, const stack::PacketContext& context) {
  const bool was_judged = reason == stack::Drop::Blocked || reason == stack::Drop::AuthorizationDenied;
  const bool was_delivered = context.hook == stack::Hook::TransportIn && !was_judged;
  return was_delivered ? STATUS_SUCCESS : drop_status(reason);
}

}  // namespace

bool show_discarded(Classifier& classifier, const stack::Packet& packet, stack::Drop reason,
                    const stack::PacketContext& context) {
  packet.nbl()->Status = outcome(reason, context);
  const auto place = place_of(context.hook);
  if (!place || !classifier.discard_armed(place->pair, context.family)) return true;

  const Facts facts = facts_of(context);
  Values values(place->pair, facts, classifier.interfaces());
  values.set_layer(discard_layer_id(place->pair, context.family));
  Metadata metadata = metadata_of(place->pair, context);
  const DiscardReason why = discard_reason(reason, place->at_transport);
  metadata.set_discard(why.module, why.reason, 0);
  const Classifier::Question question{place->pair, facts,        values,
                                      metadata,    packet.nbl(), place->at_transport ? flow_of(context) : 0};
  const auto result = classifier.ask(question);
  classifier.trace(question, result, false);
  return result.verdict == wfp::engine::Verdict::Permit;
}

}  // namespace shim
