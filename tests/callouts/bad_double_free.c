/* A driver's mistake, on purpose: an error path and the normal path both free the clone. */
#include "sample.h"

static volatile LONG Done;

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = NULL;

  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  UNREFERENCED_PARAMETER(Metadata);
  SamplePermit(Out);
  if (InterlockedExchange(&Done, 1) != 0) return;
  if (!NT_SUCCESS(FwpsAllocateCloneNetBufferList0(LayerData, NULL, NULL, 0, &clone))) return;
  FwpsFreeCloneNetBufferList0(clone, 0);
  FwpsFreeCloneNetBufferList0(clone, 0);
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  Done = 0;
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626167, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
