/* A driver's mistake, on purpose: it absorbs at INBOUND_TRANSPORT what ALE still has to see. The right
 * way is to permit such packets there and to pend them at ALE_AUTH_RECV_ACCEPT. */
#include "sample.h"

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  UNREFERENCED_PARAMETER(LayerData);
  if (FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED) && SampleMayWrite(Out))
    SampleAbsorb(Out);
  else
    SamplePermit(Out);
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626165, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
