/* Allocation, cloning and data-offset functions for NET_BUFFER_LISTs. All run at IRQL <= DISPATCH_LEVEL, any thread.
 *
 * Allocators return NULL when out of resources. Pool handles must outlive what was allocated from them; freeing a
 * pool with objects out is reported. Source: the documented NDIS functions of these names. */
#ifndef WFPTAP_NDIS_NBLAPI_H
#define WFPTAP_NDIS_NBLAPI_H

#include <ndis/nbl.h>

#define NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 1
#define NET_BUFFER_POOL_PARAMETERS_REVISION_1 1

typedef struct _NET_BUFFER_LIST_POOL_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  UCHAR ProtocolId;
  BOOLEAN fAllocateNetBuffer;
  USHORT ContextSize;
  ULONG PoolTag;
  ULONG DataSize;
  ULONG Flags;
} NET_BUFFER_LIST_POOL_PARAMETERS, *PNET_BUFFER_LIST_POOL_PARAMETERS;
#define NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1 \
  ((USHORT)(offsetof(NET_BUFFER_LIST_POOL_PARAMETERS, DataSize) + sizeof(ULONG)))

typedef struct _NET_BUFFER_POOL_PARAMETERS {
  NDIS_OBJECT_HEADER Header;
  ULONG PoolTag;
  ULONG DataSize;
} NET_BUFFER_POOL_PARAMETERS, *PNET_BUFFER_POOL_PARAMETERS;
#define NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1 ((USHORT)sizeof(NET_BUFFER_POOL_PARAMETERS))

#define NDIS_PROTOCOL_ID_DEFAULT 0x00
#define NDIS_PROTOCOL_ID_TCP_IP 0x02

/* allocateCloneFlags */
#define NDIS_CLONE_FLAGS_RESERVED 0x00000001
#define NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS 0x00000002

typedef PMDL(NET_BUFFER_ALLOCATE_MDL_HANDLER)(PULONG BufferSize);
typedef NET_BUFFER_ALLOCATE_MDL_HANDLER* NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR;
typedef void(NET_BUFFER_FREE_MDL_HANDLER)(PMDL Mdl);
typedef NET_BUFFER_FREE_MDL_HANDLER* NET_BUFFER_FREE_MDL_HANDLER_PTR;

#ifdef __cplusplus
extern "C" {
#endif

NDIS_HANDLE NTAPI NdisAllocateNetBufferListPool(NDIS_HANDLE NdisHandle,
                                                const NET_BUFFER_LIST_POOL_PARAMETERS* Parameters);
void NTAPI NdisFreeNetBufferListPool(NDIS_HANDLE PoolHandle);
NDIS_HANDLE NTAPI NdisAllocateNetBufferPool(NDIS_HANDLE NdisHandle, const NET_BUFFER_POOL_PARAMETERS* Parameters);
void NTAPI NdisFreeNetBufferPool(NDIS_HANDLE PoolHandle);

NET_BUFFER_LIST* NTAPI NdisAllocateNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize, USHORT ContextBackFill);
NET_BUFFER_LIST* NTAPI NdisAllocateNetBufferAndNetBufferList(NDIS_HANDLE PoolHandle, USHORT ContextSize,
                                                             USHORT ContextBackFill, MDL* MdlChain, ULONG DataOffset,
                                                             SIZE_T DataLength);
void NTAPI NdisFreeNetBufferList(NET_BUFFER_LIST* NetBufferList);
NET_BUFFER* NTAPI NdisAllocateNetBuffer(NDIS_HANDLE PoolHandle, MDL* MdlChain, ULONG DataOffset, SIZE_T DataLength);
NET_BUFFER* NTAPI NdisAllocateNetBufferMdlAndData(NDIS_HANDLE PoolHandle);
void NTAPI NdisFreeNetBuffer(NET_BUFFER* NetBuffer);

/* The clone shares the original's bytes and keeps the original alive until NdisFreeCloneNetBufferList. */
NET_BUFFER_LIST* NTAPI NdisAllocateCloneNetBufferList(NET_BUFFER_LIST* OriginalNetBufferList,
                                                      NDIS_HANDLE NetBufferListPoolHandle,
                                                      NDIS_HANDLE NetBufferPoolHandle, ULONG AllocateCloneFlags);
void NTAPI NdisFreeCloneNetBufferList(NET_BUFFER_LIST* CloneNetBufferList, ULONG FreeCloneFlags);

/* Retreat makes room in front of the data: in the used space when it is large enough, else in a new MDL. Advance
 * undoes it; with FreeMdl it also frees the MDL that a retreat added. Both keep DataOffset, DataLength and CurrentMdl
 * true. */
NDIS_STATUS NTAPI NdisRetreatNetBufferDataStart(NET_BUFFER* NetBuffer, ULONG DataOffsetDelta, ULONG DataBackFill,
                                                NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR AllocateMdlHandler);
void NTAPI NdisAdvanceNetBufferDataStart(NET_BUFFER* NetBuffer, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                         NET_BUFFER_FREE_MDL_HANDLER_PTR FreeMdlHandler);
NDIS_STATUS NTAPI NdisRetreatNetBufferListDataStart(NET_BUFFER_LIST* NetBufferList, ULONG DataOffsetDelta,
                                                    ULONG DataBackFill,
                                                    NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR AllocateMdlHandler,
                                                    NET_BUFFER_FREE_MDL_HANDLER_PTR FreeMdlHandler);
void NTAPI NdisAdvanceNetBufferListDataStart(NET_BUFFER_LIST* NetBufferList, ULONG DataOffsetDelta, BOOLEAN FreeMdl,
                                             NET_BUFFER_FREE_MDL_HANDLER_PTR FreeMdlHandler);

/* BytesNeeded contiguous bytes at the data start: in place, or copied to Storage; NULL when neither is possible. */
PVOID NTAPI NdisGetDataBuffer(NET_BUFFER* NetBuffer, ULONG BytesNeeded, PVOID Storage, ULONG AlignMultiple,
                              ULONG AlignOffset);
NDIS_STATUS NTAPI NdisCopyFromNetBufferToNetBuffer(NET_BUFFER* Destination, ULONG DestinationOffset,
                                                   ULONG BytesToCopy, NET_BUFFER const* Source, ULONG SourceOffset,
                                                   ULONG* BytesCopied);
void NTAPI NdisCopySendNetBufferListInfo(NET_BUFFER_LIST* Destination, NET_BUFFER_LIST* Source);
void NTAPI NdisCopyReceiveNetBufferListInfo(NET_BUFFER_LIST* Destination, NET_BUFFER_LIST* Source);

#ifdef __cplusplus
}
#endif

#endif
