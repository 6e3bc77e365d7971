// Fwps functions over flows: check, call wfp/flow. IRQL <= DISPATCH_LEVEL, any thread.
#include "fwpsk.h"
#include "nt/ntstatus.h"
#include "wfp/flow/flows.hpp"
#include "wfp/kernel/irql.hpp"

using namespace wfp;

extern "C" {

NTSTATUS NTAPI FwpsFlowAssociateContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId, UINT64 flowContext) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsFlowAssociateContext0");
  flow::Flows* const flows = flow::Flows::current();
  if (flows == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  return flows->associate(flowId, layerId, calloutId, flowContext);
}

NTSTATUS NTAPI FwpsFlowRemoveContext0(UINT64 flowId, UINT16 layerId, UINT32 calloutId) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsFlowRemoveContext0");
  flow::Flows* const flows = flow::Flows::current();
  if (flows == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  return flows->remove(flowId, layerId, calloutId);
}

// The stack ends the conversation, between packets; its end deletes the contexts.
NTSTATUS NTAPI FwpsFlowAbort0(UINT64 flowId) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsFlowAbort0");
  flow::Flows* const flows = flow::Flows::current();
  if (flows == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  return flows->abort(flowId);
}

}  // extern "C"
