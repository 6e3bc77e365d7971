/* A driver's mistake, on purpose: of what TCP or UDP sends it injects at OUTBOUND_IPPACKET a copy whose last byte is another,
 * with the checksum that was right before. Whoever receives it drops it, unless an adapter had yet to finish the sum, which
 * hides the mistake. Parameter: consent=1 registers with FWP_CALLOUT_FLAG_ALLOW_OFFLOAD, and so may be hidden. */
#include "sample.h"

#define MAX_COPY 2048u

static HANDLE Injection[2];
static volatile LONG Changed;
static EX_RUNDOWN_REF Rundown; /* one hold for each injection */

typedef struct COPY_ {
  PMDL Mdl;
  UCHAR Bytes[MAX_COPY];
} COPY;

static void FreeCopy(NET_BUFFER_LIST* List, COPY* Copy) {
  if (List != NULL) FwpsFreeNetBufferList0(List);
  if (Copy->Mdl != NULL) IoFreeMdl(Copy->Mdl);
  ExFreePoolWithTag(Copy, SAMPLE_TAG);
}

static void NTAPI Injected(void* Context, NET_BUFFER_LIST* List, BOOLEAN DispatchLevel) {
  UNREFERENCED_PARAMETER(DispatchLevel);
  FreeCopy(List, Context);
  ExReleaseRundownProtection(&Rundown);
}

/* Does anything follow the headers of IP and of TCP or UDP? */
static BOOLEAN HasPayload(const UCHAR* Bytes, ULONG Length) {
  const BOOLEAN v4 = (BOOLEAN)(Bytes[0] >> 4 == 4);
  const ULONG ip = v4 ? (Bytes[0] & 15u) * 4u : 40u;
  const ULONG protocol = v4 ? Bytes[9] : Bytes[6];

  if (protocol == 17) return (BOOLEAN)(Length > ip + 8);
  return (BOOLEAN)(protocol == 6 && Length > ip + (ULONG)(Bytes[ip + 12] >> 4) * 4u);
}

static NET_BUFFER_LIST* MakeChanged(NET_BUFFER_LIST* Packet, COPY** Made) {
  NET_BUFFER* buffer = NET_BUFFER_LIST_FIRST_NB(Packet);
  const ULONG length = NET_BUFFER_DATA_LENGTH(buffer);
  NET_BUFFER_LIST* list = NULL;
  COPY* copy;
  UCHAR* found;

  if (length > MAX_COPY) return NULL;
  copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*copy), SAMPLE_TAG);
  if (copy == NULL) return NULL;
  found = NdisGetDataBuffer(buffer, length, copy->Bytes, 1, 0);
  if (found != NULL && found != copy->Bytes) RtlCopyMemory(copy->Bytes, found, length);
  if (found != NULL && HasPayload(copy->Bytes, length))
    copy->Mdl = IoAllocateMdl(copy->Bytes, length, FALSE, FALSE, NULL);
  if (copy->Mdl != NULL) MmBuildMdlForNonPagedPool(copy->Mdl);
  if (copy->Mdl == NULL ||
      !NT_SUCCESS(FwpsAllocateNetBufferAndNetBufferList0(NULL, 0, 0, copy->Mdl, 0, length, &list))) {
    FreeCopy(NULL, copy);
    return NULL;
  }
  NET_BUFFER_LIST_INFO(list, TcpIpChecksumNetBufferListInfo) =
      NET_BUFFER_LIST_INFO(Packet, TcpIpChecksumNetBufferListInfo);
  copy->Bytes[length - 1] ^= 0x20;
  *Made = copy;
  return list;
}

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  const HANDLE handle = Injection[Values->layerId == FWPS_LAYER_OUTBOUND_IPPACKET_V6];
  NET_BUFFER_LIST* list;
  COPY* copy = NULL;

  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (!SampleMayWrite(Out)) return;
  SamplePermit(Out);
  if (FwpsQueryPacketInjectionState0(handle, LayerData, NULL) != FWPS_PACKET_NOT_INJECTED) return;
  if (!ExAcquireRundownProtection(&Rundown)) return;
  list = MakeChanged(LayerData, &copy);
  if (list != NULL &&
      NT_SUCCESS(FwpsInjectNetworkSendAsync0(handle, NULL, 0, Metadata->compartmentId, list, Injected, copy))) {
    InterlockedIncrement(&Changed);
    SampleAbsorb(Out);
    return;
  }
  if (list != NULL) FreeCopy(list, copy);
  ExReleaseRundownProtection(&Rundown);
}

static SAMPLE_CALLOUT Callouts[] = {SAMPLE_ROWS(OUTBOUND_IPPACKET, Classify, FWP_ACTION_CALLOUT_TERMINATING, 0)};

static void Stop(void) {
  SampleRemoveFilters();
  ExWaitForRundownProtectionRelease(&Rundown);
  for (ULONG i = 0; i < 2; ++i)
    if (Injection[i] != NULL) FwpsInjectionHandleDestroy0(Injection[i]);
  SampleStop();
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Stop();
  DbgPrint("bad_checksum: changed %d\n", Changed);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  const UINT32 flags = SampleNumber(RegistryPath, L"consent", 0) != 0 ? FWP_CALLOUT_FLAG_ALLOW_OFFLOAD : 0;
  NTSTATUS status;

  for (ULONG i = 0; i < sizeof(Callouts) / sizeof(Callouts[0]); ++i) Callouts[i].Flags = flags;
  Changed = 0;
  ExInitializeRundownProtection(&Rundown);
  DriverObject->DriverUnload = Unload;
  Injection[0] = Injection[1] = NULL;
  status = FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_NETWORK, &Injection[0]);
  if (NT_SUCCESS(status)) status = FwpsInjectionHandleCreate0(AF_INET6, FWPS_INJECTION_TYPE_NETWORK, &Injection[1]);
  if (NT_SUCCESS(status))
    status = SampleStart(DriverObject, 0x62636b73, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
  if (!NT_SUCCESS(status)) Stop();
  return status;
}
