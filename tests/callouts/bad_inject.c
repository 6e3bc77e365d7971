/* A driver's mistake, on purpose: what it takes at INBOUND_IPPACKET it gives back in a way that cannot work. Parameter:
 * what=interface (default) injects the clone on the next interface; what=original injects the indicated packet itself;
 * what=unaligned injects a copy whose IP header lies at an odd address; what=malformed one whose header says that it is 12
 * bytes long, beside the packet, and prints how that ended. */
#include "sample.h"

#define MAX_COPY 2048u

static HANDLE Injection[2];
static BOOLEAN Original;
static BOOLEAN Unaligned;
static BOOLEAN Malformed;
static EX_RUNDOWN_REF Rundown; /* one hold for each injection */

typedef struct COPY_ {
  PMDL Mdl;
  UCHAR Bytes[16 + MAX_COPY];
} COPY;

static void NTAPI CloneInjected(void* Context, NET_BUFFER_LIST* Clone, BOOLEAN DispatchLevel) {
  UNREFERENCED_PARAMETER(Context);
  UNREFERENCED_PARAMETER(DispatchLevel);
  FwpsFreeCloneNetBufferList0(Clone, 0);
  ExReleaseRundownProtection(&Rundown);
}

static void NTAPI CopyInjected(void* Context, NET_BUFFER_LIST* List, BOOLEAN DispatchLevel) {
  COPY* copy = Context;

  UNREFERENCED_PARAMETER(DispatchLevel);
  if (Malformed) DbgPrint("malformed: completed with 0x%08x\n", NET_BUFFER_LIST_STATUS(List));
  FwpsFreeNetBufferList0(List);
  IoFreeMdl(copy->Mdl);
  ExFreePoolWithTag(copy, SAMPLE_TAG);
  ExReleaseRundownProtection(&Rundown);
}

/* From the IP header on, as the packet lies now. */
static NET_BUFFER_LIST* MakeCopy(NET_BUFFER_LIST* Packet, COPY** Made) {
  NET_BUFFER* buffer = NET_BUFFER_LIST_FIRST_NB(Packet);
  const ULONG length = NET_BUFFER_DATA_LENGTH(buffer);
  NET_BUFFER_LIST* list = NULL;
  COPY* copy;
  UCHAR* bytes;
  UCHAR* found;

  if (length > MAX_COPY) return NULL;
  copy = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*copy), SAMPLE_TAG);
  if (copy == NULL) return NULL;
  bytes = (UCHAR*)(((ULONG_PTR)copy->Bytes & ~(ULONG_PTR)7) + 1);
  while (bytes < copy->Bytes) bytes += 8;
  if (!Unaligned) bytes += 7;
  found = NdisGetDataBuffer(buffer, length, bytes, 1, 0);
  if (found != NULL && found != bytes) RtlCopyMemory(bytes, found, length);
  if (Malformed) bytes[0] = 0x43;
  copy->Mdl = IoAllocateMdl(bytes, length, FALSE, FALSE, NULL);
  if (copy->Mdl != NULL) MmBuildMdlForNonPagedPool(copy->Mdl);
  if (found == NULL || copy->Mdl == NULL ||
      !NT_SUCCESS(FwpsAllocateNetBufferAndNetBufferList0(NULL, 0, 0, copy->Mdl, 0, length, &list))) {
    if (copy->Mdl != NULL) IoFreeMdl(copy->Mdl);
    ExFreePoolWithTag(copy, SAMPLE_TAG);
    return NULL;
  }
  *Made = copy;
  return list;
}

static BOOLEAN InjectClone(HANDLE Handle, NET_BUFFER_LIST* Packet, IF_INDEX Interface) {
  NET_BUFFER_LIST* clone = NULL;

  if (!NT_SUCCESS(FwpsAllocateCloneNetBufferList0(Packet, NULL, NULL, 0, &clone))) return FALSE;
  if (NT_SUCCESS(FwpsInjectNetworkReceiveAsync0(Handle, NULL, 0, DEFAULT_COMPARTMENT_ID, Interface, 0, clone,
                                                CloneInjected, NULL)))
    return TRUE;
  FwpsFreeCloneNetBufferList0(clone, 0);
  return FALSE;
}

