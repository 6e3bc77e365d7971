/* Cuts TCP flows of one local port some time after they are established, as a security product does that has made up
 * its mind: FwpsFlowAbort0 from the DPC of a timer. One flow at a time: the last that was established. */
#include "sample.h"

static struct {
  KSPIN_LOCK Lock;
  UINT64 Flow; /* to be cut; 0: none */
  KTIMER Timer;
  KDPC Dpc;
  ULONG Port, AfterMs;
} Cutter;

static VOID Cut(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
  UINT64 flow;

  UNREFERENCED_PARAMETER(Dpc);
  UNREFERENCED_PARAMETER(Context);
  UNREFERENCED_PARAMETER(Argument1);
  UNREFERENCED_PARAMETER(Argument2);
  KeAcquireSpinLockAtDpcLevel(&Cutter.Lock);
  flow = Cutter.Flow;
  Cutter.Flow = 0;
  KeReleaseSpinLockFromDpcLevel(&Cutter.Lock);
  if (flow != 0) DbgPrint("flow_abort: 0x%08x\n", FwpsFlowAbort0(flow));
}

static void NTAPI Established(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                              void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                              UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  const BOOLEAN v6 = (BOOLEAN)(Values->layerId == FWPS_LAYER_ALE_FLOW_ESTABLISHED_V6);
  const UINT32 field =
      v6 ? FWPS_FIELD_ALE_FLOW_ESTABLISHED_V6_IP_LOCAL_PORT : FWPS_FIELD_ALE_FLOW_ESTABLISHED_V4_IP_LOCAL_PORT;
  KLOCK_QUEUE_HANDLE lock;
  LARGE_INTEGER due;

  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (Values->incomingValue[field].value.uint16 == Cutter.Port) {
    KeAcquireInStackQueuedSpinLock(&Cutter.Lock, &lock);
    Cutter.Flow = Metadata->flowHandle;
    KeReleaseInStackQueuedSpinLock(&lock);
    due.QuadPart = -10000LL * Cutter.AfterMs;
    KeSetTimer(&Cutter.Timer, due, &Cutter.Dpc);
  }
  if (SampleMayWrite(Out)) Out->actionType = FWP_ACTION_CONTINUE;
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(ALE_FLOW_ESTABLISHED, Established, FWP_ACTION_CALLOUT_INSPECTION, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleRemoveFilters();
  KeCancelTimer(&Cutter.Timer);
  KeFlushQueuedDpcs();
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  RtlZeroMemory(&Cutter, sizeof(Cutter));
  KeInitializeSpinLock(&Cutter.Lock);
  KeInitializeTimer(&Cutter.Timer);
  KeInitializeDpc(&Cutter.Dpc, Cut, NULL);
  Cutter.Port = SampleNumber(RegistryPath, L"port", 19);
  Cutter.AfterMs = SampleNumber(RegistryPath, L"after", 1500);
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x666c6162, Callouts, ARRAYSIZE(Callouts));
}
