#include "src/shim/shim.hpp"

#include <array>
#include <utility>

#include "src/shim/discard_reason.hpp"
#include "src/shim/discard_shim.hpp"
#include "src/shim/ip_shim.hpp"
#include "src/shim/layer_fields.hpp"
#include "src/shim/transport_shim.hpp"

namespace shim {
namespace {

constexpr std::array<std::pair<stack::Hook, LayerPair>, 4> kPacketHooks{{
    {stack::Hook::IpIn, LayerPair::InboundIpPacket},
    {stack::Hook::IpOut, LayerPair::OutboundIpPacket},
    {stack::Hook::TransportIn, LayerPair::InboundTransport},
    {stack::Hook::TransportOut, LayerPair::OutboundTransport},
}};

// What can be told of a packet that never got as far as a hook: its addresses, when IP had been parsed.
std::optional<stack::PacketContext> early_context(const stack::Packet& packet) {
  const stack::PacketMeta& meta = packet.meta();
  if (meta.ip_header_size == 0 || meta.direction != stack::Direction::Inbound) return std::nullopt;
  stack::PacketContext context;
  context.hook = stack::Hook::IpIn;
  context.direction = meta.direction;
  context.family = meta.family;
  context.protocol = meta.protocol;
  context.origin = meta.origin;
  context.local = meta.destination;
  context.remote = meta.source;
  context.loopback = meta.loopback;
  context.ip_header_size = meta.ip_header_size;
  context.transport_header_size = meta.transport_header_size;
  context.interface_index = meta.interface_index;
  context.local_interface_index = meta.interface_index;
  return context;
}

}  // namespace

Shim::Shim(Platform platform, stack::Hooks& hooks, StackHost& host, ShimConfig config)
    : hooks_(hooks),
      host_(host),
      config_(config),
      classifier_(platform.engine, hooks),
      ale_(classifier_, platform.flows, platform.pends) {
  classifier_.engine().set_asked_layers(asked_layers());
  hooks_.set_inspector(this);
  hooks_.set_authorizer(this);
  hooks_.set_discard_observer(this);
  host_.set_layers_handler([this] { rearm(); });
  host_.set_resumed_handler([this](stack::Ticket ticket) { ale_.on_resumed(ticket); });
  rearm();
}

Shim::~Shim() {
  host_.set_layers_handler({});
  host_.set_resumed_handler({});
  hooks_.set_inspector(nullptr);
  hooks_.set_authorizer(nullptr);
  hooks_.set_discard_observer(nullptr);
}

void Shim::set_trace(TraceSink* sink) {
  classifier_.set_sink(sink);
  classifier_.engine().set_tracing(sink != nullptr);
  rearm();
}

void Shim::set_coalescing_handler(std::function<void(CoalescingAllowed)> handler) {
  coalescing_handler_ = std::move(handler);
  if (coalescing_handler_) coalescing_handler_(coalescing_allowed_);
}

void Shim::rearm() {
  for (const auto& [hook, pair] : kPacketHooks)
    for (const auto family : {stack::Family::V4, stack::Family::V6})
      hooks_.arm(hook, family, classifier_.armed(pair, family));
  follow_offload_consent();
}

// What is refused is finished by the stack from now on, also what is under way; the device is told to make no more
// super-frames.
void Shim::follow_offload_consent() {
  const wfp::engine::OffloadConsent& consent = classifier_.engine().offload_consent();
  for (const auto family : {stack::Family::V4, stack::Family::V6}) {
    const auto shown = family == stack::Family::V4 ? wfp::model::IpFamily::V4 : wfp::model::IpFamily::V6;
    hooks_.refuse_offload(stack::Direction::Inbound, family,
                          consent.is_refused(wfp::engine::Offload::Receive, shown));
    hooks_.refuse_offload(stack::Direction::Outbound, family, consent.is_refused(wfp::engine::Offload::Send, shown));
  }
  const CoalescingAllowed allowed{.v4 = !hooks_.refuses_offload(stack::Direction::Inbound, stack::Family::V4),
                                  .v6 = !hooks_.refuses_offload(stack::Direction::Inbound, stack::Family::V6)};
  if (std::exchange(coalescing_allowed_, allowed) != allowed && coalescing_handler_) coalescing_handler_(allowed);
}

stack::EndpointId Shim::shown_endpoint() const {
  return config_.corrected_endpoint_metadata ? host_.control().control_endpoint() : stack::EndpointId{};
}

std::optional<stack::Packet> Shim::inspect(stack::Packet packet, const stack::PacketContext& context) {
  switch (context.hook) {
    case stack::Hook::IpIn:
      return inspect_inbound_ip(classifier_, std::move(packet), context);
    case stack::Hook::IpOut:
      return inspect_outbound_ip(classifier_, std::move(packet), context);
    case stack::Hook::TransportIn:
      return inspect_inbound_transport(classifier_, std::move(packet), context);
    case stack::Hook::TransportOut:
      return inspect_outbound_transport(classifier_, std::move(packet), context, shown_endpoint());
    case stack::Hook::IpForward:
    case stack::Hook::DatagramIn:
    case stack::Hook::DatagramOut:
    case stack::Hook::IcmpErrorIn:
    case stack::Hook::IcmpErrorOut:
      break;  // layers that are not built yet; never armed
  }
  return packet;
}

bool Shim::discarded(const stack::Packet& packet, stack::Drop reason, const stack::PacketContext& context) {
  return show_discarded(classifier_, packet, reason, context);
}

void Shim::discarded_early(const stack::Packet& packet, stack::Drop reason) {
  packet.nbl()->Status = drop_status(reason);
  if (const auto context = early_context(packet)) show_discarded(classifier_, packet, reason, *context);
}

}  // namespace shim
