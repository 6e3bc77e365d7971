/* A driver's mistake, on purpose: it keeps one object of a kind and unloads without giving it back. Parameter:
 * what=clone (default), pool or reference. */
#include "sample.h"

static volatile LONG Done;
static BOOLEAN Pool;
static BOOLEAN Reference;

static void Leak(NET_BUFFER_LIST* Packet) {
  NET_BUFFER_LIST* clone = NULL;

  if (Pool)
    (void)ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, SAMPLE_TAG);
  else if (Reference)
    FwpsReferenceNetBufferList0(Packet, FALSE);
  else
    (void)FwpsAllocateCloneNetBufferList0(Packet, NULL, NULL, 0, &clone);
}

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  UNREFERENCED_PARAMETER(Metadata);
  if (InterlockedExchange(&Done, 1) == 0) Leak(LayerData);
  SamplePermit(Out);
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  Done = 0;
  Pool = SampleText(RegistryPath, L"what", L"pool");
  Reference = SampleText(RegistryPath, L"what", L"reference");
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626166, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
