/* Injection: how a callout gives a packet to the stack.
 *
 * Handles are made and destroyed at PASSIVE_LEVEL, injections made at IRQL <= DISPATCH_LEVEL from any thread. A call
 * that returns STATUS_SUCCESS took the packet until completionFn has run, exactly once, with the outcome in
 * netBufferList->Status; a call that fails took nothing and completes nothing. Addresses are in network byte order.
 */
#ifndef WFPTAP_FWPS_INJECT_H
#define WFPTAP_FWPS_INJECT_H

#include <ndis/nbl.h>
#include <netiodef.h>
#include <sdkddkver.h>

/* FwpsInjectionHandleCreate0 flags; 0 means transport, stream and forward. */
#define FWPS_INJECTION_TYPE_STREAM 0x00000001
#define FWPS_INJECTION_TYPE_TRANSPORT 0x00000002
#define FWPS_INJECTION_TYPE_NETWORK 0x00000004
#define FWPS_INJECTION_TYPE_FORWARD 0x00000008
#define FWPS_INJECTION_TYPE_L2 0x00000010
#define FWPS_INJECTION_TYPE_VSWITCH_TRANSPORT 0x00000020

typedef enum FWPS_PACKET_INJECTION_STATE_ {
  FWPS_PACKET_NOT_INJECTED = 0,
  FWPS_PACKET_INJECTED_BY_SELF = 1,
  FWPS_PACKET_INJECTED_BY_OTHER = 2,
  FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF = 3,
  FWPS_PACKET_INJECTION_STATE_MAX = 4
} FWPS_PACKET_INJECTION_STATE;

typedef void(NTAPI* FWPS_INJECT_COMPLETE0)(void* context, NET_BUFFER_LIST* netBufferList, BOOLEAN dispatchLevel);

typedef struct FWPS_TRANSPORT_SEND_PARAMS0_ {
  UCHAR* remoteAddress;
  SCOPE_ID remoteScopeId;
  WSACMSGHDR* controlData; /* may be NULL */
  ULONG controlDataLength; /* bytes */
} FWPS_TRANSPORT_SEND_PARAMS0;

typedef struct FWPS_TRANSPORT_SEND_PARAMS1_ {
  UCHAR* remoteAddress;
  SCOPE_ID remoteScopeId;
  WSACMSGHDR* controlData;
  ULONG controlDataLength;
  UCHAR* headerIncludeHeader; /* may be NULL */
  ULONG headerIncludeHeaderLength;
} FWPS_TRANSPORT_SEND_PARAMS1;

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS NTAPI FwpsInjectionHandleCreate0(ADDRESS_FAMILY addressFamily, UINT32 flags, HANDLE* injectionHandle);
NTSTATUS NTAPI FwpsInjectionHandleDestroy0(HANDLE injectionHandle);
FWPS_PACKET_INJECTION_STATE NTAPI FwpsQueryPacketInjectionState0(HANDLE injectionHandle,
                                                                 const NET_BUFFER_LIST* netBufferList,
                                                                 HANDLE* injectionContext);

NTSTATUS NTAPI FwpsInjectTransportSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT64 endpointHandle,
                                             UINT32 flags, FWPS_TRANSPORT_SEND_PARAMS0* sendArgs,
                                             ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                             NET_BUFFER_LIST* netBufferList, FWPS_INJECT_COMPLETE0 completionFn,
                                             HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectTransportSendAsync1(HANDLE injectionHandle, HANDLE injectionContext, UINT64 endpointHandle,
                                             UINT32 flags, FWPS_TRANSPORT_SEND_PARAMS1* sendArgs,
                                             ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                             NET_BUFFER_LIST* netBufferList, FWPS_INJECT_COMPLETE0 completionFn,
                                             HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectTransportReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, PVOID reserved,
                                                UINT32 flags, ADDRESS_FAMILY addressFamily,
                                                COMPARTMENT_ID compartmentId, IF_INDEX interfaceIndex,
                                                IF_INDEX subInterfaceIndex, NET_BUFFER_LIST* netBufferList,
                                                FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectNetworkSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                           COMPARTMENT_ID compartmentId, NET_BUFFER_LIST* netBufferList,
                                           FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectNetworkReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                              COMPARTMENT_ID compartmentId, IF_INDEX interfaceIndex,
                                              IF_INDEX subInterfaceIndex, NET_BUFFER_LIST* netBufferList,
                                              FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectForwardAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                       ADDRESS_FAMILY addressFamily, COMPARTMENT_ID compartmentId,
                                       IF_INDEX interfaceIndex, NET_BUFFER_LIST* netBufferList,
                                       FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectMacReceiveAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags,
                                          UINT16 layerId, IF_INDEX interfaceIndex, NDIS_PORT_NUMBER NdisPortNumber,
                                          NET_BUFFER_LIST* netBufferLists, FWPS_INJECT_COMPLETE0 completionFn,
                                          HANDLE completionContext);
NTSTATUS NTAPI FwpsInjectMacSendAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags, UINT16 layerId,
                                       IF_INDEX interfaceIndex, NDIS_PORT_NUMBER NdisPortNumber,
                                       NET_BUFFER_LIST* netBufferLists, FWPS_INJECT_COMPLETE0 completionFn,
                                       HANDLE completionContext);

/* Builds the IP header in front of a transport packet (or replaces the one of headerIncludeHeaderLength bytes) and
 * fills in the transport checksum. */
NTSTATUS NTAPI FwpsConstructIpHeaderForTransportPacket0(NET_BUFFER_LIST* netBufferList,
                                                        ULONG headerIncludeHeaderLength, ADDRESS_FAMILY addressFamily,
                                                        const UCHAR* sourceAddress, const UCHAR* remoteAddress,
                                                        IPPROTO nextProtocol, UINT64 endpointHandle,
                                                        const WSACMSGHDR* controlData, ULONG controlDataLength,
                                                        UINT32 flags, PVOID reserved, IF_INDEX interfaceIndex,
                                                        IF_INDEX subInterfaceIndex);

#ifdef __cplusplus
}
#endif

#define FWPS_INJECT_COMPLETE FWPS_INJECT_COMPLETE0
#if NTDDI_VERSION >= NTDDI_WIN7
#define FWPS_TRANSPORT_SEND_PARAMS FWPS_TRANSPORT_SEND_PARAMS1
#define FwpsInjectTransportSendAsync FwpsInjectTransportSendAsync1
#else
#define FWPS_TRANSPORT_SEND_PARAMS FWPS_TRANSPORT_SEND_PARAMS0
#define FwpsInjectTransportSendAsync FwpsInjectTransportSendAsync0
#endif
#define FwpsInjectionHandleCreate FwpsInjectionHandleCreate0
#define FwpsInjectionHandleDestroy FwpsInjectionHandleDestroy0
#define FwpsQueryPacketInjectionState FwpsQueryPacketInjectionState0
#define FwpsInjectTransportReceiveAsync FwpsInjectTransportReceiveAsync0
#define FwpsInjectNetworkSendAsync FwpsInjectNetworkSendAsync0
#define FwpsInjectNetworkReceiveAsync FwpsInjectNetworkReceiveAsync0
#define FwpsInjectForwardAsync FwpsInjectForwardAsync0
#define FwpsInjectMacReceiveAsync FwpsInjectMacReceiveAsync0
#define FwpsInjectMacSendAsync FwpsInjectMacSendAsync0
#define FwpsConstructIpHeaderForTransportPacket FwpsConstructIpHeaderForTransportPacket0

#endif
