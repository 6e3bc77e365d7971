/* A driver's mistake, on purpose: a classify that does not say what it means. Parameter: what=nothing (default) returns
 * without writing actionType; what=soft absorbs received segments but leaves FWPS_RIGHT_ACTION_WRITE set, so that a
 * lighter sublayer may overrule it. */
#include "sample.h"

static BOOLEAN Soft;

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (!Soft || !SampleMayWrite(Out)) return;
  if (FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED)) {
    Out->actionType = FWP_ACTION_CONTINUE;
    return;
  }
  Out->actionType = FWP_ACTION_BLOCK;
  Out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_UNKNOWN, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  Soft = SampleText(RegistryPath, L"what", L"soft");
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626167, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
