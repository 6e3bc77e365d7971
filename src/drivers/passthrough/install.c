/* What the engine knows of the driver: run-time callouts, and the management objects that bring traffic to them.
 * IRQL: PASSIVE_LEVEL throughout. */
#include "passthrough.h"

#define PT_UNREGISTER_TRIES 500u
#define PT_UNREGISTER_WAIT (-10LL * 1000 * 10) /* 10 ms, in units of 100 ns, relative */

static BOOLEAN PtUsesLayer(const PT_LAYER* Layer) { return Layer->Kind != PtConnect || Pt.Parameters.PendConnect; }

/* Nothing comes to us, so there is nothing to do; but the pointer must not be NULL. */
static NTSTATUS NTAPI PtNotify(FWPS_CALLOUT_NOTIFY_TYPE Type, const GUID* FilterKey, FWPS_FILTER1* Filter) {
  UNREFERENCED_PARAMETER(Type);
  UNREFERENCED_PARAMETER(FilterKey);
  UNREFERENCED_PARAMETER(Filter);
  return STATUS_SUCCESS;
}

/* Without the ALLOW flags the engine turns the offloads off for the traffic that a callout sees (documented with
 * FWPS_CALLOUTn): correct, and several times slower. We handle large packets as they are, so we allow them. */
static UINT32 PtCalloutFlags(const PT_LAYER* Layer) {
  UINT32 flags = 0;

  if (Pt.Parameters.AllowOffload) flags |= FWP_CALLOUT_FLAG_ALLOW_OFFLOAD | FWP_CALLOUT_FLAG_ALLOW_USO;
  if (Layer->Kind == PtConnect || Layer->Kind == PtOutbound || Pt.Parameters.AllowCoalescing)
    flags |= FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO;
  return flags;
}

NTSTATUS PtRegisterCallouts(void) {
  for (ULONG i = 0; i < PT_LAYER_COUNT; ++i) {
    const PT_LAYER* layer = &PtLayers[i];
    FWPS_CALLOUT1 callout;
    NTSTATUS status;

    if (!PtUsesLayer(layer)) continue;
    RtlZeroMemory(&callout, sizeof(callout));
    callout.calloutKey = *layer->CalloutKey;
    callout.flags = PtCalloutFlags(layer);
    callout.classifyFn =
        layer->Kind == PtInbound || layer->Kind == PtOutbound ? PtClassifyTransport : PtClassifyAuthorize;
    callout.notifyFn = PtNotify;
    status = FwpsCalloutRegister1(Pt.Device, &callout, &Pt.CalloutIds[i]);
    if (!NT_SUCCESS(status)) return status;
  }
  return STATUS_SUCCESS;
}

/* When it returns, no classify function of ours is running and none will be called. STATUS_DEVICE_BUSY means that
 * something of the engine still refers to the callout and the call is to be made again (documented for
 * FwpsCalloutUnregisterById0); ignoring it would let the code be unloaded under a caller. */
void PtUnregisterCallouts(void) {
  for (ULONG i = 0; i < PT_LAYER_COUNT; ++i) {
    NTSTATUS status = STATUS_SUCCESS;

    if (Pt.CalloutIds[i] == 0) continue;
    for (ULONG tries = 0; tries < PT_UNREGISTER_TRIES; ++tries) {
      LARGE_INTEGER wait;

      status = FwpsCalloutUnregisterById0(Pt.CalloutIds[i]);
      if (status != STATUS_DEVICE_BUSY) break;
      wait.QuadPart = PT_UNREGISTER_WAIT;
      KeDelayExecutionThread(KernelMode, FALSE, &wait);
    }
    if (!NT_SUCCESS(status))
      DbgPrint("passthrough: callout %u stays registered, status %08x\n", Pt.CalloutIds[i], status);
    Pt.CalloutIds[i] = 0;
  }
}

static NTSTATUS PtAddFilter(const PT_LAYER* Layer, UINT8 Protocol, UINT64* FilterId) {
  FWPM_FILTER_CONDITION0 condition;
  FWPM_FILTER0 filter;

  RtlZeroMemory(&condition, sizeof(condition));
  condition.fieldKey = FWPM_CONDITION_IP_PROTOCOL;
  condition.matchType = FWP_MATCH_EQUAL;
  condition.conditionValue.type = FWP_UINT8;
  condition.conditionValue.uint8 = Protocol;

  RtlZeroMemory(&filter, sizeof(filter));
  filter.displayData.name = (PWSTR)(ULONG_PTR)L"passthrough";
  filter.layerKey = *Layer->LayerKey;
  filter.subLayerKey = PtSubLayerKey;
  filter.weight.type = FWP_EMPTY;
  filter.numFilterConditions = 1;
  filter.filterCondition = &condition;
  /* TERMINATING: we always answer permit or block. Should the callout ever be gone while its filter is still there,
   * the documented default is block; a driver that decides nothing must not cut the network off, hence the flag. */
  filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
  filter.action.calloutKey = *Layer->CalloutKey;
  filter.flags = FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
  return FwpmFilterAdd0(Pt.Engine, &filter, NULL, FilterId);
}

