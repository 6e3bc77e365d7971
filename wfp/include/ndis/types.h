/* NDIS base types: handles, status codes, object headers, media. */
#ifndef WFPTAP_NDIS_TYPES_H
#define WFPTAP_NDIS_TYPES_H

#include <nt/types.h>

typedef PVOID NDIS_HANDLE, *PNDIS_HANDLE;
typedef INT NDIS_STATUS, *PNDIS_STATUS;
typedef ULONG NDIS_PORT_NUMBER, *PNDIS_PORT_NUMBER;
typedef UINT32 NDIS_SWITCH_PORT_ID, *PNDIS_SWITCH_PORT_ID;
typedef UINT16 NDIS_SWITCH_NIC_INDEX, *PNDIS_SWITCH_NIC_INDEX;
#define NDIS_DEFAULT_PORT_NUMBER ((NDIS_PORT_NUMBER)0)

#define NDIS_STATUS_SUCCESS ((NDIS_STATUS)0x00000000)
#define NDIS_STATUS_PENDING ((NDIS_STATUS)0x00000103)
#define NDIS_STATUS_FAILURE ((NDIS_STATUS)0xC0000001)
#define NDIS_STATUS_RESOURCES ((NDIS_STATUS)0xC000009A)
#define NDIS_STATUS_INVALID_PARAMETER ((NDIS_STATUS)0xC000000D)

#define NDIS_OBJECT_TYPE_DEFAULT 0x80

/* Leads every versioned NDIS structure; Size is that of the revision in bytes. */
typedef struct _NDIS_OBJECT_HEADER {
  UCHAR Type;
  UCHAR Revision;
  USHORT Size;
} NDIS_OBJECT_HEADER, *PNDIS_OBJECT_HEADER;

typedef struct _NDIS_GENERIC_OBJECT {
  NDIS_OBJECT_HEADER Header;
  PVOID Caller;
  PVOID CallersCaller;
  PVOID DriverObject;
} NDIS_GENERIC_OBJECT, *PNDIS_GENERIC_OBJECT;

typedef enum _NDIS_MEDIUM { NdisMedium802_3 = 0, NdisMediumNative802_11 = 16, NdisMediumIP = 19 } NDIS_MEDIUM;

#define NDIS_ETH_TYPE_IPV4 0x0800
#define NDIS_ETH_TYPE_ARP 0x0806
#define NDIS_ETH_TYPE_802_1Q 0x8100
#define NDIS_ETH_TYPE_IPV6 0x86dd
#define NDIS_ETH_TYPE_802_1X 0x888e
#define NDIS_ETH_TYPE_SLOW_PROTOCOL 0x8809

#ifdef __cplusplus
extern "C" {
#endif

struct _DRIVER_OBJECT;

PNDIS_GENERIC_OBJECT NTAPI NdisAllocateGenericObject(struct _DRIVER_OBJECT* DriverObject, ULONG Tag, USHORT Size);
void NTAPI NdisFreeGenericObject(PNDIS_GENERIC_OBJECT NdisObject);

#ifdef __cplusplus
}
#endif

#endif
