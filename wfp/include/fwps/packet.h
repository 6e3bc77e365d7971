/* Packets in a callout's hands: references, clones, and allocation of NET_BUFFER_LISTs for injection.
 *
 * IRQL <= DISPATCH_LEVEL, any thread. A reference keeps the packet's bytes in memory after the classify returned; a
 * clone shares them and keeps its parent until freed. What was allocated here is freed here, not with Ndis functions.
 */
#ifndef WFPTAP_FWPS_PACKET_H
#define WFPTAP_FWPS_PACKET_H

#include <guiddef.h>
#include <ndis/nblapi.h>
#include <ws2def.h>

/* IPsec and injection facts about a packet list; bit 0 is the first member of each structure. */
typedef struct FWPS_PACKET_LIST_INBOUND_IPSEC_INFORMATION0_ {
  UINT32 isSecure : 1;
  UINT32 isTransportMode : 1;
  UINT32 isTunnelMode : 1;
  UINT32 isTransportModeVerified : 1;
  UINT32 isTunnelModeVerified : 1;
  UINT32 isDeTunneled : 1;
} FWPS_PACKET_LIST_INBOUND_IPSEC_INFORMATION0;

typedef struct FWPS_PACKET_LIST_OUTBOUND_IPSEC_INFORMATION0_ {
  UINT32 isIPsecPolicyMatch : 1;
  UINT32 isTransportPolicyMatch : 1;
  UINT32 isTunnelPolicyMatch : 1;
  UINT32 isTunnelIPinIP : 1;
} FWPS_PACKET_LIST_OUTBOUND_IPSEC_INFORMATION0;

typedef struct FWPS_PACKET_LIST_IPSEC_INFORMATION0_ {
  union {
    FWPS_PACKET_LIST_INBOUND_IPSEC_INFORMATION0 inbound;
    FWPS_PACKET_LIST_OUTBOUND_IPSEC_INFORMATION0 outbound;
    UINT32 flags;
  };
} FWPS_PACKET_LIST_IPSEC_INFORMATION0;

typedef struct FWPS_PACKET_LIST_FWP_INFORMATION0_ {
  UINT32 isReinjected : 1;
} FWPS_PACKET_LIST_FWP_INFORMATION0;

typedef struct FWPS_PACKET_LIST_INFORMATION0_ {
  FWPS_PACKET_LIST_IPSEC_INFORMATION0 ipsecInformation;
  FWPS_PACKET_LIST_FWP_INFORMATION0 fwpInformation;
} FWPS_PACKET_LIST_INFORMATION0;

#define FWPS_PACKET_LIST_INFORMATION_QUERY_ALL_INBOUND 0xfffffffd

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS NTAPI FwpsAllocateNetBufferAndNetBufferList0(NDIS_HANDLE poolHandle, USHORT contextSize,
                                                      USHORT contextBackFill, MDL* mdlChain, ULONG dataOffset,
                                                      SIZE_T dataLength, NET_BUFFER_LIST** netBufferList);
void NTAPI FwpsFreeNetBufferList0(NET_BUFFER_LIST* netBufferList);

/* Both pool handles may be NULL: the engine then uses its own pool. The clone inherits checksum, large-send and
 * receive-coalescing information. */
NTSTATUS NTAPI FwpsAllocateCloneNetBufferList0(NET_BUFFER_LIST* originalNetBufferList,
                                               NDIS_HANDLE netBufferListPoolHandle, NDIS_HANDLE netBufferPoolHandle,
                                               ULONG allocateCloneFlags, NET_BUFFER_LIST** netBufferList);
void NTAPI FwpsFreeCloneNetBufferList0(NET_BUFFER_LIST* netBufferList, ULONG freeCloneFlags);

void NTAPI FwpsReferenceNetBufferList0(NET_BUFFER_LIST* netBufferList, BOOLEAN intendToModify);
void NTAPI FwpsDereferenceNetBufferList0(NET_BUFFER_LIST* netBufferList, BOOLEAN dispatchLevel);

NTSTATUS NTAPI FwpsGetPacketListSecurityInformation0(NET_BUFFER_LIST* packetList, UINT32 queryFlags,
                                                     FWPS_PACKET_LIST_INFORMATION0* packetInformation);
NTSTATUS NTAPI FwpsReassembleForwardFragmentGroup0(ADDRESS_FAMILY addressFamily,
                                                   NET_BUFFER_LIST* fragmentGroupNblChain,
                                                   NDIS_HANDLE netBufferAndNetBufferListPoolHandle,
                                                   ULONG dataBackFill, ULONG flags, NET_BUFFER_LIST** reassembledNbl);

#ifdef __cplusplus
}
#endif

#define FWPS_PACKET_LIST_INFORMATION FWPS_PACKET_LIST_INFORMATION0
#define FwpsAllocateNetBufferAndNetBufferList FwpsAllocateNetBufferAndNetBufferList0
#define FwpsFreeNetBufferList FwpsFreeNetBufferList0
#define FwpsAllocateCloneNetBufferList FwpsAllocateCloneNetBufferList0
#define FwpsFreeCloneNetBufferList FwpsFreeCloneNetBufferList0
#define FwpsReferenceNetBufferList FwpsReferenceNetBufferList0
#define FwpsDereferenceNetBufferList FwpsDereferenceNetBufferList0
#define FwpsGetPacketListSecurityInformation FwpsGetPacketListSecurityInformation0
#define FwpsReassembleForwardFragmentGroup FwpsReassembleForwardFragmentGroup0

#endif
