/* Pends ALE_AUTH_RECV_ACCEPT and ALE_AUTH_CONNECT of TCP for a while and decides in a worker thread, as a product
 * does that asks its service. Parameters: delay=MS (default 200), deny=PORT (0: nobody; the local port of an accept,
 * the remote one of a connect).
 *
 * Unloading with pends open completes them all first, each with its verdict, while the filters still stand: a connect
 * is classified again when it is completed, and that classification must find us. */
#include "sample.h"

#define MAX_PENDED 4096
#define TICKS_PER_MS 10000ull

typedef struct PENDED_ {
  LIST_ENTRY Link;
  HANDLE Context;
  ULONGLONG Due;          /* interrupt time, 100 ns */
  NET_BUFFER_LIST* Clone; /* accept: from the IP header on; NULL for a connect */
  ADDRESS_FAMILY Family;
  COMPARTMENT_ID Compartment;
  IF_INDEX Interface;
  IF_INDEX SubInterface;
  BOOLEAN Deny;
} PENDED;

static struct {
  ULONG Delay;
  ULONG DenyPort;
  KSPIN_LOCK Lock;
  LIST_ENTRY List; /* in order of Due, since the delay is the same for all */
  ULONG Count;
  BOOLEAN Closing;
  KEVENT Wake;
  PVOID Thread;
  HANDLE Injection[2];
  EX_RUNDOWN_REF Rundown; /* one hold for each pended operation, until its injection has completed */
  volatile LONG64 Pended, Completed, Denied, Failed;
} Auth;

static void Finish(PENDED* Entry) {
  if (Entry->Clone != NULL) FwpsFreeCloneNetBufferList0(Entry->Clone, 0);
  ExFreePoolWithTag(Entry, SAMPLE_TAG);
  ExReleaseRundownProtection(&Auth.Rundown);
}

static void NTAPI Injected(void* Context, NET_BUFFER_LIST* Clone, BOOLEAN DispatchLevel) {
  UNREFERENCED_PARAMETER(DispatchLevel);
  if (!NT_SUCCESS(NET_BUFFER_LIST_STATUS(Clone))) InterlockedIncrement64(&Auth.Failed);
  Finish(Context); /* frees the clone, which is the entry's */
}

/* Exactly once for each entry, by the worker thread alone. */
static void Complete(PENDED* Entry) {
  FwpsCompleteOperation0(Entry->Context, Entry->Clone);
  InterlockedIncrement64(&Auth.Completed);
  if (Entry->Deny) InterlockedIncrement64(&Auth.Denied);
  /* A connect has been decided in the reclassification just now. An accept is decided by what becomes of the clone.
   */
  if (Entry->Clone == NULL || Entry->Deny) {
    Finish(Entry);
    return;
  }
  if (!NT_SUCCESS(FwpsInjectTransportReceiveAsync0(Auth.Injection[Entry->Family == AF_INET6], NULL, NULL, 0,
                                                   Entry->Family, Entry->Compartment, Entry->Interface,
                                                   Entry->SubInterface, Entry->Clone, Injected, Entry))) {
    InterlockedIncrement64(&Auth.Failed);
    Finish(Entry);
  }
}

/* The next entry that is due; Wait says how long to sleep when there is none (0: for ever). Closing is read under the lock
   as it was written: once it is seen with an empty list, nothing can be added any more. */
static PENDED* TakeDue(LONGLONG* Wait, BOOLEAN* Closing) {
  PENDED* entry = NULL;
  KLOCK_QUEUE_HANDLE lock;
  const ULONGLONG now = KeQueryInterruptTime();

  *Wait = 0;
  KeAcquireInStackQueuedSpinLock(&Auth.Lock, &lock);
  *Closing = Auth.Closing;
  if (!IsListEmpty(&Auth.List)) {
    entry = CONTAINING_RECORD(Auth.List.Flink, PENDED, Link);
    if (entry->Due <= now || *Closing) {
      RemoveEntryList(&entry->Link);
      --Auth.Count;
    } else {
      *Wait = -(LONGLONG)(entry->Due - now);
      entry = NULL;
    }
  }
  KeReleaseInStackQueuedSpinLock(&lock);
  return entry;
}

