/* Counts the packets of each TCP flow: a context is attached when the flow is established, and the transport callouts
 * are conditional on it (FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW), so they are called for packets of such flows alone.
 * Segments without a flow, such as a RST that no connection sent or the ACK from TIME-WAIT, are therefore not
 * counted. The totals are told at unload. */
#include "sample.h"

#define MAX_CONTEXTS 65536

enum { kInbound4, kInbound6, kOutbound4, kOutbound6, kEstablished4, kEstablished6, kCalloutCount };

typedef struct FLOW_ {
  LIST_ENTRY Link;
  UINT64 FlowId;
  UINT16 LayerId;
  UINT32 CalloutId;
} FLOW;

static struct {
  KSPIN_LOCK Lock;
  LIST_ENTRY Flows;
  ULONG Count;
  BOOLEAN Closing;
  volatile LONG64 Flows64, Inbound, Outbound, Deleted;
} Counter;

static SAMPLE_CALLOUT Callouts[kCalloutCount];

static void Free(FLOW* Flow) {
  KLOCK_QUEUE_HANDLE lock;

  KeAcquireInStackQueuedSpinLock(&Counter.Lock, &lock);
  RemoveEntryList(&Flow->Link);
  --Counter.Count;
  KeReleaseInStackQueuedSpinLock(&lock);
  ExFreePoolWithTag(Flow, SAMPLE_TAG);
}

/* The only place where a context that was attached is freed: the engine promises that no classify has it any more. */
static void NTAPI FlowDelete(UINT16 LayerId, UINT32 CalloutId, UINT64 FlowContext) {
  UNREFERENCED_PARAMETER(LayerId);
  UNREFERENCED_PARAMETER(CalloutId);
  InterlockedIncrement64(&Counter.Deleted);
  Free((FLOW*)(ULONG_PTR)FlowContext);
}

static FLOW* Allocate(UINT64 FlowId, const SAMPLE_CALLOUT* Callout) {
  FLOW* flow = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*flow), SAMPLE_TAG);
  KLOCK_QUEUE_HANDLE lock;
  BOOLEAN room;

  if (flow == NULL) return NULL;
  flow->FlowId = FlowId;
  flow->LayerId = Callout->LayerId;
  flow->CalloutId = Callout->CalloutId;
  KeAcquireInStackQueuedSpinLock(&Counter.Lock, &lock);
  room = (BOOLEAN)(!Counter.Closing && Counter.Count < MAX_CONTEXTS);
  if (room) {
    InsertTailList(&Counter.Flows, &flow->Link);
    ++Counter.Count;
  }
  KeReleaseInStackQueuedSpinLock(&lock);
  if (room) return flow;
  ExFreePoolWithTag(flow, SAMPLE_TAG);
  return NULL;
}

static void Attach(UINT64 FlowId, const SAMPLE_CALLOUT* Callout) {
  FLOW* flow = Allocate(FlowId, Callout);

  if (flow == NULL) return;
  if (!NT_SUCCESS(FwpsFlowAssociateContext0(FlowId, Callout->LayerId, Callout->CalloutId, (UINT64)(ULONG_PTR)flow)))
    Free(flow);
}

static void NTAPI Established(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                              void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                              UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  const BOOLEAN v6 = (BOOLEAN)(Values->layerId == FWPS_LAYER_ALE_FLOW_ESTABLISHED_V6);

  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_FLOW_HANDLE)) {
    InterlockedIncrement64(&Counter.Flows64);
    Attach(Metadata->flowHandle, &Callouts[v6 ? kInbound6 : kInbound4]);
    Attach(Metadata->flowHandle, &Callouts[v6 ? kOutbound6 : kOutbound4]);
  }
  if (SampleMayWrite(Out)) Out->actionType = FWP_ACTION_CONTINUE;
}