static NTSTATUS PtAddSubLayer(void) {
  FWPM_SUBLAYER0 sublayer;

  RtlZeroMemory(&sublayer, sizeof(sublayer));
  sublayer.subLayerKey = PtSubLayerKey;
  sublayer.displayData.name = (PWSTR)(ULONG_PTR)L"passthrough";
  /* Transport and ALE callouts belong in a sublayer lighter than FWPM_SUBLAYER_UNIVERSAL, where IPsec's and ALE's own
   * callouts live. Being last also means that what others block never reaches us. */
  sublayer.weight = 1;
  return FwpmSubLayerAdd0(Pt.Engine, &sublayer, NULL);
}

static NTSTATUS PtAddLayer(ULONG Index) {
  const PT_LAYER* layer = &PtLayers[Index];
  FWPM_CALLOUT0 callout;
  NTSTATUS status;

  RtlZeroMemory(&callout, sizeof(callout));
  callout.calloutKey = *layer->CalloutKey;
  callout.displayData.name = (PWSTR)(ULONG_PTR)L"passthrough";
  callout.applicableLayer = *layer->LayerKey;
  status = FwpmCalloutAdd0(Pt.Engine, &callout, NULL, NULL);
  if (NT_SUCCESS(status)) status = PtAddFilter(layer, IPPROTO_TCP, &Pt.FilterIds[2 * Index]);
  if (NT_SUCCESS(status)) status = PtAddFilter(layer, IPPROTO_UDP, &Pt.FilterIds[2 * Index + 1]);
  return status;
}

/* All or nothing: traffic sees either none of our filters or all of them. The session is dynamic, so that the objects
 * go with the driver even if it dies on the way. */
NTSTATUS PtAddObjects(void) {
  FWPM_SESSION0 session;
  NTSTATUS status;

  RtlZeroMemory(&session, sizeof(session));
  session.displayData.name = (PWSTR)(ULONG_PTR)L"passthrough";
  session.flags = FWPM_SESSION_FLAG_DYNAMIC;
  status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &Pt.Engine);
  if (!NT_SUCCESS(status)) return status;

  status = FwpmTransactionBegin0(Pt.Engine, 0);
  if (!NT_SUCCESS(status)) return status;
  status = PtAddSubLayer();
  for (ULONG i = 0; NT_SUCCESS(status) && i < PT_LAYER_COUNT; ++i)
    if (PtUsesLayer(&PtLayers[i])) status = PtAddLayer(i);
  if (NT_SUCCESS(status)) status = FwpmTransactionCommit0(Pt.Engine);
  if (!NT_SUCCESS(status)) {
    FwpmTransactionAbort0(Pt.Engine); /* its result must not replace the reason why */
    return status;
  }
  Pt.ObjectsAdded = TRUE;
  return STATUS_SUCCESS;
}

/* Referrers before what they refer to: filters, callouts, sublayer. One transaction again, and every step is tried
 * whatever the one before it said; closing the dynamic session takes what is left. */
void PtDeleteObjects(void) {
  if (Pt.Engine == NULL) return;
  if (Pt.ObjectsAdded && NT_SUCCESS(FwpmTransactionBegin0(Pt.Engine, 0))) {
    for (ULONG i = 0; i < 2 * PT_LAYER_COUNT; ++i)
      if (Pt.FilterIds[i] != 0) FwpmFilterDeleteById0(Pt.Engine, Pt.FilterIds[i]);
    for (ULONG i = 0; i < PT_LAYER_COUNT; ++i)
      if (PtUsesLayer(&PtLayers[i])) FwpmCalloutDeleteByKey0(Pt.Engine, PtLayers[i].CalloutKey);
    FwpmSubLayerDeleteByKey0(Pt.Engine, &PtSubLayerKey);
    if (!NT_SUCCESS(FwpmTransactionCommit0(Pt.Engine))) FwpmTransactionAbort0(Pt.Engine);
  }
  FwpmEngineClose0(Pt.Engine);
  Pt.Engine = NULL;
  Pt.ObjectsAdded = FALSE;
}
