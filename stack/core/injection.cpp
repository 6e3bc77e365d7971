#include "stack/core/injection.hpp"

#include "stack/core/config.hpp"
#include "stack/ip/packet_context.hpp"
#include "stack/ip/transport_checksum.hpp"
#include "stack/ip/transport_facts.hpp"
#include "stack/wire/tcp.hpp"
#include "stack/wire/udp.hpp"

namespace stack::core {

InjectionQueue::InjectionQueue(const Parts& parts) : parts_(parts), queue_(parts.config.injection_queue_limit) {
  control_.facts.match = EndpointMatch::Live;
  control_.facts.owner = parts.config.system_owner.get();
  control_.state = "control";
  const auto id = parts_.endpoints.insert(&control_);
  CHECK(id.has_value());
  control_.facts.endpoint = *id;
}

void InjectionQueue::close() {
  while (!queue_.empty()) parts_.ip.hooks.discard(queue_.pop().packet, Drop::Shutdown);
  if (control_.facts.endpoint) parts_.endpoints.erase(std::exchange(control_.facts.endpoint, {}));
}

void InjectionQueue::receive(Packet packet, InterfaceIndex interface_index) {
  Entry entry;
  entry.path = Path::Receive;
  entry.packet = std::move(packet);
  entry.interface_index = interface_index;
  enqueue(std::move(entry));
}

void InjectionQueue::send_transport(Packet packet, EndpointId endpoint, const IpAddress& remote,
                                    std::uint8_t protocol) {
  Entry entry;
  entry.path = Path::Transport;
  entry.packet = std::move(packet);
  entry.endpoint = endpoint;
  entry.remote = remote;
  entry.protocol = protocol;
  enqueue(std::move(entry));
}

void InjectionQueue::send_network(Packet packet) {
  Entry entry;
  entry.path = Path::Network;
  entry.packet = std::move(packet);
  enqueue(std::move(entry));
}

void InjectionQueue::enqueue(Entry entry) {
  if (!queue_.push(std::move(entry))) parts_.ip.hooks.discard(std::move(entry.packet), Drop::SendQueueFull);
}

std::size_t InjectionQueue::drain(std::size_t limit, Instant now) {
  std::size_t count = 0;
  for (; count < limit && !queue_.empty(); ++count) {
    Entry entry = queue_.pop();
    Stats& stats = parts_.ip.hooks.stats();
    ++(entry.path == Path::Receive ? stats.injected_in : stats.injected_out);
    if (!mark(entry.packet)) {
      parts_.ip.hooks.discard(std::move(entry.packet), Drop::InjectionHopLimit);
      continue;
    }
    switch (entry.path) {
      case Path::Receive:
        run_receive(std::move(entry), now);
        break;
      case Path::Transport:
        run_transport(std::move(entry), now);
        break;
      case Path::Network:
        parts_.output.send_with_header(std::move(entry.packet), now);
        break;
    }
  }
  return count;
}

// A clone starts with empty metadata: what it inherits from its parent is taken here.
bool InjectionQueue::mark(Packet& packet) {
  PacketMeta& meta = packet.meta();
  std::uint8_t hops = meta.injection_hops;
  if (const PacketMeta* parent = packet.parent_meta()) {
    hops = std::max(hops, parent->injection_hops);
    meta.loopback = parent->loopback;
    meta.link_broadcast = parent->link_broadcast;
    meta.hop_limit = parent->hop_limit;
    meta.traffic_class = parent->traffic_class;
    meta.source = parent->source;
  }
  meta.origin = Origin::Injected;
  if (hops >= parts_.config.injection_hop_limit) return false;
  meta.injection_hops = static_cast<std::uint8_t>(hops + 1);
  return true;
}

void InjectionQueue::run_receive(Entry entry, Instant now) {
  if (entry.packet.empty() || parts_.ip.interfaces.find(entry.interface_index) == nullptr)
    return parts_.ip.hooks.discard(std::move(entry.packet), Drop::InjectionInvalid);
  PacketMeta& meta = entry.packet.meta();
  meta.interface_index = entry.interface_index;
  meta.loopback = parts_.ip.interfaces.find(entry.interface_index)->is_loopback();
  meta.received_at = now;
  meta.reassembled = false;
  parts_.input.receive(std::move(entry.packet), now);
}

std::optional<IpAddress> InjectionQueue::source_for(const Entry& entry, const ip::EndpointRecord& record) const {
  const bool is_bound = !record.local.address.is_unspecified();
  if (is_bound && entry.endpoint != control_endpoint()) return record.local.address;
  const IpAddress& cloned = entry.packet.meta().source;  // of the packet that a driver has cloned
  if (cloned.family() == entry.remote.family() && parts_.ip.addresses.is_own_unicast(cloned)) return cloned;
  return std::nullopt;
}

void InjectionQueue::run_transport(Entry entry, Instant now) {
  const ip::EndpointRecord* record = parts_.endpoints.find(entry.endpoint);
  if (record == nullptr) return parts_.ip.hooks.discard(std::move(entry.packet), Drop::EndpointGone);
  const bool is_control = entry.endpoint == control_endpoint();
  const auto route = parts_.output.route(entry.remote, source_for(entry, *record));
  Packet packet = std::move(entry.packet);
  ip::SendFacts facts;
  facts.protocol = is_control ? entry.protocol : record->protocol;
  if (!ip::has_checksum_field(facts.protocol, packet.size()))
    return parts_.ip.hooks.discard(std::move(packet), Drop::InjectionInvalid);
  if (!route) return parts_.ip.hooks.discard(std::move(packet), route.drop());
  facts.source = route->source;
  facts.destination = entry.remote;
  facts.traffic_class = packet.meta().traffic_class;
  facts.hop_limit = packet.meta().hop_limit;
  facts.dont_fragment = facts.protocol == wire::kProtocolTcp;
  facts.origin = Origin::Injected;
  facts.endpoint = record->facts;
  ip::read_transport_facts(packet, facts);
  ip::fill_outbound_meta(packet.meta(), facts, *route);
  // The checksum is made anew, whatever the driver changed; large sends keep their partial one for the link.
  const bool is_icmp = facts.protocol != wire::kProtocolTcp && facts.protocol != wire::kProtocolUdp;
  if (!ip::set_partial_checksum(packet) || (is_icmp && !ip::finish_checksum(packet, 0)))
    return parts_.ip.hooks.discard(std::move(packet), Drop::NoBuffers);
  if (facts.protocol == wire::kProtocolUdp && !is_control)
    return parts_.udp.send_injected(std::move(packet), entry.endpoint, facts, *route, now);
  parts_.output.send(std::move(packet), facts, *route, now);
}

}  // namespace stack::core
