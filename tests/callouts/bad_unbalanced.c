/* A driver's mistake, on purpose: the data start is moved back to the TCP header to look at it, and one path returns
 * without moving it forward again. Parameter: always=1 forgets it for every packet. */
#include "sample.h"

static ULONG Always;

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* packet = LayerData;
  UCHAR storage[20];
  const UCHAR* header;

  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  SamplePermit(Out);
  if (!NT_SUCCESS(NdisRetreatNetBufferListDataStart(packet, Metadata->transportHeaderSize, 0, NULL, NULL))) return;
  header = NdisGetDataBuffer(NET_BUFFER_LIST_FIRST_NB(packet), sizeof(storage), storage, 1, 0);
  if (Always || (header != NULL && (header[13] & 0x08) != 0)) return; /* PSH: the forgotten path */
  NdisAdvanceNetBufferListDataStart(packet, Metadata->transportHeaderSize, FALSE, NULL);
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  Always = SampleNumber(RegistryPath, L"always", 0);
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626164, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
