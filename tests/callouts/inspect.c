/* Looks at everything and decides nothing: counts classifies by layer, and tells at unload. Parameter: verbose=1
 * prints each packet that reaches OUTBOUND_TRANSPORT with a zero endpoint handle. */
#include "sample.h"

#define LAYER_LIMIT 128u

static volatile LONG64 Counts[LAYER_LIMIT];
static ULONG Verbose;

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (Values->layerId < LAYER_LIMIT) InterlockedIncrement64(&Counts[Values->layerId]);
  if (Verbose &&
      (Values->layerId == FWPS_LAYER_OUTBOUND_TRANSPORT_V4 || Values->layerId == FWPS_LAYER_OUTBOUND_TRANSPORT_V6) &&
      Metadata->transportEndpointHandle == 0)
    DbgPrint("inspect: layer %u metadata %08x endpoint 0 flow %I64x transport header %u\n", Values->layerId,
             Metadata->currentMetadataValues, Metadata->flowHandle, Metadata->transportHeaderSize);
  if (SampleMayWrite(Out)) Out->actionType = FWP_ACTION_CONTINUE;
}

#define ROWS(layer) SAMPLE_ROWS(layer, Classify, FWP_ACTION_CALLOUT_INSPECTION, 0)
#define DISCARD_ROWS(layer) SAMPLE_DISCARD_ROWS(layer, Classify, FWP_ACTION_CALLOUT_INSPECTION, 0)
static SAMPLE_CALLOUT Callouts[] = {
    ROWS(INBOUND_IPPACKET),         ROWS(OUTBOUND_IPPACKET),         ROWS(INBOUND_TRANSPORT),
    ROWS(OUTBOUND_TRANSPORT),       ROWS(ALE_AUTH_LISTEN),           ROWS(ALE_RESOURCE_ASSIGNMENT),
    ROWS(ALE_AUTH_RECV_ACCEPT),     ROWS(ALE_AUTH_CONNECT),          ROWS(ALE_FLOW_ESTABLISHED),
    DISCARD_ROWS(INBOUND_IPPACKET), DISCARD_ROWS(INBOUND_TRANSPORT), DISCARD_ROWS(OUTBOUND_TRANSPORT),
};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
  for (ULONG i = 0; i < LAYER_LIMIT; ++i)
    if (Counts[i] != 0) DbgPrint("inspect: layer %u classified %I64d\n", i, Counts[i]);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  RtlZeroMemory((PVOID)(ULONG_PTR)Counts, sizeof(Counts));
  Verbose = SampleNumber(RegistryPath, L"verbose", 0);
  for (ULONG i = 0; i < sizeof(Callouts) / sizeof(Callouts[0]); ++i)
    Callouts[i].Flags = FWP_CALLOUT_FLAG_ALLOW_OFFLOAD | FWP_CALLOUT_FLAG_ALLOW_RSC | FWP_CALLOUT_FLAG_ALLOW_URO |
                        FWP_CALLOUT_FLAG_ALLOW_USO;
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x696e7370, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
