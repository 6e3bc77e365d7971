#include "src/shim/stack_host.hpp"

#include <algorithm>

#include "nt/ntstatus.h"
#include "src/shim/injection_checks.hpp"
#include "ws2def.h"

namespace shim {
namespace {

stack::IpAddress remote_of(const wfp::InjectRequest& request) {
  const stack::Bytes bytes{reinterpret_cast<const std::byte*>(request.remote_address), 16};
  return request.address_family == AF_INET6 ? stack::IpAddress::v6(bytes) : stack::IpAddress::v4(bytes.first(4));
}

constexpr std::uint32_t kMaxHops = 255;

}  // namespace

void StackHost::inject(const wfp::InjectRequest& request) {
  NET_BUFFER_LIST& nbl = *request.nbl;
  nbl.Status = STATUS_SUCCESS;  // whoever drops it says otherwise
  stack::Packet packet = stack::Packet::take(request.nbl);
  stack::PacketMeta& meta = packet.meta();
  meta.origin = stack::Origin::Injected;
  // The mark counts this injection already, the stack counts it when it processes the packet.
  const std::uint32_t hops = wfp::ndis::injection_mark(nbl).hops;
  meta.injection_hops = static_cast<std::uint8_t>(std::min(hops == 0 ? 0 : hops - 1, kMaxHops));
  switch (request.path) {
    case wfp::InjectPath::NetworkReceive:
    case wfp::InjectPath::TransportReceive:
      meta.direction = stack::Direction::Inbound;
      check_received(packet, request, control_);
      injector_.receive(std::move(packet), request.interface_index);
      return;
    case wfp::InjectPath::NetworkSend:
      meta.direction = stack::Direction::Outbound;
      injector_.send_network(std::move(packet));
      return;
    case wfp::InjectPath::TransportSend:
      meta.direction = stack::Direction::Outbound;
      send_transport(std::move(packet), request);
      return;
  }
}

// The stack's own limit on hops is what drops it, counts it and shows it, as if it had come that far.
void StackHost::drop_looping(const wfp::InjectRequest& request) {
  stack::Packet packet = stack::Packet::take(request.nbl);
  packet.meta().origin = stack::Origin::Injected;
  packet.meta().injection_hops = static_cast<std::uint8_t>(kMaxHops);
  injector_.send_network(std::move(packet));
}

// The call does not say which transport the packet is of. A clone's original knows; for a packet that a driver made
// itself the endpoint that it is sent for does.
void StackHost::send_transport(stack::Packet packet, const wfp::InjectRequest& request) {
  const stack::EndpointId endpoint{request.endpoint};
  const stack::PacketMeta* parent = packet.parent_meta();
  const bool is_known = parent != nullptr && parent->protocol != 0;
  const std::uint8_t protocol = is_known ? parent->protocol : control_.protocol_of(endpoint);
  injector_.send_transport(std::move(packet), endpoint, remote_of(request), protocol);
}

void StackHost::resume(std::uint64_t ticket) {
  control_.resume(ticket);
  if (resumed_handler_) resumed_handler_(ticket);
}

void StackHost::layers_changed() {
  executor_.post([this] {
    if (layers_handler_) layers_handler_();
  });
}

}  // namespace shim
