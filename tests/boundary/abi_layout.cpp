// What driver sources rely on: sizes and offsets of the public structures as documented for x64. The compiler checks
// each line; the test walks the same table, so that the number of checked facts shows in its output.
#include <gtest/gtest.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "fwpmk.h"
#include "fwpsk.h"

namespace {

struct Fact {
  std::string_view name;
  std::size_t documented;
  std::size_t actual;
};

// The macros check at compile time and yield a row of the table.
template <std::size_t documented, std::size_t actual>
constexpr Fact fact(std::string_view name) {
  static_assert(documented == actual, "a public structure differs from its documented layout");
  return {name, documented, actual};
}
#define SIZE(type, bytes) fact<(bytes), sizeof(type)>("sizeof " #type)
#define MEMBER(type, member, offset) fact<(offset), offsetof(type, member)>(#type "." #member)

const std::vector<Fact> kFacts{
    // FWPS_INCOMING_METADATA_VALUES0
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, currentMetadataValues, 0x0),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, flags, 0x4),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, reserved, 0x8),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, discardMetadata, 0x10),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, flowHandle, 0x20),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, ipHeaderSize, 0x28),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, transportHeaderSize, 0x2c),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, processPath, 0x30),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, token, 0x38),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, processId, 0x40),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, sourceInterfaceIndex, 0x48),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, destinationInterfaceIndex, 0x4c),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, compartmentId, 0x50),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, fragmentMetadata, 0x54),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, pathMtu, 0x60),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, completionHandle, 0x68),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, transportEndpointHandle, 0x70),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, remoteScopeId, 0x78),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, controlData, 0x80),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, controlDataLength, 0x88),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, packetDirection, 0x8c),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, headerIncludeHeader, 0x90),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, headerIncludeHeaderLength, 0x98),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, destinationPrefix, 0x9c),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, frameLength, 0xbc),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, parentEndpointHandle, 0xc0),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, icmpIdAndSequence, 0xc8),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, localRedirectTargetPID, 0xcc),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, originalDestination, 0xd0),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, redirectRecords, 0xd8),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, currentL2MetadataValues, 0xe0),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, l2Flags, 0xe4),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, ethernetMacHeaderSize, 0xe8),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, wiFiOperationMode, 0xec),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, vSwitchSourcePortId, 0xf0),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, vSwitchSourceNicIndex, 0xf4),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, vSwitchDestinationPortId, 0xf8),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, vSwitchPacketContext, 0x100),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, subProcessTag, 0x108),
    MEMBER(FWPS_INCOMING_METADATA_VALUES0, reserved1, 0x110),
    SIZE(FWPS_INCOMING_METADATA_VALUES0, 0x118),
    // FWPS_CLASSIFY_OUT0
    MEMBER(FWPS_CLASSIFY_OUT0, actionType, 0x0),
    MEMBER(FWPS_CLASSIFY_OUT0, outContext, 0x8),
    MEMBER(FWPS_CLASSIFY_OUT0, filterId, 0x10),
    MEMBER(FWPS_CLASSIFY_OUT0, rights, 0x18),
    MEMBER(FWPS_CLASSIFY_OUT0, flags, 0x1c),
    MEMBER(FWPS_CLASSIFY_OUT0, reserved, 0x20),
    SIZE(FWPS_CLASSIFY_OUT0, 0x28),
    // FWPS_INCOMING_VALUE0
    MEMBER(FWPS_INCOMING_VALUE0, value, 0x0),
    SIZE(FWPS_INCOMING_VALUE0, 0x10),
    // FWPS_INCOMING_VALUES0
    MEMBER(FWPS_INCOMING_VALUES0, layerId, 0x0),
    MEMBER(FWPS_INCOMING_VALUES0, valueCount, 0x4),
    MEMBER(FWPS_INCOMING_VALUES0, incomingValue, 0x8),
    SIZE(FWPS_INCOMING_VALUES0, 0x10),
    // FWPS_TRANSPORT_SEND_PARAMS0
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS0, remoteAddress, 0x0),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS0, remoteScopeId, 0x8),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS0, controlData, 0x10),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS0, controlDataLength, 0x18),
    SIZE(FWPS_TRANSPORT_SEND_PARAMS0, 0x20),
    // FWPS_TRANSPORT_SEND_PARAMS1
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS1, remoteAddress, 0x0),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS1, remoteScopeId, 0x8),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS1, controlData, 0x10),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS1, controlDataLength, 0x18),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS1, headerIncludeHeader, 0x20),
    MEMBER(FWPS_TRANSPORT_SEND_PARAMS1, headerIncludeHeaderLength, 0x28),
    SIZE(FWPS_TRANSPORT_SEND_PARAMS1, 0x30),
    // FWPS_STREAM_DATA_OFFSET0
    MEMBER(FWPS_STREAM_DATA_OFFSET0, netBufferList, 0x0),
    MEMBER(FWPS_STREAM_DATA_OFFSET0, netBuffer, 0x8),
    MEMBER(FWPS_STREAM_DATA_OFFSET0, mdl, 0x10),
    MEMBER(FWPS_STREAM_DATA_OFFSET0, mdlOffset, 0x18),
    MEMBER(FWPS_STREAM_DATA_OFFSET0, netBufferOffset, 0x1c),
    MEMBER(FWPS_STREAM_DATA_OFFSET0, streamDataOffset, 0x20),
    SIZE(FWPS_STREAM_DATA_OFFSET0, 0x28),
    // FWPS_STREAM_DATA0
    MEMBER(FWPS_STREAM_DATA0, flags, 0x0),
    MEMBER(FWPS_STREAM_DATA0, dataOffset, 0x8),
    MEMBER(FWPS_STREAM_DATA0, dataLength, 0x30),
    MEMBER(FWPS_STREAM_DATA0, netBufferListChain, 0x38),
    SIZE(FWPS_STREAM_DATA0, 0x40),
    // FWPS_STREAM_CALLOUT_IO_PACKET0
    MEMBER(FWPS_STREAM_CALLOUT_IO_PACKET0, streamData, 0x0),
    MEMBER(FWPS_STREAM_CALLOUT_IO_PACKET0, missedBytes, 0x8),
    MEMBER(FWPS_STREAM_CALLOUT_IO_PACKET0, countBytesRequired, 0x10),
    MEMBER(FWPS_STREAM_CALLOUT_IO_PACKET0, countBytesEnforced, 0x18),
    MEMBER(FWPS_STREAM_CALLOUT_IO_PACKET0, streamAction, 0x20),
    SIZE(FWPS_STREAM_CALLOUT_IO_PACKET0, 0x28),
    // FWPS_PACKET_LIST_INFORMATION0
    MEMBER(FWPS_PACKET_LIST_INFORMATION0, ipsecInformation, 0x0),
    MEMBER(FWPS_PACKET_LIST_INFORMATION0, fwpInformation, 0x4),
    SIZE(FWPS_PACKET_LIST_INFORMATION0, 0x8),
    // FWPS_CONNECT_REQUEST0
    MEMBER(FWPS_CONNECT_REQUEST0, localAddressAndPort, 0x0),
    MEMBER(FWPS_CONNECT_REQUEST0, remoteAddressAndPort, 0x80),
    MEMBER(FWPS_CONNECT_REQUEST0, portReservationToken, 0x100),
    MEMBER(FWPS_CONNECT_REQUEST0, localRedirectTargetPID, 0x108),
    MEMBER(FWPS_CONNECT_REQUEST0, previousVersion, 0x110),
    MEMBER(FWPS_CONNECT_REQUEST0, modifierFilterId, 0x118),
    MEMBER(FWPS_CONNECT_REQUEST0, localRedirectHandle, 0x120),
    MEMBER(FWPS_CONNECT_REQUEST0, localRedirectContext, 0x128),
    MEMBER(FWPS_CONNECT_REQUEST0, localRedirectContextSize, 0x130),
    SIZE(FWPS_CONNECT_REQUEST0, 0x138),
    // FWPS_BIND_REQUEST0
    MEMBER(FWPS_BIND_REQUEST0, localAddressAndPort, 0x0),
    MEMBER(FWPS_BIND_REQUEST0, portReservationToken, 0x80),
    MEMBER(FWPS_BIND_REQUEST0, previousVersion, 0x88),
    MEMBER(FWPS_BIND_REQUEST0, modifierFilterId, 0x90),
    SIZE(FWPS_BIND_REQUEST0, 0x98),
    // FWPS_FILTER_CONDITION0
    MEMBER(FWPS_FILTER_CONDITION0, fieldId, 0x0),
    MEMBER(FWPS_FILTER_CONDITION0, reserved, 0x2),
    MEMBER(FWPS_FILTER_CONDITION0, matchType, 0x4),
    MEMBER(FWPS_FILTER_CONDITION0, conditionValue, 0x8),
    SIZE(FWPS_FILTER_CONDITION0, 0x18),
    // FWPS_ACTION0
    MEMBER(FWPS_ACTION0, type, 0x0),
    MEMBER(FWPS_ACTION0, calloutId, 0x4),
    SIZE(FWPS_ACTION0, 0x8),
    // FWPM_FILTER0
    MEMBER(FWPM_FILTER0, filterKey, 0x0),
    MEMBER(FWPM_FILTER0, displayData, 0x10),
    MEMBER(FWPM_FILTER0, flags, 0x20),
    MEMBER(FWPM_FILTER0, providerKey, 0x28),
    MEMBER(FWPM_FILTER0, providerData, 0x30),
    MEMBER(FWPM_FILTER0, layerKey, 0x40),
    MEMBER(FWPM_FILTER0, subLayerKey, 0x50),
    MEMBER(FWPM_FILTER0, weight, 0x60),
    MEMBER(FWPM_FILTER0, numFilterConditions, 0x70),
    MEMBER(FWPM_FILTER0, filterCondition, 0x78),
    MEMBER(FWPM_FILTER0, action, 0x80),
    MEMBER(FWPM_FILTER0, rawContext, 0x98),
    MEMBER(FWPM_FILTER0, reserved, 0xa8),
    MEMBER(FWPM_FILTER0, filterId, 0xb0),
    MEMBER(FWPM_FILTER0, effectiveWeight, 0xb8),
    SIZE(FWPM_FILTER0, 0xc8),
    // FWPM_FILTER_CONDITION0
    MEMBER(FWPM_FILTER_CONDITION0, fieldKey, 0x0),
    MEMBER(FWPM_FILTER_CONDITION0, matchType, 0x10),
    MEMBER(FWPM_FILTER_CONDITION0, conditionValue, 0x18),
    SIZE(FWPM_FILTER_CONDITION0, 0x28),
    // FWPM_ACTION0
    MEMBER(FWPM_ACTION0, type, 0x0),
    MEMBER(FWPM_ACTION0, calloutKey, 0x4),
    SIZE(FWPM_ACTION0, 0x14),
    // FWPM_CALLOUT0
    MEMBER(FWPM_CALLOUT0, calloutKey, 0x0),
    MEMBER(FWPM_CALLOUT0, displayData, 0x10),
    MEMBER(FWPM_CALLOUT0, flags, 0x20),
    MEMBER(FWPM_CALLOUT0, providerKey, 0x28),
    MEMBER(FWPM_CALLOUT0, providerData, 0x30),
    MEMBER(FWPM_CALLOUT0, applicableLayer, 0x40),
    MEMBER(FWPM_CALLOUT0, calloutId, 0x50),
    SIZE(FWPM_CALLOUT0, 0x58),
    // FWPM_SUBLAYER0
    MEMBER(FWPM_SUBLAYER0, subLayerKey, 0x0),
    MEMBER(FWPM_SUBLAYER0, displayData, 0x10),
    MEMBER(FWPM_SUBLAYER0, flags, 0x20),
    MEMBER(FWPM_SUBLAYER0, providerKey, 0x28),
    MEMBER(FWPM_SUBLAYER0, providerData, 0x30),
    MEMBER(FWPM_SUBLAYER0, weight, 0x40),
    SIZE(FWPM_SUBLAYER0, 0x48),
    // FWPM_SESSION0
    MEMBER(FWPM_SESSION0, sessionKey, 0x0),
    MEMBER(FWPM_SESSION0, displayData, 0x10),
    MEMBER(FWPM_SESSION0, flags, 0x20),
    MEMBER(FWPM_SESSION0, txnWaitTimeoutInMSec, 0x24),
    MEMBER(FWPM_SESSION0, processId, 0x28),
    MEMBER(FWPM_SESSION0, sid, 0x30),
    MEMBER(FWPM_SESSION0, username, 0x38),
    MEMBER(FWPM_SESSION0, kernelMode, 0x40),
    SIZE(FWPM_SESSION0, 0x48),
    // FWPM_PROVIDER0
    MEMBER(FWPM_PROVIDER0, providerKey, 0x0),
    MEMBER(FWPM_PROVIDER0, displayData, 0x10),
    MEMBER(FWPM_PROVIDER0, flags, 0x20),
    MEMBER(FWPM_PROVIDER0, providerData, 0x28),
    MEMBER(FWPM_PROVIDER0, serviceName, 0x38),
    SIZE(FWPM_PROVIDER0, 0x40),
    // FWP_VALUE0
    MEMBER(FWP_VALUE0, type, 0x0),
    MEMBER(FWP_VALUE0, uint64, 0x8),
    SIZE(FWP_VALUE0, 0x10),
    // FWP_CONDITION_VALUE0
    MEMBER(FWP_CONDITION_VALUE0, type, 0x0),
    MEMBER(FWP_CONDITION_VALUE0, uint64, 0x8),
    SIZE(FWP_CONDITION_VALUE0, 0x10),
    // FWP_BYTE_BLOB
    MEMBER(FWP_BYTE_BLOB, size, 0x0),
    MEMBER(FWP_BYTE_BLOB, data, 0x8),
    SIZE(FWP_BYTE_BLOB, 0x10),
    // FWPM_DISPLAY_DATA0
    MEMBER(FWPM_DISPLAY_DATA0, name, 0x0),
    MEMBER(FWPM_DISPLAY_DATA0, description, 0x8),
    SIZE(FWPM_DISPLAY_DATA0, 0x10),
    // FWPS_DISCARD_METADATA0
    MEMBER(FWPS_DISCARD_METADATA0, discardModule, 0x0),
    MEMBER(FWPS_DISCARD_METADATA0, discardReason, 0x4),
    MEMBER(FWPS_DISCARD_METADATA0, filterId, 0x8),
    SIZE(FWPS_DISCARD_METADATA0, 0x10),
    // FWPS_INBOUND_FRAGMENT_METADATA0
    MEMBER(FWPS_INBOUND_FRAGMENT_METADATA0, fragmentIdentification, 0x0),
    MEMBER(FWPS_INBOUND_FRAGMENT_METADATA0, fragmentOffset, 0x4),
    MEMBER(FWPS_INBOUND_FRAGMENT_METADATA0, fragmentLength, 0x8),
    SIZE(FWPS_INBOUND_FRAGMENT_METADATA0, 0xc),
    // FWP_V4_ADDR_AND_MASK
    MEMBER(FWP_V4_ADDR_AND_MASK, addr, 0x0),
    MEMBER(FWP_V4_ADDR_AND_MASK, mask, 0x4),
    SIZE(FWP_V4_ADDR_AND_MASK, 0x8),
    // FWP_RANGE0
    MEMBER(FWP_RANGE0, valueLow, 0x0),
    MEMBER(FWP_RANGE0, valueHigh, 0x10),
    SIZE(FWP_RANGE0, 0x20),
    // FWPS_CALLOUT0
    MEMBER(FWPS_CALLOUT0, calloutKey, 0x0),
    MEMBER(FWPS_CALLOUT0, flags, 0x10),
    MEMBER(FWPS_CALLOUT0, classifyFn, 0x18),
    MEMBER(FWPS_CALLOUT0, notifyFn, 0x20),
    MEMBER(FWPS_CALLOUT0, flowDeleteFn, 0x28),
    SIZE(FWPS_CALLOUT0, 0x30),
    // FWPS_FILTER0
    MEMBER(FWPS_FILTER0, filterId, 0x0),
    MEMBER(FWPS_FILTER0, weight, 0x8),
    MEMBER(FWPS_FILTER0, subLayerWeight, 0x18),
    MEMBER(FWPS_FILTER0, flags, 0x1a),
    MEMBER(FWPS_FILTER0, numFilterConditions, 0x1c),
    MEMBER(FWPS_FILTER0, filterCondition, 0x20),
    MEMBER(FWPS_FILTER0, action, 0x28),
    MEMBER(FWPS_FILTER0, context, 0x30),
    MEMBER(FWPS_FILTER0, providerContext, 0x38),
    SIZE(FWPS_FILTER0, 0x40),
    // FWPS_CALLOUT1
    MEMBER(FWPS_CALLOUT1, calloutKey, 0x0),
    MEMBER(FWPS_CALLOUT1, flags, 0x10),
    MEMBER(FWPS_CALLOUT1, classifyFn, 0x18),
    MEMBER(FWPS_CALLOUT1, notifyFn, 0x20),
    MEMBER(FWPS_CALLOUT1, flowDeleteFn, 0x28),
    SIZE(FWPS_CALLOUT1, 0x30),
    // FWPS_FILTER1
    MEMBER(FWPS_FILTER1, filterId, 0x0),
    MEMBER(FWPS_FILTER1, weight, 0x8),
    MEMBER(FWPS_FILTER1, subLayerWeight, 0x18),
    MEMBER(FWPS_FILTER1, flags, 0x1a),
    MEMBER(FWPS_FILTER1, numFilterConditions, 0x1c),
    MEMBER(FWPS_FILTER1, filterCondition, 0x20),
    MEMBER(FWPS_FILTER1, action, 0x28),
    MEMBER(FWPS_FILTER1, context, 0x30),
    MEMBER(FWPS_FILTER1, providerContext, 0x38),
    SIZE(FWPS_FILTER1, 0x40),
    // FWPS_CALLOUT2
    MEMBER(FWPS_CALLOUT2, calloutKey, 0x0),
    MEMBER(FWPS_CALLOUT2, flags, 0x10),
    MEMBER(FWPS_CALLOUT2, classifyFn, 0x18),
    MEMBER(FWPS_CALLOUT2, notifyFn, 0x20),
    MEMBER(FWPS_CALLOUT2, flowDeleteFn, 0x28),
    SIZE(FWPS_CALLOUT2, 0x30),
    // FWPS_FILTER2
    MEMBER(FWPS_FILTER2, filterId, 0x0),
    MEMBER(FWPS_FILTER2, weight, 0x8),
    MEMBER(FWPS_FILTER2, subLayerWeight, 0x18),
    MEMBER(FWPS_FILTER2, flags, 0x1a),
    MEMBER(FWPS_FILTER2, numFilterConditions, 0x1c),
    MEMBER(FWPS_FILTER2, filterCondition, 0x20),
    MEMBER(FWPS_FILTER2, action, 0x28),
    MEMBER(FWPS_FILTER2, context, 0x30),
    MEMBER(FWPS_FILTER2, providerContext, 0x38),
    SIZE(FWPS_FILTER2, 0x40),
    // FWPS_CALLOUT3
    MEMBER(FWPS_CALLOUT3, calloutKey, 0x0),
    MEMBER(FWPS_CALLOUT3, flags, 0x10),
    MEMBER(FWPS_CALLOUT3, classifyFn, 0x18),
    MEMBER(FWPS_CALLOUT3, notifyFn, 0x20),
    MEMBER(FWPS_CALLOUT3, flowDeleteFn, 0x28),
    SIZE(FWPS_CALLOUT3, 0x30),
    // FWPS_FILTER3
    MEMBER(FWPS_FILTER3, filterId, 0x0),
    MEMBER(FWPS_FILTER3, weight, 0x8),
    MEMBER(FWPS_FILTER3, subLayerWeight, 0x18),
    MEMBER(FWPS_FILTER3, flags, 0x1a),
    MEMBER(FWPS_FILTER3, numFilterConditions, 0x1c),
    MEMBER(FWPS_FILTER3, filterCondition, 0x20),
    MEMBER(FWPS_FILTER3, action, 0x28),
    MEMBER(FWPS_FILTER3, context, 0x30),
    MEMBER(FWPS_FILTER3, providerContext, 0x38),
    SIZE(FWPS_FILTER3, 0x40),
};