static void NTAPI Count(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                        void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter, UINT64 FlowContext,
                        FWPS_CLASSIFY_OUT0* Out) {
  const BOOLEAN inbound = (BOOLEAN)(Values->layerId == FWPS_LAYER_INBOUND_TRANSPORT_V4 ||
                                    Values->layerId == FWPS_LAYER_INBOUND_TRANSPORT_V6);

  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  NT_ASSERT(FlowContext != 0); /* conditional on flow: never called without one */
  UNREFERENCED_PARAMETER(FlowContext);
  InterlockedIncrement64(inbound ? &Counter.Inbound : &Counter.Outbound);
  if (SampleMayWrite(Out)) Out->actionType = FWP_ACTION_CONTINUE;
}

/* Flows may end by themselves meanwhile, so each round takes one that is still in the list, by value, and lets the
 * engine decide: SUCCESS ran FlowDelete, PENDING will, UNSUCCESSFUL says that it has been. */
static void RemoveAll(void) {
  for (;;) {
    KLOCK_QUEUE_HANDLE lock;
    LARGE_INTEGER wait;
    FLOW flow;
    BOOLEAN done;

    KeAcquireInStackQueuedSpinLock(&Counter.Lock, &lock);
    Counter.Closing = TRUE;
    done = IsListEmpty(&Counter.Flows);
    if (!done) flow = *CONTAINING_RECORD(Counter.Flows.Flink, FLOW, Link);
    KeReleaseInStackQueuedSpinLock(&lock);
    if (done) return;
    if (FwpsFlowRemoveContext0(flow.FlowId, flow.LayerId, flow.CalloutId) == STATUS_SUCCESS) continue;
    wait.QuadPart = -10000; /* 1 ms: its FlowDelete is on the way */
    KeDelayExecutionThread(KernelMode, FALSE, &wait);
  }
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleRemoveFilters();
  RemoveAll(); /* callouts with contexts cannot be unregistered: STATUS_DEVICE_BUSY */
  SampleStop();
  DbgPrint("flow_count: flows %I64d inbound %I64d outbound %I64d contexts deleted %I64d\n", Counter.Flows64,
           Counter.Inbound, Counter.Outbound, Counter.Deleted);
}

#define COUNT_ROW(layer)                                                                                            \
  {                                                                                                                 \
    FWPS_LAYER_##layer, &FWPM_LAYER_##layer, Count, FWP_ACTION_CALLOUT_INSPECTION, IPPROTO_TCP, kFlags, FlowDelete, \
        0                                                                                                           \
  }
#define ESTABLISHED_ROW(layer) \
  { FWPS_LAYER_##layer, &FWPM_LAYER_##layer, Established, FWP_ACTION_CALLOUT_INSPECTION, IPPROTO_TCP, 0, NULL, 0 }
enum {
  kFlags = FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW | FWP_CALLOUT_FLAG_ALLOW_OFFLOAD | FWP_CALLOUT_FLAG_ALLOW_RSC |
           FWP_CALLOUT_FLAG_ALLOW_URO | FWP_CALLOUT_FLAG_ALLOW_USO
};

static SAMPLE_CALLOUT Callouts[kCalloutCount] = {
    [kInbound4] = COUNT_ROW(INBOUND_TRANSPORT_V4),
    [kInbound6] = COUNT_ROW(INBOUND_TRANSPORT_V6),
    [kOutbound4] = COUNT_ROW(OUTBOUND_TRANSPORT_V4),
    [kOutbound6] = COUNT_ROW(OUTBOUND_TRANSPORT_V6),
    [kEstablished4] = ESTABLISHED_ROW(ALE_FLOW_ESTABLISHED_V4),
    [kEstablished6] = ESTABLISHED_ROW(ALE_FLOW_ESTABLISHED_V6),
};

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  RtlZeroMemory(&Counter, sizeof(Counter));
  KeInitializeSpinLock(&Counter.Lock);
  InitializeListHead(&Counter.Flows);
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x666c6f77, Callouts, kCalloutCount);
}
