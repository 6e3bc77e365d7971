#include "stack/ip/packet_context.hpp"

namespace stack::ip {
namespace {

// The interface that has the local address; for a group or a broadcast address, the one that the packet passes.
InterfaceIndex local_interface(const IpAddress& local, InterfaceIndex passing, const AddressTable& addresses) {
  const InterfaceIndex own = addresses.interface_of(local);
  return own != 0 ? own : passing;
}

PacketContext common_context(Hook hook, const PacketMeta& meta) {
  PacketContext context;
  context.hook = hook;
  context.direction = meta.direction;
  context.family = meta.family;
  context.protocol = meta.protocol;
  context.origin = meta.origin;
  context.loopback = meta.loopback;
  context.is_reassembled = meta.reassembled;
  context.transport_header_size = meta.transport_header_size;
  context.interface_index = meta.interface_index;
  context.hop_limit = meta.hop_limit;
  return context;
}

}  // namespace

PacketContext make_inbound_context(Hook hook, const PacketMeta& meta, const AddressTable& addresses) {
  PacketContext context = common_context(hook, meta);
  context.local = meta.destination;
  context.remote = meta.source;
  context.local_kind = addresses.kind_of(meta.destination, meta.interface_index);
  context.remote_kind = addresses.kind_of(meta.source, meta.interface_index);
  context.ip_header_size = meta.ip_header_size;
  context.local_interface_index = local_interface(meta.destination, meta.interface_index, addresses);
  return context;
}

PacketContext make_outbound_context(Hook hook, const PacketMeta& meta, const SendFacts& facts, const Route& route,
                                    const AddressTable& addresses) {
  PacketContext context = common_context(hook, meta);
  context.local = facts.source;
  context.remote = facts.destination;
  context.local_kind = addresses.kind_of(facts.source, route.interface_index);
  context.remote_kind = route.remote_kind;
  context.local_port = facts.local_port;
  context.remote_port = facts.remote_port;
  context.icmp_type = facts.icmp_type;
  context.icmp_code = facts.icmp_code;
  context.icmp_id_and_sequence = facts.icmp_id_and_sequence;
  context.has_icmp_id = facts.has_icmp_id;
  context.tcp_flags = facts.tcp_flags;
  context.endpoint = facts.endpoint;
  context.local_interface_index = local_interface(facts.source, route.interface_index, addresses);
  return context;
}

void fill_outbound_meta(PacketMeta& meta, const SendFacts& facts, const Route& route) {
  meta.origin = facts.origin;
  meta.direction = Direction::Outbound;
  meta.family = facts.destination.family();
  meta.protocol = facts.protocol;
  meta.loopback = route.loopback;
  meta.hop_limit = facts.hop_limit;
  meta.traffic_class = facts.traffic_class;
  meta.interface_index = route.interface_index;
  meta.ip_header_size = 0;
  meta.transport_header_size = facts.transport_header_size;
  meta.source = facts.source;
  meta.destination = facts.destination;
}

Operation make_flow_operation(const PacketContext& context) {
  Operation operation;
  operation.family = context.family;
  operation.protocol = context.protocol;
  operation.local = {context.local, context.local_port};
  operation.remote = {context.remote, context.remote_port};
  operation.local_kind = context.local_kind;
  operation.remote_kind = context.remote_kind;
  operation.icmp_type = context.icmp_type;
  operation.icmp_code = context.icmp_code;
  operation.icmp_id_and_sequence = context.icmp_id_and_sequence;
  operation.has_icmp_id = context.has_icmp_id;
  operation.direction = context.direction;
  operation.loopback = context.loopback;
  operation.ip_header_size = context.ip_header_size;
  operation.transport_header_size = context.transport_header_size;
  operation.interface_index = context.interface_index;
  operation.local_interface_index = context.local_interface_index;
  operation.endpoint = context.endpoint;
  operation.tcp_flags = context.tcp_flags;
  return operation;
}

}  // namespace stack::ip
