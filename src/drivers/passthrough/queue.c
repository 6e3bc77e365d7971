/* Packets that wait for their way back. One queue for each direction, first in, first out, drained by one DPC at a
 * time: the packets of a flow leave in the order in which they came. */
#include "passthrough.h"

static UINT32 PtValue32(const FWPS_INCOMING_VALUES0* Values, UINT16 Field) {
  const FWP_VALUE0* value = &Values->incomingValue[Field].value;

  return value->type == FWP_UINT32 ? value->uint32 : 0; /* FWP_EMPTY happens: always look at the type first */
}

/* Classify values are in host order, addresses given to the injection functions in network order. */
static void PtCopyAddress(const PT_LAYER* Layer, const FWPS_INCOMING_VALUES0* Values, UINT16 Field, UCHAR* Address) {
  const FWP_VALUE0* value = &Values->incomingValue[Field].value;

  if (Layer->Family == PtV4) {
    const ULONG network = RtlUlongByteSwap(PtValue32(Values, Field));
    RtlCopyMemory(Address, &network, sizeof(network));
  } else if (value->type == FWP_BYTE_ARRAY16_TYPE) {
    RtlCopyMemory(Address, value->byteArray16->byteArray16, 16);
  }
}

/* Pointers in the metadata die with the classify call; what we need later is copied. FALSE: no memory, or more
 * control data than we keep. */
static BOOLEAN PtCopyControlData(PT_PACKET* Packet, const FWPS_INCOMING_METADATA_VALUES0* Metadata) {
  const ULONG length = Metadata->controlDataLength;

  if (!FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_TRANSPORT_CONTROL_DATA) || length == 0)
    return TRUE;
  if (length > PT_MAX_CONTROL_DATA) return FALSE;
  Packet->ControlData = ExAllocatePool2(POOL_FLAG_NON_PAGED, length, PT_TAG);
  if (Packet->ControlData == NULL) return FALSE;
  RtlCopyMemory(Packet->ControlData, Metadata->controlData, length);
  Packet->ControlDataLength = length;
  return TRUE;
}

static PT_WAY PtWayBack(const PT_LAYER* Layer, UINT64 EndpointHandle, const NET_BUFFER_LIST* Original) {
  if (Layer->Kind == PtInbound || Layer->Kind == PtAccept) return PtByReceive;
  if (Original == NULL) return PtNothing;
  /* naive does what many drivers do: it believes that the handle is usable because its flag is set. */
  return Pt.Parameters.Robust && EndpointHandle == 0 ? PtByNetwork : PtByEndpoint;
}

static void PtDescribe(PT_PACKET* Packet, const FWPS_INCOMING_VALUES0* Values,
                       const FWPS_INCOMING_METADATA_VALUES0* Metadata) {
  const PT_LAYER* layer = Packet->Layer;

  if (FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE))
    Packet->EndpointHandle = Metadata->transportEndpointHandle;
  if (FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_COMPARTMENT_ID))
    Packet->Compartment = Metadata->compartmentId;
  if (FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_REMOTE_SCOPE_ID))
    Packet->RemoteScope = Metadata->remoteScopeId;
  /* Inbound, the data starts behind the headers and the injection wants them. */
  if (layer->Kind == PtInbound || layer->Kind == PtAccept) {
    Packet->IpHeaderSize = Metadata->ipHeaderSize;
    Packet->TransportHeaderSize = Metadata->transportHeaderSize;
  }
  Packet->Protocol = Values->incomingValue[layer->ProtocolField].value.uint8;
  Packet->Interface = PtValue32(Values, layer->InterfaceField);
  Packet->SubInterface = PtValue32(Values, layer->SubInterfaceField);
  PtCopyAddress(layer, Values, layer->LocalAddressField, Packet->LocalAddress);
  PtCopyAddress(layer, Values, layer->RemoteAddressField, Packet->RemoteAddress);
}

static PT_PACKET* PtAllocate(const PT_LAYER* Layer) {
  PT_QUEUE* queue = Layer->Kind == PtInbound || Layer->Kind == PtAccept ? &Pt.Inbound : &Pt.Outbound;
  PT_PACKET* packet = NULL;

  if (!ExAcquireRundownProtection(&Pt.Rundown)) return NULL; /* the driver is being unloaded */
  if ((ULONG)InterlockedIncrement(&queue->Held) <= Pt.Parameters.Depth)
    packet = ExAllocateFromLookasideListEx(&Pt.Packets);
  if (packet == NULL) {
    InterlockedDecrement(&queue->Held);
    ExReleaseRundownProtection(&Pt.Rundown);
    return NULL;
  }
  RtlZeroMemory(packet, sizeof(*packet));
  packet->Queue = queue;
  packet->Layer = Layer;
  packet->Compartment = UNSPECIFIED_COMPARTMENT_ID;
  return packet;
}

