/* Out-of-band information of a NET_BUFFER_LIST: which slot holds what, and the structures in the slots.
 *
 * Each structure is a union as wide as a pointer: read and written through its `Value` as the slot's content. Offsets
 * count bytes from the first byte of the frame as the miniport sees it. Names and numbers are the documented ones of
 * NDIS 6.30 and later. A slot with two names holds one meaning on the send path and another on the receive path:
 * TcpRecvSegCoalesceInfo of a received packet is UdpSegmentationOffloadInfo of one to be sent, and only the protocol
 * and the direction say which of them it is. */
#ifndef WFPTAP_NDIS_OOB_H
#define WFPTAP_NDIS_OOB_H

#include <ndis/types.h>

typedef enum _NDIS_NET_BUFFER_LIST_INFO {
  TcpIpChecksumNetBufferListInfo = 0,
  TcpOffloadBytesTransferred = TcpIpChecksumNetBufferListInfo,
  IPsecOffloadV1NetBufferListInfo = 1,
  IPsecOffloadV2NetBufferListInfo = IPsecOffloadV1NetBufferListInfo,
  TcpLargeSendNetBufferListInfo = 2,
  TcpReceiveNoPush = TcpLargeSendNetBufferListInfo,
  ClassificationHandleNetBufferListInfo = 3,
  Ieee8021QNetBufferListInfo = 4,
  NetBufferListCancelId = 5,
  MediaSpecificInformation = 6,
  NetBufferListFrameType = 7,
  NetBufferListProtocolId = NetBufferListFrameType,
  NetBufferListHashValue = 8,
  NetBufferListHashInfo = 9,
  WfpNetBufferListInfo = 10,
  IPsecOffloadV2TunnelNetBufferListInfo = 11,
  IPsecOffloadV2HeaderNetBufferListInfo = 12,
  NetBufferListCorrelationId = 13,
  NetBufferListFilteringInfo = 14,
  MediaSpecificInformationEx = 15,
  NblOriginalInterfaceIfIndex = 16,
  NblReAuthWfpFlowContext = NblOriginalInterfaceIfIndex,
  TcpReceiveBytesTransferred = 17,
  UdpRecvSegCoalesceOffloadInfo = TcpReceiveBytesTransferred,
  SwitchForwardingReserved = 18,
  SwitchForwardingDetail = 19,
  VirtualSubnetInfo = 20,
  IMReserved = 21,
  TcpRecvSegCoalesceInfo = 22,
  UdpSegmentationOffloadInfo = TcpRecvSegCoalesceInfo,
  RscTcpTimestampDelta = 23,
  GftOffloadInformation = 24,
  GftFlowEntryId = 25,
  NetBufferListInfoReserved3 = 26,
  MaxNetBufferListInfo = 27
} NDIS_NET_BUFFER_LIST_INFO;

typedef union _NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO {
  struct {
    ULONG IsIPv4 : 1;
    ULONG IsIPv6 : 1;
    ULONG TcpChecksum : 1;
    ULONG UdpChecksum : 1;
    ULONG IpHeaderChecksum : 1;
    ULONG Reserved : 11;
    ULONG TcpHeaderOffset : 10;
  } Transmit;
  struct {
    ULONG TcpChecksumFailed : 1;
    ULONG UdpChecksumFailed : 1;
    ULONG IpChecksumFailed : 1;
    ULONG TcpChecksumSucceeded : 1;
    ULONG UdpChecksumSucceeded : 1;
    ULONG IpChecksumSucceeded : 1;
    ULONG Loopback : 1;
    ULONG TcpChecksumValueInvalid : 1;
    ULONG IpChecksumValueInvalid : 1;
  } Receive;
  PVOID Value;
} NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO, *PNDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO;

#define NDIS_TCP_LARGE_SEND_OFFLOAD_V1_TYPE 0
#define NDIS_TCP_LARGE_SEND_OFFLOAD_V2_TYPE 1
#define NDIS_TCP_LARGE_SEND_OFFLOAD_IPv4 0
#define NDIS_TCP_LARGE_SEND_OFFLOAD_IPv6 1

typedef union _NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO {
  struct {
    ULONG Unused : 30;
    ULONG Type : 1;
    ULONG Reserved2 : 1;
  } Transmit;
  struct {
    ULONG MSS : 20;
    ULONG TcpHeaderOffset : 10;
    ULONG Type : 1;
    ULONG Reserved2 : 1;
  } LsoV1Transmit;
  struct {
    ULONG TcpPayload : 30;
    ULONG Type : 1;
    ULONG Reserved2 : 1;
  } LsoV1TransmitComplete;
  struct {
    ULONG MSS : 20;
    ULONG TcpHeaderOffset : 10;
    ULONG Type : 1;
    ULONG IPVersion : 1;
  } LsoV2Transmit;
  struct {
    ULONG Reserved : 30;
    ULONG Type : 1;
    ULONG Reserved2 : 1;
  } LsoV2TransmitComplete;
  PVOID Value;
} NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO, *PNDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO;

/* A received super-frame: CoalescedSegCount segments were joined; 0 or 1 is an ordinary frame. */
typedef union _NDIS_RSC_NBL_INFO {
  struct {
    USHORT CoalescedSegCount;
    USHORT DupAckCount;
  } Info;
  PVOID Value;
} NDIS_RSC_NBL_INFO, *PNDIS_RSC_NBL_INFO;

typedef union _NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO {
  struct {
    ULONG MSS : 20;
    ULONG UdpHeaderOffset : 10;
    ULONG Reserved : 1;
    ULONG IPVersion : 1;
  } Transmit;
  PVOID Value;
} NDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO, *PNDIS_UDP_SEGMENTATION_OFFLOAD_NET_BUFFER_LIST_INFO;

typedef union _NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO {
  struct {
    USHORT SegCount;
    USHORT SegSize;
  } Receive;
  PVOID Value;
} NDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO, *PNDIS_UDP_RSC_OFFLOAD_NET_BUFFER_LIST_INFO;

typedef union _NDIS_NET_BUFFER_LIST_8021Q_INFO {
  struct {
    ULONG UserPriority : 3;
    ULONG CanonicalFormatId : 1;
    ULONG VlanId : 12;
    ULONG Reserved : 16;
  } TagHeader;
  PVOID Value;
} NDIS_NET_BUFFER_LIST_8021Q_INFO, *PNDIS_NET_BUFFER_LIST_8021Q_INFO;

#endif
