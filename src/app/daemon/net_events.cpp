#include "src/app/daemon/net_events.hpp"

#include <array>

#include "fwpsk.h"
#include "wfp/model/layer.hpp"

namespace app {
namespace {

// The layer whose hook the packet had come to, in the spelling of every other output.
std::string_view layer_at(stack::Hook hook, stack::Family family) {
  struct Pair {
    std::uint16_t v4, v6;
  };
  constexpr std::array<Pair, stack::kHookCount> kLayers{{
      {FWPS_LAYER_INBOUND_IPPACKET_V4, FWPS_LAYER_INBOUND_IPPACKET_V6},
      {FWPS_LAYER_OUTBOUND_IPPACKET_V4, FWPS_LAYER_OUTBOUND_IPPACKET_V6},
      {FWPS_LAYER_IPFORWARD_V4, FWPS_LAYER_IPFORWARD_V6},
      {FWPS_LAYER_INBOUND_TRANSPORT_V4, FWPS_LAYER_INBOUND_TRANSPORT_V6},
      {FWPS_LAYER_OUTBOUND_TRANSPORT_V4, FWPS_LAYER_OUTBOUND_TRANSPORT_V6},
      {FWPS_LAYER_DATAGRAM_DATA_V4, FWPS_LAYER_DATAGRAM_DATA_V6},
      {FWPS_LAYER_DATAGRAM_DATA_V4, FWPS_LAYER_DATAGRAM_DATA_V6},
      {FWPS_LAYER_INBOUND_ICMP_ERROR_V4, FWPS_LAYER_INBOUND_ICMP_ERROR_V6},
      {FWPS_LAYER_OUTBOUND_ICMP_ERROR_V4, FWPS_LAYER_OUTBOUND_ICMP_ERROR_V6},
  }};
  const Pair& pair = kLayers[static_cast<std::size_t>(hook)];
  return wfp::model::layer_name(family == stack::Family::V4 ? pair.v4 : pair.v6);
}

}  // namespace

bool NetEvents::discarded(const stack::Packet& packet, stack::Drop reason, const stack::PacketContext& context) {
  keep({.time = clock_(),
        .reason = stack::name_of(reason),
        .where = layer_at(context.hook, context.family),
        .protocol = context.protocol,
        .direction = context.direction,
        .local = {context.local, context.local_port},
        .remote = {context.remote, context.remote_port},
        .tcp_flags = context.tcp_flags});
  return behind_ == nullptr || behind_->discarded(packet, reason, context);
}

// A clone that could not be sent has the addresses of the packet that it was cloned from.
void NetEvents::discarded_early(const stack::Packet& packet, stack::Drop reason) {
  Event event{.time = clock_(), .reason = stack::name_of(reason)};
  const stack::PacketMeta* meta = nullptr;
  if (packet) meta = packet.parent_meta() != nullptr ? packet.parent_meta() : &packet.meta();
  if (meta != nullptr && meta->protocol != 0) {
    const bool inbound = meta->direction == stack::Direction::Inbound;
    event.protocol = meta->protocol;
    event.direction = meta->direction;
    event.local.address = inbound ? meta->destination : meta->source;
    event.remote.address = inbound ? meta->source : meta->destination;
  }
  keep(event);
  if (behind_ != nullptr) behind_->discarded_early(packet, reason);
}

void NetEvents::classified(const shim::TraceRecord& record) {
  keep({.time = clock_(),
        .reason = stack::name_of(stack::Drop::Blocked),
        .where = record.layer_name,
        .protocol = record.protocol,
        .direction = record.direction,
        .local = record.local,
        .remote = record.remote,
        .tcp_flags = record.tcp_flags,
        .filter_id = record.filter_id,
        .callout_id = record.callout_id});
}

void NetEvents::keep(Event event) {
  if (events_.size() == kKept) {
    events_.pop_front();
    ++forgotten_;
  }
  events_.push_back(event);
}

}  // namespace app