PT_PACKET* PtHold(const PT_LAYER* Layer, const FWPS_INCOMING_VALUES0* Values,
                  const FWPS_INCOMING_METADATA_VALUES0* Metadata, NET_BUFFER_LIST* LayerData) {
  PT_PACKET* packet = PtAllocate(Layer);

  if (packet == NULL) return NULL;
  PtDescribe(packet, Values, Metadata);
  packet->Way = PtWayBack(Layer, packet->EndpointHandle, LayerData);
  if (!PtCopyControlData(packet, Metadata)) {
    PtRelease(packet);
    return NULL;
  }
  if (LayerData != NULL) {
    /* TRUE: the packet is going to be taken out of band, not only read. The reference keeps its bytes until we have
     * given it back. */
    FwpsReferenceNetBufferList0(LayerData, TRUE);
    packet->Original = LayerData;
    packet->DataOffset = NET_BUFFER_DATA_OFFSET(NET_BUFFER_LIST_FIRST_NB(LayerData));
  }
  return packet;
}

/* The end of a packet on every path. By now the operation, if it was one, has been completed. */
void PtRelease(PT_PACKET* Packet) {
  PT_QUEUE* queue = Packet->Queue;

  NT_ASSERT(Packet->CompletionContext == NULL);
  if (Packet->Clone != NULL) FwpsFreeCloneNetBufferList0(Packet->Clone, 0);
  if (Packet->Original != NULL) FwpsDereferenceNetBufferList0(Packet->Original, FALSE);
  if (Packet->ControlData != NULL) ExFreePoolWithTag(Packet->ControlData, PT_TAG);
  ExFreeToLookasideListEx(&Pt.Packets, Packet);
  InterlockedDecrement(&queue->Held);
  ExReleaseRundownProtection(&Pt.Rundown); /* last: after it the driver may be gone */
}

void PtEnqueue(PT_PACKET* Packet) {
  PT_QUEUE* queue = Packet->Queue;
  KLOCK_QUEUE_HANDLE lock;
  BOOLEAN start;

  KeAcquireInStackQueuedSpinLock(&queue->Lock, &lock);
  InsertTailList(&queue->Packets, &Packet->Link);
  start = (BOOLEAN)!queue->Draining;
  queue->Draining = TRUE;
  KeReleaseInStackQueuedSpinLock(&lock);
  if (start) KeInsertQueueDpc(&queue->Dpc, NULL, NULL);
}

/* The oldest packet; NULL, and the drainer's role given up, when there is none. */
static PT_PACKET* PtPop(PT_QUEUE* Queue) {
  PT_PACKET* packet = NULL;
  KLOCK_QUEUE_HANDLE lock;

  KeAcquireInStackQueuedSpinLock(&Queue->Lock, &lock);
  if (IsListEmpty(&Queue->Packets))
    Queue->Draining = FALSE;
  else
    packet = CONTAINING_RECORD(RemoveHeadList(&Queue->Packets), PT_PACKET, Link);
  KeReleaseInStackQueuedSpinLock(&lock);
  return packet;
}

/* Back to the front, and a pause: behind a packet that cannot go yet the queue stands still, or order would be lost. */
static void PtWaitAndRetry(PT_QUEUE* Queue, PT_PACKET* Packet) {
  KLOCK_QUEUE_HANDLE lock;
  LARGE_INTEGER due;

  KeAcquireInStackQueuedSpinLock(&Queue->Lock, &lock);
  InsertHeadList(&Queue->Packets, &Packet->Link);
  KeReleaseInStackQueuedSpinLock(&lock);
  due.QuadPart = -10000LL * PT_RETRY_DELAY_MS;
  KeSetTimer(&Queue->RetryTimer, due, &Queue->Dpc);
}

/* At DISPATCH_LEVEL, after the classify that queued us has returned. */
static VOID PtDrain(struct _KDPC* Dpc, PVOID Context, PVOID Argument1, PVOID Argument2) {
  PT_QUEUE* queue = Context;

  UNREFERENCED_PARAMETER(Argument1);
  UNREFERENCED_PARAMETER(Argument2);
  for (ULONG count = 0; count < PT_BATCH; ++count) {
    PT_PACKET* packet = PtPop(queue);
    NTSTATUS status;

    if (packet == NULL) return;
    status = PtReinject(packet);
    if (NT_SUCCESS(status)) continue; /* it belongs to the engine now, or is done: not to be touched any more */
    if (PtMayRetry(status) && ++packet->Attempts < PT_RETRY_LIMIT) {
      PtWaitAndRetry(queue, packet);
      return;
    }
    InterlockedIncrement64(&queue->Failed);
    PtRelease(packet);
  }
  KeInsertQueueDpc(Dpc, NULL, NULL);
}

void PtInitializeQueue(PT_QUEUE* Queue) {
  KeInitializeSpinLock(&Queue->Lock);
  InitializeListHead(&Queue->Packets);
  KeInitializeDpc(&Queue->Dpc, PtDrain, Queue);
  KeInitializeTimer(&Queue->RetryTimer);
}
