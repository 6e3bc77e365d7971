/* The stream layers: what a callout is shown of a connection's bytes, and how it answers.
 *
 * The data shown is valid until the classify function returns; a clone of it is the driver's until its injection
 * completes or FwpsDiscardClonedStreamData0. IRQL <= DISPATCH_LEVEL, any thread. Declared only so far: the functions
 * have no body. */
#ifndef WFPTAP_FWPS_STREAM_H
#define WFPTAP_FWPS_STREAM_H

#include <fwps/inject.h>

#define FWPS_STREAM_FLAG_RECEIVE 0x00000001
#define FWPS_STREAM_FLAG_RECEIVE_EXPEDITED 0x00000002
#define FWPS_STREAM_FLAG_RECEIVE_DISCONNECT 0x00000004
#define FWPS_STREAM_FLAG_RECEIVE_ABORT 0x00000008
#define FWPS_STREAM_FLAG_RECEIVE_PUSH 0x00000010
#define FWPS_STREAM_FLAG_SEND 0x00010000
#define FWPS_STREAM_FLAG_SEND_EXPEDITED 0x00020000
#define FWPS_STREAM_FLAG_SEND_NODELAY 0x00040000
#define FWPS_STREAM_FLAG_SEND_DISCONNECT 0x00080000
#define FWPS_STREAM_FLAG_SEND_ABORT 0x00100000

typedef enum FWPS_STREAM_ACTION_TYPE_ {
  FWPS_STREAM_ACTION_NONE = 0,
  FWPS_STREAM_ACTION_NEED_MORE_DATA = 1,
  FWPS_STREAM_ACTION_DROP_CONNECTION = 2,
  FWPS_STREAM_ACTION_DEFER = 3,
  FWPS_STREAM_ACTION_ALLOW_CONNECTION = 4,
  FWPS_STREAM_ACTION_TYPE_MAX = 5
} FWPS_STREAM_ACTION_TYPE;

typedef struct FWPS_STREAM_DATA_OFFSET0_ {
  NET_BUFFER_LIST* netBufferList;
  NET_BUFFER* netBuffer;
  MDL* mdl;
  UINT32 mdlOffset;
  UINT32 netBufferOffset;
  SIZE_T streamDataOffset;
} FWPS_STREAM_DATA_OFFSET0;

typedef struct FWPS_STREAM_DATA0_ {
  UINT32 flags;
  FWPS_STREAM_DATA_OFFSET0 dataOffset;
  SIZE_T dataLength;
  NET_BUFFER_LIST* netBufferListChain;
} FWPS_STREAM_DATA0;

typedef struct FWPS_STREAM_CALLOUT_IO_PACKET0_ {
  FWPS_STREAM_DATA0* streamData;
  SIZE_T missedBytes;
  UINT32 countBytesRequired;
  SIZE_T countBytesEnforced;
  FWPS_STREAM_ACTION_TYPE streamAction;
} FWPS_STREAM_CALLOUT_IO_PACKET0;

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS NTAPI FwpsStreamInjectAsync0(HANDLE injectionHandle, HANDLE injectionContext, UINT32 flags, UINT64 flowId,
                                      UINT32 calloutId, UINT16 layerId, UINT32 streamFlags,
                                      NET_BUFFER_LIST* netBufferList, SIZE_T dataLength,
                                      FWPS_INJECT_COMPLETE0 completionFn, HANDLE completionContext);
NTSTATUS NTAPI FwpsStreamContinue0(UINT64 flowId, UINT32 calloutId, UINT16 layerId, UINT32 streamFlags);
void NTAPI FwpsCopyStreamDataToBuffer0(const FWPS_STREAM_DATA0* calloutStreamData, PVOID buffer, SIZE_T bytesToCopy,
                                       SIZE_T* bytesCopied);
NTSTATUS NTAPI FwpsCloneStreamData0(FWPS_STREAM_DATA0* calloutStreamData, NDIS_HANDLE netBufferListPoolHandle,
                                    NDIS_HANDLE netBufferPoolHandle, ULONG allocateCloneFlags,
                                    NET_BUFFER_LIST** netBufferListChain);
void NTAPI FwpsDiscardClonedStreamData0(NET_BUFFER_LIST* netBufferListChain, UINT32 allocateCloneFlags,
                                        BOOLEAN dispatchLevel);

#ifdef __cplusplus
}
#endif

#define FWPS_STREAM_DATA_OFFSET FWPS_STREAM_DATA_OFFSET0
#define FWPS_STREAM_DATA FWPS_STREAM_DATA0
#define FWPS_STREAM_CALLOUT_IO_PACKET FWPS_STREAM_CALLOUT_IO_PACKET0
#define FwpsStreamInjectAsync FwpsStreamInjectAsync0
#define FwpsStreamContinue FwpsStreamContinue0
#define FwpsCopyStreamDataToBuffer FwpsCopyStreamDataToBuffer0
#define FwpsCloneStreamData FwpsCloneStreamData0
#define FwpsDiscardClonedStreamData FwpsDiscardClonedStreamData0

#endif
