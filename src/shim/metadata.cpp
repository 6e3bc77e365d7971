#include "src/shim/metadata.hpp"

namespace shim {
namespace {

bool is_live(const stack::EndpointFacts& endpoint) { return endpoint.match == stack::EndpointMatch::Live; }

}  // namespace

void Metadata::set_compartment() {
  present(FWPS_METADATA_FIELD_COMPARTMENT_ID);
  values_.compartmentId = kCompartmentId;
}

void Metadata::set_ip_header(std::uint32_t size) {
  present(FWPS_METADATA_FIELD_IP_HEADER_SIZE);
  values_.ipHeaderSize = size;
}

void Metadata::set_transport_header(std::uint32_t size) {
  present(FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE);
  values_.transportHeaderSize = size;
}

void Metadata::set_endpoint(stack::EndpointId endpoint) {
  present(FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE);
  values_.transportEndpointHandle = endpoint.value;
}

void Metadata::set_parent(stack::EndpointId parent) {
  if (!parent) return;
  present(FWPS_METADATA_FIELD_PARENT_ENDPOINT_HANDLE);
  values_.parentEndpointHandle = parent.value;
}

void Metadata::set_flow(std::uint64_t flow) {
  if (flow == 0) return;
  present(FWPS_METADATA_FIELD_FLOW_HANDLE);
  values_.flowHandle = flow;
}

// Echo request and reply only.
void Metadata::set_icmp(bool has_id, std::uint32_t id_and_sequence) {
  if (!has_id) return;
  present(FWPS_METADATA_FIELD_ICMP_ID_AND_SEQUENCE);
  values_.icmpIdAndSequence = id_and_sequence;
}

void Metadata::set_fragment(const stack::FragmentFacts& fragment) {
  present(FWPS_METADATA_FIELD_FRAGMENT_DATA);
  values_.fragmentMetadata.fragmentIdentification = fragment.id;
  values_.fragmentMetadata.fragmentOffset = static_cast<UINT16>(fragment.offset);
  values_.fragmentMetadata.fragmentLength = fragment.length;
}

// Needed to send to a link-local address; the zone of such an address is its interface.
void Metadata::set_remote_scope(const stack::IpAddress& remote, std::uint32_t interface_index) {
  if (remote.is_v4() || !remote.is_link_local()) return;
  present(FWPS_METADATA_FIELD_REMOTE_SCOPE_ID);
  values_.remoteScopeId.Value = interface_index;
}

void Metadata::set_owner(const stack::Owner* owner) {
  if (owner == nullptr) return;
  present(FWPS_METADATA_FIELD_PROCESS_PATH | FWPS_METADATA_FIELD_TOKEN | FWPS_METADATA_FIELD_PROCESS_ID);
  process_path_.size = static_cast<UINT32>((owner->process_path.size() + 1) * sizeof(char16_t));
  process_path_.data = reinterpret_cast<UINT8*>(const_cast<char16_t*>(owner->process_path.c_str()));
  values_.processPath = &process_path_;
  values_.token = owner->token;
  values_.processId = owner->process_id;
  if (owner->sub_process_tag == 0) return;
  present(FWPS_METADATA_FIELD_SUB_PROCESS_TAG);
  values_.subProcessTag = reinterpret_cast<PVOID>(static_cast<std::uintptr_t>(owner->sub_process_tag));
}

Metadata Metadata::inbound_ip(const stack::PacketContext& context) {
  Metadata metadata;
  metadata.set_ip_header(context.ip_header_size);
  metadata.set_compartment();
  if (context.is_fragment) metadata.set_fragment(context.fragment);
  return metadata;
}

Metadata Metadata::outbound_ip(const stack::PacketContext& context) {
  Metadata metadata;
  metadata.set_ip_header(context.ip_header_size);
  metadata.set_transport_header(context.transport_header_size);
  metadata.set_compartment();
  if (context.path_mtu != 0) {
    metadata.present(FWPS_METADATA_FIELD_PATH_MTU);
    metadata.values_.pathMtu = context.path_mtu;
  }
  return metadata;
}

Metadata Metadata::inbound_transport(const stack::PacketContext& context) {
  Metadata metadata;
  metadata.present(FWPS_METADATA_FIELD_RESERVED);
  metadata.values_.reserved = kOpaqueReserved;
  metadata.set_ip_header(context.ip_header_size);
  metadata.set_transport_header(context.transport_header_size);
  metadata.set_compartment();
  // Without a live endpoint neither handle nor flow is even flagged: 0xc84, also in TIME-WAIT.
  if (is_live(context.endpoint)) {
    metadata.set_endpoint(context.endpoint.endpoint);
    metadata.set_flow(context.endpoint.flow);
  }
  if (context.needs_authorization) metadata.present(FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED);
  metadata.set_icmp(context.has_icmp_id, context.icmp_id_and_sequence);
  return metadata;
}

Metadata Metadata::outbound_transport(const stack::PacketContext& context, stack::EndpointId control_endpoint) {
  Metadata metadata;
  metadata.present(FWPS_METADATA_FIELD_SYSTEM_FLAGS | FWPS_METADATA_FIELD_RESERVED);
  metadata.values_.flags = FWPS_INCOMING_FLAG_CACHE_SAFE;
  metadata.values_.reserved = kOpaqueReserved;
  metadata.set_transport_header(context.transport_header_size);
  metadata.set_compartment();
  // The flag is set in any case. A segment that no endpoint owns shows a zero handle: 0x8cc0.
  metadata.set_endpoint(is_live(context.endpoint) ? context.endpoint.endpoint : control_endpoint);
  if (is_live(context.endpoint)) metadata.set_flow(context.endpoint.flow);
  metadata.set_remote_scope(context.remote, context.interface_index);
  metadata.set_icmp(context.has_icmp_id, context.icmp_id_and_sequence);
  return metadata;
}

Metadata Metadata::resource(const stack::Operation& operation, HANDLE completion) {
  Metadata metadata;
  metadata.set_owner(operation.endpoint.owner);
  metadata.set_endpoint(operation.endpoint.endpoint);
  if (completion != nullptr) {
    metadata.present(FWPS_METADATA_FIELD_COMPLETION_HANDLE);
    metadata.values_.completionHandle = completion;
  }
  return metadata;
}

// What connect and accept have in common.
void Metadata::set_authorization(const stack::Operation& operation, const AuthorizationHandles& handles) {
  set_flow(handles.flow);
  set_owner(operation.endpoint.owner);
  set_compartment();
  set_endpoint(operation.endpoint.endpoint);
  set_parent(operation.endpoint.parent);
  set_icmp(operation.has_icmp_id, operation.icmp_id_and_sequence);
  if (handles.completion != nullptr) {
    present(FWPS_METADATA_FIELD_COMPLETION_HANDLE);
    values_.completionHandle = handles.completion;
  }
  if (handles.reauthorization) {  // documented: present then only; without it each layer has its own direction
    present(FWPS_METADATA_FIELD_PACKET_DIRECTION);
    values_.packetDirection =
        operation.direction == stack::Direction::Outbound ? FWP_DIRECTION_OUTBOUND : FWP_DIRECTION_INBOUND;
  }
}

Metadata Metadata::connect(const stack::Operation& operation, const AuthorizationHandles& handles) {
  Metadata metadata;
  metadata.set_authorization(operation, handles);
  if (operation.transport_header_size != 0) metadata.set_transport_header(operation.transport_header_size);
  metadata.set_remote_scope(operation.remote.address, operation.interface_index);
  return metadata;
}

Metadata Metadata::accept(const stack::Operation& operation, const AuthorizationHandles& handles) {
  Metadata metadata;
  metadata.set_authorization(operation, handles);
  if (operation.direction == stack::Direction::Inbound) metadata.set_ip_header(operation.ip_header_size);
  metadata.set_transport_header(operation.transport_header_size);
  return metadata;
}

Metadata Metadata::established(const stack::Operation& operation, std::uint64_t flow) {
  Metadata metadata;
  metadata.set_flow(flow);
  metadata.set_owner(operation.endpoint.owner);
  metadata.set_endpoint(operation.endpoint.endpoint);
  metadata.set_parent(operation.endpoint.parent);
  metadata.set_icmp(operation.has_icmp_id, operation.icmp_id_and_sequence);
  return metadata;
}

void Metadata::set_discard(FWPS_DISCARD_MODULE0 module, std::uint32_t reason, std::uint64_t filter_id) {
  present(FWPS_METADATA_FIELD_DISCARD_REASON);
  values_.discardMetadata = {module, reason, filter_id};
}

}  // namespace shim
