/* Data that a callout attaches to a flow. One context per flow, layer and callout; flowDeleteFn gives it back.
 *
 * IRQL <= DISPATCH_LEVEL, any thread. FwpsFlowRemoveContext0 returns STATUS_PENDING when a classify is running with
 * the context; flowDeleteFn then runs after it. */
#ifndef WFPTAP_FWPS_FLOW_H
#define WFPTAP_FWPS_FLOW_H

#include <nt/types.h>

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS NTAPI FwpsFlowAssociateContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId, UINT64 flowContext);
NTSTATUS NTAPI FwpsFlowRemoveContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId);
NTSTATUS NTAPI FwpsFlowAbort0(UINT64 flowId);

#ifdef __cplusplus
}
#endif

#define FwpsFlowAssociateContext FwpsFlowAssociateContext0
#define FwpsFlowRemoveContext FwpsFlowRemoveContext0
#define FwpsFlowAbort FwpsFlowAbort0

#endif
