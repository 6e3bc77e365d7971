/* Deciding later: pended authorizations, classify handles, and layer data that a callout may change.
 *
 * IRQL <= DISPATCH_LEVEL, any thread. Completion is synchronous: FwpsCompleteOperation0 and FwpsCompleteClassify0
 * return after the reclassification that they cause. Each pended operation is completed exactly once. */
#ifndef WFPTAP_FWPS_PEND_H
#define WFPTAP_FWPS_PEND_H

#include <fwps/classify.h>
#include <ndis/nbl.h>

#define FWPS_CLASSIFY_FLAG_REAUTHORIZE_IF_MODIFIED_BY_OTHERS 0x00000001

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS NTAPI FwpsPendOperation0(HANDLE completionHandle, HANDLE* completionContext);
void NTAPI FwpsCompleteOperation0(HANDLE completionContext, PNET_BUFFER_LIST netBufferList);

NTSTATUS NTAPI FwpsAcquireClassifyHandle0(void* classifyContext, UINT32 flags, UINT64* classifyHandle);
void NTAPI FwpsReleaseClassifyHandle0(UINT64 classifyHandle);
NTSTATUS NTAPI FwpsPendClassify0(UINT64 classifyHandle, UINT64 filterId, UINT32 flags,
                                 FWPS_CLASSIFY_OUT0* classifyOut);
void NTAPI FwpsCompleteClassify0(UINT64 classifyHandle, UINT32 flags, const FWPS_CLASSIFY_OUT0* classifyOut);

NTSTATUS NTAPI FwpsAcquireWritableLayerDataPointer0(UINT64 classifyHandle, UINT64 filterId, UINT32 flags,
                                                    PVOID* writableLayerData, FWPS_CLASSIFY_OUT0* classifyOut);
void NTAPI FwpsApplyModifiedLayerData0(UINT64 classifyHandle, PVOID modifiedLayerData, UINT32 flags);
NTSTATUS NTAPI FwpsClassifyOptionSet0(const FWPS_INCOMING_METADATA_VALUES0* inMetadataValues,
                                      const FWP_CLASSIFY_OPTION_TYPE option, const FWP_VALUE0* newValue);

#ifdef __cplusplus
}
#endif

#define FwpsPendOperation FwpsPendOperation0
#define FwpsCompleteOperation FwpsCompleteOperation0
#define FwpsAcquireClassifyHandle FwpsAcquireClassifyHandle0
#define FwpsReleaseClassifyHandle FwpsReleaseClassifyHandle0
#define FwpsPendClassify FwpsPendClassify0
#define FwpsCompleteClassify FwpsCompleteClassify0
#define FwpsAcquireWritableLayerDataPointer FwpsAcquireWritableLayerDataPointer0
#define FwpsApplyModifiedLayerData FwpsApplyModifiedLayerData0
#define FwpsClassifyOptionSet FwpsClassifyOptionSet0

#endif
