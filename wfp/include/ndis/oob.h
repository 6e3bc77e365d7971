/* Out-of-band information of a NET_BUFFER_LIST: which slot holds what, and the structures in the slots.
 *
 * Each structure is a union as wide as a pointer: read and written through its `Value` as the slot's content. Offsets
 * count bytes from the first byte of the frame as the miniport sees it. Slot numbers are ours, names are documented.
 */
#ifndef WFPTAP_NDIS_OOB_H
#define WFPTAP_NDIS_OOB_H

#include <ndis/types.h>

typedef enum _NDIS_NET_BUFFER_LIST_INFO {
  TcpIpChecksumNetBufferListInfo,
  TcpOffloadBytesTransferred = TcpIpChecksumNetBufferListInfo,
  IPsecOffloadV1NetBufferListInfo,
  IPsecOffloadV2NetBufferListInfo = IPsecOffloadV1NetBufferListInfo,
  TcpLargeSendNetBufferListInfo,
  TcpReceiveNoPush = TcpLargeSendNetBufferListInfo,
  ClassificationHandleNetBufferListInfo,
  Ieee8021QNetBufferListInfo,
  NetBufferListCancelId,
  MediaSpecificInformation,
  NetBufferListFrameType,
  NetBufferListProtocolId = NetBufferListFrameType,
  NetBufferListHashValue,
  NetBufferListHashInfo,
  WfpNetBufferListInfo,
  NetBufferListCorrelationId,
  NetBufferListFilteringInfo,
  TcpRecvSegCoalesceInfo,
  RscTcpTimestampDelta,
  UdpSegmentationOffloadInfo,
  UdpRecvSegCoalesceOffloadInfo,
  SwitchForwardingDetail,
  MaxNetBufferListInfo
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