static BOOLEAN InjectCopy(HANDLE Handle, NET_BUFFER_LIST* Packet, IF_INDEX Interface) {
  COPY* copy = NULL;
  NET_BUFFER_LIST* list = MakeCopy(Packet, &copy);

  if (list == NULL) return FALSE;
  if (NT_SUCCESS(FwpsInjectNetworkReceiveAsync0(Handle, NULL, 0, DEFAULT_COMPARTMENT_ID, Interface, 0, list,
                                                CopyInjected, copy)))
    return TRUE;
  FwpsFreeNetBufferList0(list);
  IoFreeMdl(copy->Mdl);
  ExFreePoolWithTag(copy, SAMPLE_TAG);
  return FALSE;
}

static BOOLEAN InjectOriginal(HANDLE Handle, NET_BUFFER_LIST* Packet, IF_INDEX Interface) {
  return (BOOLEAN)NT_SUCCESS(FwpsInjectNetworkReceiveAsync0(Handle, NULL, 0, DEFAULT_COMPARTMENT_ID, Interface, 0,
                                                            Packet, CloneInjected, NULL));
}

static void Take(const FWPS_INCOMING_METADATA_VALUES0* Metadata, NET_BUFFER_LIST* Packet, UINT16 Family,
                 IF_INDEX Interface, FWPS_CLASSIFY_OUT0* Out) {
  const HANDLE handle = Injection[Family];
  BOOLEAN taken = FALSE;

  if (!SampleMayWrite(Out)) return;
  SamplePermit(Out);
  if (FwpsQueryPacketInjectionState0(handle, Packet, NULL) != FWPS_PACKET_NOT_INJECTED) return;
  if (!ExAcquireRundownProtection(&Rundown)) return;
  if (NT_SUCCESS(NdisRetreatNetBufferListDataStart(Packet, Metadata->ipHeaderSize, 0, NULL, NULL))) {
    if (Original)
      taken = InjectOriginal(handle, Packet, Interface);
    else if (Unaligned || Malformed)
      taken = InjectCopy(handle, Packet, Interface);
    else
      taken = InjectClone(handle, Packet, Interface + 1);
    NdisAdvanceNetBufferListDataStart(Packet, Metadata->ipHeaderSize, FALSE, NULL);
  }
  if (taken && !Malformed) SampleAbsorb(Out);
  if (!taken) ExReleaseRundownProtection(&Rundown);
}

#define CLASSIFY(name, layer, family)                                                                           \
  static void NTAPI name(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,   \
                         void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,              \
                         UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {                                         \
    UNREFERENCED_PARAMETER(ClassifyContext);                                                                    \
    UNREFERENCED_PARAMETER(Filter);                                                                             \
    UNREFERENCED_PARAMETER(FlowContext);                                                                        \
    Take(Metadata, LayerData, family, Values->incomingValue[FWPS_FIELD_##layer##_INTERFACE_INDEX].value.uint32, \
         Out);                                                                                                  \
  }
CLASSIFY(Classify4, INBOUND_IPPACKET_V4, 0)
CLASSIFY(Classify6, INBOUND_IPPACKET_V6, 1)

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROW(INBOUND_IPPACKET_V4, Classify4, FWP_ACTION_CALLOUT_TERMINATING, 0),
    SAMPLE_ROW(INBOUND_IPPACKET_V6, Classify6, FWP_ACTION_CALLOUT_TERMINATING, 0),
};

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
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  Original = SampleText(RegistryPath, L"what", L"original");
  Unaligned = SampleText(RegistryPath, L"what", L"unaligned");
  Malformed = SampleText(RegistryPath, L"what", L"malformed");
  ExInitializeRundownProtection(&Rundown);
  DriverObject->DriverUnload = Unload;
  Injection[0] = Injection[1] = NULL;
  status = FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_NETWORK, &Injection[0]);
  if (NT_SUCCESS(status)) status = FwpsInjectionHandleCreate0(AF_INET6, FWPS_INJECTION_TYPE_NETWORK, &Injection[1]);
  if (NT_SUCCESS(status))
    status = SampleStart(DriverObject, 0x62696e, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
  if (!NT_SUCCESS(status)) Stop();
  return status;
}