static VOID Worker(PVOID Context) {
  UNREFERENCED_PARAMETER(Context);
  for (;;) {
    LARGE_INTEGER timeout;
    LONGLONG wait;
    BOOLEAN closing;
    PENDED* entry = TakeDue(&wait, &closing);

    if (entry != NULL) {
      Complete(entry);
      continue;
    }
    if (closing) break;
    timeout.QuadPart = wait;
    KeWaitForSingleObject(&Auth.Wake, Executive, KernelMode, FALSE, wait != 0 ? &timeout : NULL);
  }
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static BOOLEAN Add(PENDED* Entry) {
  KLOCK_QUEUE_HANDLE lock;
  BOOLEAN added;

  KeAcquireInStackQueuedSpinLock(&Auth.Lock, &lock);
  added = (BOOLEAN)(!Auth.Closing && Auth.Count < MAX_PENDED);
  if (added) {
    Entry->Due = KeQueryInterruptTime() + Auth.Delay * TICKS_PER_MS;
    InsertTailList(&Auth.List, &Entry->Link);
    ++Auth.Count;
  }
  KeReleaseInStackQueuedSpinLock(&lock);
  return added;
}

/* A clone from the IP header on, made within the classify, with every retreat undone on every path. */
static NET_BUFFER_LIST* Clone(NET_BUFFER_LIST* Packet, ULONG HeaderBytes) {
  NET_BUFFER_LIST* clone = NULL;

  if (!NT_SUCCESS(NdisRetreatNetBufferListDataStart(Packet, HeaderBytes, 0, NULL, NULL))) return NULL;
  if (!NT_SUCCESS(FwpsAllocateCloneNetBufferList0(Packet, NULL, NULL, 0, &clone))) clone = NULL;
  NdisAdvanceNetBufferListDataStart(Packet, HeaderBytes, FALSE, NULL);
  return clone;
}

static BOOLEAN Pend(const FWPS_INCOMING_METADATA_VALUES0* Metadata, PENDED* Entry) {
  if (!NT_SUCCESS(FwpsPendOperation0(Metadata->completionHandle, &Entry->Context))) return FALSE;
  InterlockedIncrement64(&Auth.Pended);
  if (Add(Entry)) {
    KeSetEvent(&Auth.Wake, IO_NETWORK_INCREMENT, FALSE);
    return TRUE;
  }
  /* No room any more: the operation is pended, so it must be completed, and its packet is dropped. */
  FwpsCompleteOperation0(Entry->Context, NULL);
  InterlockedIncrement64(&Auth.Completed);
  Finish(Entry);
  return TRUE;
}

static PENDED* Allocate(ADDRESS_FAMILY Family, BOOLEAN Deny) {
  PENDED* entry;

  if (!ExAcquireRundownProtection(&Auth.Rundown)) return NULL;
  entry = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*entry), SAMPLE_TAG);
  if (entry == NULL) {
    ExReleaseRundownProtection(&Auth.Rundown);
    return NULL;
  }
  entry->Family = Family;
  entry->Deny = Deny;
  return entry;
}

static BOOLEAN IsDenied(const FWPS_INCOMING_VALUES0* Values, UINT16 PortField) {
  return (BOOLEAN)(Auth.DenyPort != 0 && Values->incomingValue[PortField].value.uint16 == Auth.DenyPort);
}

static void Decide(BOOLEAN Deny, FWPS_CLASSIFY_OUT0* Out) {
  if (Deny)
    SampleBlock(Out);
  else
    SamplePermit(Out);
}

static void Authorize(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                      NET_BUFFER_LIST* Packet, UINT16 PortField, UINT16 FlagsField, UINT16 InterfaceField,
                      UINT16 SubInterfaceField, ADDRESS_FAMILY Family, BOOLEAN IsAccept, FWPS_CLASSIFY_OUT0* Out) {
  const BOOLEAN deny = IsDenied(Values, PortField);
  PENDED* entry = NULL;

  if (!SampleMayWrite(Out)) return;
  if (Packet != NULL &&
      FwpsQueryPacketInjectionState0(Auth.Injection[Family == AF_INET6], Packet, NULL) != FWPS_PACKET_NOT_INJECTED) {
    SamplePermit(Out); /* our own, given back: its verdict was permit */
    return;
  }
  /* A reauthorization cannot be pended; for a connect that we completed it is where the verdict is asked for. */
  if ((Values->incomingValue[FlagsField].value.uint32 & FWP_CONDITION_FLAG_IS_REAUTHORIZE) == 0 &&
      FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_COMPLETION_HANDLE))
    entry = Allocate(Family, deny);
  if (entry == NULL) {
    Decide(deny, Out);
    return;
  }
  entry->Compartment = Metadata->compartmentId;
  entry->Interface = Values->incomingValue[InterfaceField].value.uint32;
  entry->SubInterface = Values->incomingValue[SubInterfaceField].value.uint32;
  if (IsAccept) entry->Clone = Clone(Packet, Metadata->ipHeaderSize + Metadata->transportHeaderSize);
  if ((IsAccept && entry->Clone == NULL) || !Pend(Metadata, entry)) {
    Finish(entry);
    Decide(deny, Out);
    return;
  }
  SampleAbsorb(Out);
}

