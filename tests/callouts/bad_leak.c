/* A driver's mistake, on purpose: it keeps one object of a kind and unloads without giving it back. Parameter:
 * what=clone (default), pool, reference, handle (for injections) or context (of a flow, with the callouts it is for). */
#include "sample.h"

static volatile LONG Done;
static BOOLEAN Pool;
static BOOLEAN Reference;
static BOOLEAN Handle;
static BOOLEAN Context;

static void Leak(NET_BUFFER_LIST* Packet) {
  NET_BUFFER_LIST* clone = NULL;

  if (Pool)
    (void)ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, SAMPLE_TAG);
  else if (Reference)
    FwpsReferenceNetBufferList0(Packet, FALSE);
  else if (!Handle)
    (void)FwpsAllocateCloneNetBufferList0(Packet, NULL, NULL, 0, &clone);
}

static void NTAPI Classify(const FWPS_INCOMING_VALUES0*, const FWPS_INCOMING_METADATA_VALUES0*, void*, const void*,
                           const FWPS_FILTER1*, UINT64, FWPS_CLASSIFY_OUT0*);

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP)};

/* To every flow that it sees, once each: a second attempt fails. */
static void Attach(UINT16 LayerId, UINT64 Flow) {
  (void)FwpsFlowAssociateContext0(Flow, LayerId, Callouts[LayerId == Callouts[0].LayerId ? 0 : 1].CalloutId, 1);
}

static void NTAPI FlowDelete(UINT16 LayerId, UINT32 CalloutId, UINT64 FlowContext) {
  UNREFERENCED_PARAMETER(LayerId);
  UNREFERENCED_PARAMETER(CalloutId);
  UNREFERENCED_PARAMETER(FlowContext);
}

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  NT_ASSERT(FlowContext == 0 || Context); /* else it is of the instance before this one */
  if (Context && FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_FLOW_HANDLE))
    Attach(Values->layerId, Metadata->flowHandle);
  else if (!Context && InterlockedExchange(&Done, 1) == 0)
    Leak(LayerData);
  SamplePermit(Out);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  if (!Context) SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  HANDLE handle;

  Done = 0;
  Pool = SampleText(RegistryPath, L"what", L"pool");
  Reference = SampleText(RegistryPath, L"what", L"reference");
  Handle = SampleText(RegistryPath, L"what", L"handle");
  if (Handle) (void)FwpsInjectionHandleCreate0(AF_UNSPEC, FWPS_INJECTION_TYPE_TRANSPORT, &handle);
  Context = SampleText(RegistryPath, L"what", L"context");
  Callouts[0].FlowDelete = Callouts[1].FlowDelete = FlowDelete;
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626166, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
