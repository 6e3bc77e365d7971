/* The way back: clone, complete a pended operation, inject; and what to do when the injection is done.
 *
 * An injection call that succeeds has taken the clone until PtInjected() runs, exactly once, possibly before the call
 * returns; the packet is not touched after it. One that fails took nothing, and its completion will not run: the
 * clone is freed here. Source: the pages of FwpsInject...Async0 and FWPS_INJECT_COMPLETE0. */
#include "passthrough.h"

#define PT_IP4_HEADER 20u
#define PT_IP6_HEADER 40u

/* A shortage passes; a closed or stale handle, or a packet that the engine refuses, does not. */
BOOLEAN PtMayRetry(NTSTATUS Status) {
  return (BOOLEAN)(Status == STATUS_INSUFFICIENT_RESOURCES || Status == STATUS_NO_MEMORY ||
                   Status == STATUS_FWP_TCPIP_NOT_READY);
}

/* Moves the data start of every NET_BUFFER by Delta bytes towards the front (positive) or the back. */
static NTSTATUS PtMoveDataStart(NET_BUFFER_LIST* Packet, LONG Delta) {
  if (Delta > 0) return NdisRetreatNetBufferListDataStart(Packet, (ULONG)Delta, 0, NULL, NULL);
  if (Delta < 0) NdisAdvanceNetBufferListDataStart(Packet, (ULONG)-Delta, FALSE, NULL);
  return STATUS_SUCCESS;
}

/* A clone that starts where the injection wants it: at the IP header inbound, at the transport header outbound.
 *
 * A clone shows what its original showed, so the original's data start is moved for the moment of cloning. Where it
 * stands now is computed, not assumed: the stack may have moved it since the classify. Nobody else works on an
 * absorbed packet's offsets, and we put back what we changed. The clone inherits checksum, large-send and coalescing
 * information: a large packet stays one, and bytes whose checksum was verified are not verified again. */
static NTSTATUS PtClone(PT_PACKET* Packet) {
  NET_BUFFER* buffer = NET_BUFFER_LIST_FIRST_NB(Packet->Original);
  const LONG wanted = (LONG)(Packet->DataOffset - Packet->IpHeaderSize - Packet->TransportHeaderSize);
  const LONG delta = (LONG)NET_BUFFER_DATA_OFFSET(buffer) - wanted;
  NTSTATUS status = PtMoveDataStart(Packet->Original, delta);

  if (!NT_SUCCESS(status)) return status;
  status = FwpsAllocateCloneNetBufferList0(Packet->Original, NULL, NULL, 0, &Packet->Clone);
  PtMoveDataStart(Packet->Original, -delta);
  if (!NT_SUCCESS(status)) Packet->Clone = NULL;
  return status;
}

static ADDRESS_FAMILY PtAddressFamily(const PT_PACKET* Packet) {
  return Packet->Layer->Family == PtV4 ? AF_INET : AF_INET6;
}

/* TRUE when the IP header does not describe the packet as it is: reassembly joins fragments, and the header in front
 * of them may still be that of the first one. Receiving it again would make the stack wait for the rest. */
static BOOLEAN PtHeaderIsStale(const PT_PACKET* Packet) {
  const BOOLEAN is_v4 = (BOOLEAN)(Packet->Layer->Family == PtV4);
  NET_BUFFER* buffer = NET_BUFFER_LIST_FIRST_NB(Packet->Clone);
  const ULONG size = NET_BUFFER_DATA_LENGTH(buffer);
  UCHAR storage[PT_IP6_HEADER];
  const UCHAR* header = NdisGetDataBuffer(buffer, is_v4 ? PT_IP4_HEADER : PT_IP6_HEADER, storage, 1, 0);

  if (header == NULL) return FALSE;
  if (is_v4) {
    const ULONG total = (ULONG)header[2] << 8 | header[3];
    const ULONG fragment = ((ULONG)header[6] << 8 | header[7]) & 0x3fffu; /* more fragments, offset */
    return (BOOLEAN)(fragment != 0 || total != size);
  }
  return (BOOLEAN)(header[6] == IPPROTO_FRAGMENT || ((ULONG)header[4] << 8 | header[5]) + PT_IP6_HEADER != size);
}

/* Completion of every injection. Status is the clone's; at IRQL <= DISPATCH_LEVEL, on any thread. */
static void NTAPI PtInjected(void* Context, NET_BUFFER_LIST* Clone, BOOLEAN DispatchLevel) {
  PT_PACKET* packet = Context;
  const NTSTATUS status = NET_BUFFER_LIST_STATUS(Clone);

  UNREFERENCED_PARAMETER(DispatchLevel);
  FwpsFreeCloneNetBufferList0(Clone, 0);
  packet->Clone = NULL; /* or PtRelease() would free it once more */
  if (NT_SUCCESS(status)) {
    InterlockedIncrement64(&packet->Queue->Completed);
    PtRelease(packet);
    return;
  }
  if (Pt.Parameters.Robust && packet->Way == PtByEndpoint) {
    /* The endpoint may have gone while the packet was in our queue: the application closed, the connection went to
     * TIME-WAIT. The packet was not sent, so sending it another way does not double it. Only once: what fails by the
     * network way too is lost for a reason that we cannot mend. */
    InterlockedIncrement64(&packet->Queue->SecondWay);
    packet->Way = PtByNetwork;
    packet->Attempts = 0;
    PtEnqueue(packet);
    return;
  }
  InterlockedIncrement64(&packet->Queue->Failed);
  PtRelease(packet);
}