#define CLASSIFY(name, layer, family, accept)                                                                 \
  static void NTAPI name(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata, \
                         void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,            \
                         UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {                                       \
    UNREFERENCED_PARAMETER(ClassifyContext);                                                                  \
    UNREFERENCED_PARAMETER(Filter);                                                                           \
    UNREFERENCED_PARAMETER(FlowContext);                                                                      \
    Authorize(Values, Metadata, LayerData,                                                                    \
              (accept) ? FWPS_FIELD_##layer##_IP_LOCAL_PORT : FWPS_FIELD_##layer##_IP_REMOTE_PORT,            \
              FWPS_FIELD_##layer##_FLAGS, FWPS_FIELD_##layer##_INTERFACE_INDEX,                               \
              FWPS_FIELD_##layer##_SUB_INTERFACE_INDEX, family, accept, Out);                                 \
  }
CLASSIFY(Accept4, ALE_AUTH_RECV_ACCEPT_V4, AF_INET, TRUE)
CLASSIFY(Accept6, ALE_AUTH_RECV_ACCEPT_V6, AF_INET6, TRUE)
CLASSIFY(Connect4, ALE_AUTH_CONNECT_V4, AF_INET, FALSE)
CLASSIFY(Connect6, ALE_AUTH_CONNECT_V6, AF_INET6, FALSE)

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROW(ALE_AUTH_RECV_ACCEPT_V4, Accept4, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP),
    SAMPLE_ROW(ALE_AUTH_RECV_ACCEPT_V6, Accept6, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP),
    SAMPLE_ROW(ALE_AUTH_CONNECT_V4, Connect4, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP),
    SAMPLE_ROW(ALE_AUTH_CONNECT_V6, Connect6, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP),
};

static void StopWorker(void) {
  KLOCK_QUEUE_HANDLE lock;

  KeAcquireInStackQueuedSpinLock(&Auth.Lock, &lock);
  Auth.Closing = TRUE;
  KeReleaseInStackQueuedSpinLock(&lock);
  if (Auth.Thread == NULL) return;
  KeSetEvent(&Auth.Wake, IO_NO_INCREMENT, FALSE);
  KeWaitForSingleObject(Auth.Thread, Executive, KernelMode, FALSE, NULL);
  ObDereferenceObject(Auth.Thread);
  Auth.Thread = NULL;
}

static void Stop(void) {
  StopWorker(); /* completes what is pended; classify decides at once from here on */
  SampleRemoveFilters();
  ExWaitForRundownProtectionRelease(&Auth.Rundown);
  for (ULONG i = 0; i < 2; ++i)
    if (Auth.Injection[i] != NULL) FwpsInjectionHandleDestroy0(Auth.Injection[i]);
  SampleStop();
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Stop();
  DbgPrint("pend_auth: pended %I64d completed %I64d denied %I64d failed %I64d\n", Auth.Pended, Auth.Completed,
           Auth.Denied, Auth.Failed);
}

static NTSTATUS StartWorker(void) {
  HANDLE thread = NULL;
  NTSTATUS status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL, NULL, Worker, NULL);

  if (!NT_SUCCESS(status)) return status;
  status = ObReferenceObjectByHandle(thread, THREAD_ALL_ACCESS, NULL, KernelMode, &Auth.Thread, NULL);
  ZwClose(thread);
  return status;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  RtlZeroMemory(&Auth, sizeof(Auth));
  KeInitializeSpinLock(&Auth.Lock);
  InitializeListHead(&Auth.List);
  KeInitializeEvent(&Auth.Wake, SynchronizationEvent, FALSE);
  ExInitializeRundownProtection(&Auth.Rundown);
  Auth.Delay = SampleNumber(RegistryPath, L"delay", 200);
  Auth.DenyPort = SampleNumber(RegistryPath, L"deny", 0);
  DriverObject->DriverUnload = Unload;

  status = FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_TRANSPORT, &Auth.Injection[0]);
  if (NT_SUCCESS(status))
    status = FwpsInjectionHandleCreate0(AF_INET6, FWPS_INJECTION_TYPE_TRANSPORT, &Auth.Injection[1]);
  if (NT_SUCCESS(status)) status = StartWorker();
  if (NT_SUCCESS(status))
    status = SampleStart(DriverObject, 0x70656e64, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
  if (!NT_SUCCESS(status)) Stop();
  return status;
}
