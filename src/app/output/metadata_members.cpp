#include "src/app/output/metadata_members.hpp"

#include <array>
#include <cstddef>
#include <cstring>

namespace app::output {
namespace {

using Kind = MemberKind;

#define MEMBER(name, type, kind, bit)                                        \
  MetadataMember {                                                           \
#name, type, offsetof(FWPS_INCOMING_METADATA_VALUES0, name),             \
        sizeof FWPS_INCOMING_METADATA_VALUES0{}.name, Kind::kind, false, bit \
  }
#define L2_MEMBER(name, type, kind, bit)                                    \
  MetadataMember {                                                          \
#name, type, offsetof(FWPS_INCOMING_METADATA_VALUES0, name),            \
        sizeof FWPS_INCOMING_METADATA_VALUES0{}.name, Kind::kind, true, bit \
  }

constexpr std::string_view kUint = "unsigned int", kUlong = "unsigned long", kUint64 = "unsigned __int64",
                           kUshort = "unsigned short", kPointer = "void *";

constexpr std::array kMembers{
    MEMBER(currentMetadataValues, kUint, Handle, 0),
    MEMBER(flags, kUint, Number, FWPS_METADATA_FIELD_SYSTEM_FLAGS),
    MEMBER(reserved, kUint64, Handle, FWPS_METADATA_FIELD_RESERVED),
    MEMBER(discardMetadata, "FWPS_DISCARD_METADATA0_", Discard, FWPS_METADATA_FIELD_DISCARD_REASON),
    MEMBER(flowHandle, kUint64, Handle, FWPS_METADATA_FIELD_FLOW_HANDLE),
    MEMBER(ipHeaderSize, kUint, Number, FWPS_METADATA_FIELD_IP_HEADER_SIZE),
    MEMBER(transportHeaderSize, kUint, Number, FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE),
    MEMBER(processPath, "FWP_BYTE_BLOB_ *", Path, FWPS_METADATA_FIELD_PROCESS_PATH),
    MEMBER(token, kUint64, Handle, FWPS_METADATA_FIELD_TOKEN),
    MEMBER(processId, kUint64, Number, FWPS_METADATA_FIELD_PROCESS_ID),
    MEMBER(sourceInterfaceIndex, kUint, Number, FWPS_METADATA_FIELD_SOURCE_INTERFACE_INDEX),
    MEMBER(destinationInterfaceIndex, kUint, Number, FWPS_METADATA_FIELD_DESTINATION_INTERFACE_INDEX),
    MEMBER(compartmentId, kUlong, Number, FWPS_METADATA_FIELD_COMPARTMENT_ID),
    MEMBER(fragmentMetadata, "FWPS_INBOUND_FRAGMENT_METADATA0_", Fragment, FWPS_METADATA_FIELD_FRAGMENT_DATA),
    MEMBER(pathMtu, kUlong, Number, FWPS_METADATA_FIELD_PATH_MTU),
    MEMBER(completionHandle, kPointer, Handle, FWPS_METADATA_FIELD_COMPLETION_HANDLE),
    MEMBER(transportEndpointHandle, kUint64, Handle, FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE),
    MEMBER(remoteScopeId, "SCOPE_ID", Number, FWPS_METADATA_FIELD_REMOTE_SCOPE_ID),
    MEMBER(controlData, "_WSACMSGHDR *", Handle, FWPS_METADATA_FIELD_TRANSPORT_CONTROL_DATA),
    MEMBER(controlDataLength, kUlong, Number, FWPS_METADATA_FIELD_TRANSPORT_CONTROL_DATA),
    MEMBER(packetDirection, "FWP_DIRECTION_", Direction, FWPS_METADATA_FIELD_PACKET_DIRECTION),
    MEMBER(headerIncludeHeader, kPointer, Handle, FWPS_METADATA_FIELD_TRANSPORT_HEADER_INCLUDE_HEADER),
    MEMBER(headerIncludeHeaderLength, kUlong, Number, FWPS_METADATA_FIELD_TRANSPORT_HEADER_INCLUDE_HEADER),
    MEMBER(destinationPrefix, "_IP_ADDRESS_PREFIX", Prefix, FWPS_METADATA_FIELD_DESTINATION_PREFIX),
    MEMBER(frameLength, kUshort, Number, FWPS_METADATA_FIELD_ETHER_FRAME_LENGTH),
    MEMBER(parentEndpointHandle, kUint64, Handle, FWPS_METADATA_FIELD_PARENT_ENDPOINT_HANDLE),
    MEMBER(icmpIdAndSequence, kUint, Number, FWPS_METADATA_FIELD_ICMP_ID_AND_SEQUENCE),
    MEMBER(localRedirectTargetPID, kUlong, Number, FWPS_METADATA_FIELD_LOCAL_REDIRECT_TARGET_PID),
    MEMBER(originalDestination, "sockaddr *", Handle, FWPS_METADATA_FIELD_ORIGINAL_DESTINATION),
    MEMBER(redirectRecords, kPointer, Handle, FWPS_METADATA_FIELD_REDIRECT_RECORD_HANDLE),
    MEMBER(currentL2MetadataValues, kUint, Handle, 0),
    MEMBER(l2Flags, kUint, Handle, 0),
    L2_MEMBER(ethernetMacHeaderSize, kUint, Number, FWPS_L2_METADATA_FIELD_ETHERNET_MAC_HEADER_SIZE),
    L2_MEMBER(wiFiOperationMode, kUint, Number, FWPS_L2_METADATA_FIELD_WIFI_OPERATION_MODE),
    L2_MEMBER(vSwitchSourcePortId, kUint, Number, FWPS_L2_METADATA_FIELD_VSWITCH_SOURCE_PORT_ID),
    L2_MEMBER(vSwitchSourceNicIndex, kUshort, Number, FWPS_L2_METADATA_FIELD_VSWITCH_SOURCE_NIC_INDEX),
    L2_MEMBER(vSwitchDestinationPortId, kUint, Number, FWPS_L2_METADATA_FIELD_VSWITCH_DESTINATION_PORT_ID),
    L2_MEMBER(vSwitchPacketContext, kPointer, Handle, FWPS_L2_METADATA_FIELD_VSWITCH_PACKET_CONTEXT),
    MEMBER(subProcessTag, kPointer, Handle, FWPS_METADATA_FIELD_SUB_PROCESS_TAG),
    MEMBER(reserved1, kUint64, Handle, 0),
};
#undef MEMBER
#undef L2_MEMBER

constexpr std::array<std::string_view, 32> kBitNames{"DISCARD_REASON",
                                                     "FLOW_HANDLE",
                                                     "IP_HEADER_SIZE",
                                                     "PROCESS_PATH",
                                                     "TOKEN",
                                                     "PROCESS_ID",
                                                     "SYSTEM_FLAGS",
                                                     "RESERVED",
                                                     "SOURCE_INTERFACE_INDEX",
                                                     "DESTINATION_INTERFACE_INDEX",
                                                     "TRANSPORT_HEADER_SIZE",
                                                     "COMPARTMENT_ID",
                                                     "FRAGMENT_DATA",
                                                     "PATH_MTU",
                                                     "COMPLETION_HANDLE",
                                                     "TRANSPORT_ENDPOINT_HANDLE",
                                                     "TRANSPORT_CONTROL_DATA",
                                                     "REMOTE_SCOPE_ID",
                                                     "PACKET_DIRECTION",
                                                     "PACKET_SYSTEM_CRITICAL",
                                                     "FORWARD_LAYER_OUTBOUND_PASS_THRU",
                                                     "FORWARD_LAYER_INBOUND_PASS_THRU",
                                                     "ALE_CLASSIFY_REQUIRED",
                                                     "TRANSPORT_HEADER_INCLUDE_HEADER",
                                                     "DESTINATION_PREFIX",
                                                     "ETHER_FRAME_LENGTH",
                                                     "PARENT_ENDPOINT_HANDLE",
                                                     "ICMP_ID_AND_SEQUENCE",
                                                     "LOCAL_REDIRECT_TARGET_PID",
                                                     "ORIGINAL_DESTINATION",
                                                     "REDIRECT_RECORD_HANDLE",
                                                     "SUB_PROCESS_TAG"};

}  // namespace

std::span<const MetadataMember> metadata_members() { return kMembers; }

FWPS_INCOMING_METADATA_VALUES0 metadata_of(const TraceEntry& entry) {
  FWPS_INCOMING_METADATA_VALUES0 metadata;
  std::memcpy(&metadata, entry.metadata.data(), sizeof metadata);
  return metadata;
}

std::string metadata_bit_names(std::uint32_t bits) {
  std::string names;
  for (std::size_t i = 0; i < kBitNames.size(); ++i)
    if ((bits >> i & 1) != 0) names += (names.empty() ? "" : " ") + std::string(kBitNames[i]);
  return names;
}

bool is_present(const MetadataMember& member, const FWPS_INCOMING_METADATA_VALUES0& metadata) {
  const auto bits = member.is_l2 ? metadata.currentL2MetadataValues : metadata.currentMetadataValues;
  return (bits & member.bit) == member.bit;
}

std::uint64_t number_of(const MetadataMember& member, const FWPS_INCOMING_METADATA_VALUES0& metadata) {
  std::uint64_t value = 0;
  if (member.size <= sizeof value)
    std::memcpy(&value, reinterpret_cast<const std::byte*>(&metadata) + member.offset, member.size);
  return value;
}

}  // namespace app::output