static NTSTATUS PtInjectByEndpoint(PT_PACKET* Packet) {
  FWPS_TRANSPORT_SEND_PARAMS0 arguments;

  /* sendArgs may be NULL only for packets that bring their own IP header. */
  RtlZeroMemory(&arguments, sizeof(arguments));
  arguments.remoteAddress = Packet->RemoteAddress;
  arguments.remoteScopeId = Packet->RemoteScope;
  arguments.controlData = Packet->ControlData;
  arguments.controlDataLength = Packet->ControlDataLength;
  return FwpsInjectTransportSendAsync0(Pt.SendHandle[Packet->Layer->Family], NULL, Packet->EndpointHandle, 0,
                                       &arguments, PtAddressFamily(Packet), Packet->Compartment, Packet->Clone,
                                       PtInjected, Packet);
}

/* Without an endpoint nobody builds the IP header for us. The function also computes the checksums. A large packet can
 * here only be the data of a connection that died in our queue: on Windows the function turns its large send off, and
 * what IP does with it then is not documented; wfptap keeps large send for it and cuts it into segments. */
static NTSTATUS PtInjectByNetwork(PT_PACKET* Packet) {
  NTSTATUS status = FwpsConstructIpHeaderForTransportPacket0(
      Packet->Clone, 0, PtAddressFamily(Packet), Packet->LocalAddress, Packet->RemoteAddress,
      (IPPROTO)Packet->Protocol, 0, Packet->ControlData, Packet->ControlDataLength, 0, NULL, Packet->Interface,
      Packet->SubInterface);

  if (!NT_SUCCESS(status)) return status;
  return FwpsInjectNetworkSendAsync0(Pt.NetworkHandle[Packet->Layer->Family], NULL, 0, Packet->Compartment,
                                     Packet->Clone, PtInjected, Packet);
}

static NTSTATUS PtInjectReceive(PT_PACKET* Packet) {
  if (PtHeaderIsStale(Packet)) {
    /* Rebuilding: the data starts at the old header and its size is given. A received packet's source is remote. */
    NTSTATUS status = FwpsConstructIpHeaderForTransportPacket0(
        Packet->Clone, Packet->IpHeaderSize, PtAddressFamily(Packet), Packet->RemoteAddress, Packet->LocalAddress,
        (IPPROTO)Packet->Protocol, 0, NULL, 0, 0, NULL, Packet->Interface, Packet->SubInterface);
    if (!NT_SUCCESS(status)) return status;
  }
  return FwpsInjectTransportReceiveAsync0(Pt.ReceiveHandle[Packet->Layer->Family], NULL, NULL, 0,
                                          PtAddressFamily(Packet), Packet->Compartment, Packet->Interface,
                                          Packet->SubInterface, Packet->Clone, PtInjected, Packet);
}

static NTSTATUS PtInject(PT_PACKET* Packet) {
  switch (Packet->Way) {
    case PtByEndpoint:
      return PtInjectByEndpoint(Packet);
    case PtByNetwork:
      return PtInjectByNetwork(Packet);
    default:
      return PtInjectReceive(Packet);
  }
}

/* Exactly once, before the injection that follows from it, and with no lock held: for a connect the engine classifies
 * again within the call. A NULL clone is right for an operation without a packet; an operation whose packet could not
 * be cloned is completed all the same, and its sender transmits again. */
static void PtComplete(PT_PACKET* Packet) {
  HANDLE context = Packet->CompletionContext;

  if (context == NULL) return;
  Packet->CompletionContext = NULL;
  FwpsCompleteOperation0(context, Packet->Clone);
}

/* Success: the packet is the engine's, or at its end. Failure: it is the caller's still, without a clone, and without
 * an operation to complete unless the call may be repeated. */
NTSTATUS PtReinject(PT_PACKET* Packet) {
  PT_QUEUE* queue = Packet->Queue;
  NTSTATUS status = Packet->Way == PtNothing ? STATUS_SUCCESS : PtClone(Packet);

  if (!NT_SUCCESS(status)) {
    if (!PtMayRetry(status) || Packet->Attempts + 1 >= PT_RETRY_LIMIT) PtComplete(Packet);
    return status;
  }
  PtComplete(Packet);
  if (Packet->Way == PtNothing) {
    PtRelease(Packet);
    return STATUS_SUCCESS;
  }
  /* Counted before the call: after it, the completion may already have run and the packet be gone. */
  InterlockedIncrement64(&queue->Injected);
  status = PtInject(Packet);
  if (!NT_SUCCESS(status)) {
    InterlockedDecrement64(&queue->Injected);
    FwpsFreeCloneNetBufferList0(Packet->Clone, 0);
    Packet->Clone = NULL;
  }
  return status;
}
