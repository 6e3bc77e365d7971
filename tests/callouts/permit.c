/* Permits everything at every layer that the host stack has. Loading it must change nothing. */
#include "sample.h"

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  SamplePermit(Out);
}

#define ROWS(layer) SAMPLE_ROWS(layer, Classify, FWP_ACTION_CALLOUT_TERMINATING, 0)
static SAMPLE_CALLOUT Callouts[] = {
    ROWS(INBOUND_IPPACKET),     ROWS(OUTBOUND_IPPACKET), ROWS(INBOUND_TRANSPORT),
    ROWS(OUTBOUND_TRANSPORT),   ROWS(ALE_AUTH_LISTEN),   ROWS(ALE_RESOURCE_ASSIGNMENT),
    ROWS(ALE_AUTH_RECV_ACCEPT), ROWS(ALE_AUTH_CONNECT),  ROWS(ALE_FLOW_ESTABLISHED),
};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  UNREFERENCED_PARAMETER(RegistryPath);
  for (ULONG i = 0; i < sizeof(Callouts) / sizeof(Callouts[0]); ++i)
    Callouts[i].Flags = FWP_CALLOUT_FLAG_ALLOW_OFFLOAD | FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO |
                        FWP_CALLOUT_FLAG_ALLOW_USO;
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x70726d74, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
