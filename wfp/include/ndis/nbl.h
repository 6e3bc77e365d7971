/* NET_BUFFER and NET_BUFFER_LIST: the packet as drivers see it, with the documented members at their x64 offsets.
 *
 * A NET_BUFFER_LIST is the unit of ownership and carries the out-of-band information. Each of its NET_BUFFERs is one
 * frame: DataLength bytes that start DataOffset bytes into the MDL chain, which is CurrentMdlOffset bytes into
 * CurrentMdl. Objects come only from the allocation functions (ndis/nblapi.h): private state lies behind the members.
 * On x64 the list links and the reserved arrays are aligned as a MEMORY_ALLOCATION_ALIGNMENT block, which is where the
 * gaps come from. */
#ifndef WFPTAP_NDIS_NBL_H
#define WFPTAP_NDIS_NBL_H

#include <ndis/mdl.h>
#include <ndis/oob.h>

struct _NET_BUFFER_SHARED_MEMORY;
struct _SCATTER_GATHER_LIST;

typedef struct _NET_BUFFER {
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) struct _NET_BUFFER* Next;
  MDL* CurrentMdl;
  ULONG CurrentMdlOffset; /* bytes into CurrentMdl */
  union {
    ULONG DataLength; /* bytes */
    SIZE_T stDataLength;
  };
  MDL* MdlChain;
  ULONG DataOffset; /* bytes into MdlChain: the used space before the data */
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) USHORT ChecksumBias;
  USHORT Reserved;
  NDIS_HANDLE NdisPoolHandle;
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) PVOID NdisReserved[2];
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) PVOID ProtocolReserved[6];
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) PVOID MiniportReserved[4];
  NDIS_PHYSICAL_ADDRESS DataPhysicalAddress; /* zero: no device reads this memory */
  union {
    struct _NET_BUFFER_SHARED_MEMORY* SharedMemoryInfo;
    struct _SCATTER_GATHER_LIST* ScatterGatherList;
  };
} NET_BUFFER, *PNET_BUFFER;

/* Space that a driver in the path put in front of its own data; Next is the one below. The data follows the header. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic" /* an array of no stated length is C's alone */
typedef struct _NET_BUFFER_LIST_CONTEXT {
  struct _NET_BUFFER_LIST_CONTEXT* Next;
  USHORT Size;   /* bytes of ContextData */
  USHORT Offset; /* where the used part begins */
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) UCHAR ContextData[];
} NET_BUFFER_LIST_CONTEXT, *PNET_BUFFER_LIST_CONTEXT;
#pragma GCC diagnostic pop

typedef struct _NET_BUFFER_LIST {
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) struct _NET_BUFFER_LIST* Next;
  NET_BUFFER* FirstNetBuffer;
  NET_BUFFER_LIST_CONTEXT* Context;
  struct _NET_BUFFER_LIST* ParentNetBufferList;
  NDIS_HANDLE NdisPoolHandle;
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) PVOID NdisReserved[2];
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) PVOID ProtocolReserved[4];
  DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) PVOID MiniportReserved[2];
  PVOID Scratch;
  NDIS_HANDLE SourceHandle;
  ULONG NblFlags;
  LONG ChildRefCount; /* clones alive */
  ULONG Flags;
  union {
    NDIS_STATUS Status;
    ULONG NdisReserved2;
  };
  PVOID NetBufferListInfo[MaxNetBufferListInfo];
} NET_BUFFER_LIST, *PNET_BUFFER_LIST;

/* Flags */
#define NBL_FLAGS_SEND_READ_ONLY 0x00000001
#define NBL_FLAGS_RECV_READ_ONLY 0x00000002

/* NblFlags */
#define NDIS_NBL_FLAGS_SEND_READ_ONLY 0x00000001
#define NDIS_NBL_FLAGS_RECV_READ_ONLY 0x00000002
#define NDIS_NBL_FLAGS_IS_IPV4 0x00000020
#define NDIS_NBL_FLAGS_IS_IPV6 0x00000040
#define NDIS_NBL_FLAGS_IS_TCP 0x00000080
#define NDIS_NBL_FLAGS_IS_UDP 0x00000100
#define NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET 0x00000200

#define NET_BUFFER_NEXT_NB(nb) ((nb)->Next)
#define NET_BUFFER_FIRST_MDL(nb) ((nb)->MdlChain)
#define NET_BUFFER_DATA_LENGTH(nb) ((nb)->DataLength)
#define NET_BUFFER_DATA_OFFSET(nb) ((nb)->DataOffset)
#define NET_BUFFER_CURRENT_MDL(nb) ((nb)->CurrentMdl)
#define NET_BUFFER_CURRENT_MDL_OFFSET(nb) ((nb)->CurrentMdlOffset)
#define NET_BUFFER_PROTOCOL_RESERVED(nb) ((nb)->ProtocolReserved)
#define NET_BUFFER_MINIPORT_RESERVED(nb) ((nb)->MiniportReserved)
#define NET_BUFFER_CHECKSUM_BIAS(nb) ((nb)->ChecksumBias)

#define NET_BUFFER_LIST_NEXT_NBL(nbl) ((nbl)->Next)
#define NET_BUFFER_LIST_FIRST_NB(nbl) ((nbl)->FirstNetBuffer)
#define NET_BUFFER_LIST_FLAGS(nbl) ((nbl)->Flags)
#define NET_BUFFER_LIST_NBL_FLAGS(nbl) ((nbl)->NblFlags)
#define NET_BUFFER_LIST_STATUS(nbl) ((nbl)->Status)
#define NET_BUFFER_LIST_PROTOCOL_RESERVED(nbl) ((nbl)->ProtocolReserved)
#define NET_BUFFER_LIST_MINIPORT_RESERVED(nbl) ((nbl)->MiniportReserved)
#define NET_BUFFER_LIST_INFO(nbl, id) ((nbl)->NetBufferListInfo[(id)])
#define NET_BUFFER_LIST_CONTEXT_DATA_START(nbl) ((PUCHAR)((nbl)->Context + 1) + (nbl)->Context->Offset)
#define NET_BUFFER_LIST_CONTEXT_DATA_SIZE(nbl) ((nbl)->Context->Size)
#define NDIS_SET_NET_BUFFER_LIST_CANCEL_ID(nbl, id) (NET_BUFFER_LIST_INFO(nbl, NetBufferListCancelId) = (PVOID)(id))
#define NDIS_GET_NET_BUFFER_LIST_CANCEL_ID(nbl) (NET_BUFFER_LIST_INFO(nbl, NetBufferListCancelId))

static inline void NdisAdjustNetBufferCurrentMdl(NET_BUFFER* nb) {
  while (nb->CurrentMdl != NULL && nb->CurrentMdlOffset >= nb->CurrentMdl->ByteCount &&
         nb->CurrentMdl->Next != NULL) {
    nb->CurrentMdlOffset -= nb->CurrentMdl->ByteCount;
    nb->CurrentMdl = nb->CurrentMdl->Next;
  }
}

#endif