TEST(AbiLayout, EveryDocumentedSizeAndOffsetHolds) {
  for (const Fact& fact : kFacts) EXPECT_EQ(fact.actual, fact.documented) << fact.name;
  RecordProperty("facts", static_cast<int>(kFacts.size()));
}

// Numbers that drivers and traces carry; the tables of facts give them.
static_assert(FWPS_LAYER_INBOUND_IPPACKET_V4 == 0 && FWPS_LAYER_OUTBOUND_TRANSPORT_V4 == 16);
static_assert(FWPS_LAYER_ALE_AUTH_CONNECT_V6 == 50 && FWPS_LAYER_OUTBOUND_MAC_FRAME_NATIVE_FAST == 81);
static_assert(FWP_ACTION_BLOCK == 0x1001 && FWP_ACTION_PERMIT == 0x1002 && FWP_ACTION_CONTINUE == 0x2006);
static_assert(FWP_ACTION_CALLOUT_TERMINATING == 0x5003 && FWP_ACTION_CALLOUT_INSPECTION == 0x6004);
static_assert(FWP_ACTION_CALLOUT_UNKNOWN == 0x4005);
static_assert((FWPS_METADATA_FIELD_SYSTEM_FLAGS | FWPS_METADATA_FIELD_RESERVED |
               FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE | FWPS_METADATA_FIELD_COMPARTMENT_ID |
               FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE) == 0x8cc0);
static_assert((FWPS_METADATA_FIELD_IP_HEADER_SIZE | FWPS_METADATA_FIELD_RESERVED |
               FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE | FWPS_METADATA_FIELD_COMPARTMENT_ID) == 0xc84);
static_assert(AF_INET == 2 && AF_INET6 == 23);

}  // namespace
