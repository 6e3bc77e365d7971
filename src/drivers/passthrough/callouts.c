/* Classification at INBOUND_TRANSPORT and OUTBOUND_TRANSPORT: take the packet, or let it pass. Nothing else happens
 * here: a classify function may run at DISPATCH_LEVEL inside the stack's own locks, and injecting TCP from within it
 * is not allowed, so cloning and injecting are left to the queue's DPC. */
#include "passthrough.h"

/* A packet of ours comes by again, because injected packets pass the layers like any other. It must be let through:
 * absorbing it once more would never end. Both answers are about us; PREVIOUSLY means that somebody else has handled
 * it in between. The network handle counts too: its packets pass OUTBOUND_TRANSPORT on their way. */
static BOOLEAN PtIsSelf(HANDLE Injection, const NET_BUFFER_LIST* Packet) {
  const FWPS_PACKET_INJECTION_STATE state = FwpsQueryPacketInjectionState0(Injection, Packet, NULL);

  return (BOOLEAN)(state == FWPS_PACKET_INJECTED_BY_SELF || state == FWPS_PACKET_PREVIOUSLY_INJECTED_BY_SELF);
}

BOOLEAN PtIsOurs(const PT_LAYER* Layer, const NET_BUFFER_LIST* Packet) {
  if (Layer->Kind == PtInbound || Layer->Kind == PtAccept) return PtIsSelf(Pt.ReceiveHandle[Layer->Family], Packet);
  return (BOOLEAN)(PtIsSelf(Pt.SendHandle[Layer->Family], Packet) ||
                   PtIsSelf(Pt.NetworkHandle[Layer->Family], Packet));
}

/* A soft permit: lighter sublayers still decide. The right is given up only where the filter asks for it. */
void PtPermit(const FWPS_FILTER1* Filter, FWPS_CLASSIFY_OUT0* Out) {
  Out->actionType = FWP_ACTION_PERMIT;
  if (Filter->flags & FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT) Out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
}

/* Block and absorb: the packet leaves the stack silently, without a discard or an audit event, because we have it.
 * The right is cleared: were a lighter sublayer able to permit it after all, it would be delivered twice. */
void PtAbsorb(FWPS_CLASSIFY_OUT0* Out) {
  Out->actionType = FWP_ACTION_BLOCK;
  Out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
  Out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
}

static BOOLEAN PtHasEndpoint(const FWPS_INCOMING_METADATA_VALUES0* Metadata) {
  /* The flag alone says nothing: for segments that no endpoint owns it is set and the handle is zero. */
  return (BOOLEAN)(FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE) &&
                   Metadata->transportEndpointHandle != 0);
}

static BOOLEAN PtMayAbsorbInbound(const PT_LAYER* Layer, const FWPS_INCOMING_VALUES0* Values,
                                  const FWPS_INCOMING_METADATA_VALUES0* Metadata, const NET_BUFFER_LIST* Packet) {
  /* A packet that ALE must see first (a SYN, a first datagram, a reauthorization) is not to be absorbed here; it is
   * pended at ALE_AUTH_RECV_ACCEPT, see pend.c. Documented with FwpsInjectTransportReceiveAsync0. */
  if (FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_ALE_CLASSIFY_REQUIRED)) return FALSE;
  /* Loopback has one path, the outbound one; it was absorbed there. There is no interface to receive it from. */
  if (Values->incomingValue[Layer->FlagsField].value.uint32 & FWP_CONDITION_FLAG_IS_LOOPBACK) return FALSE;
  /* Coalesced datagrams must not be cloned and reinjected: documented with FWP_CALLOUT_FLAG_ALLOW_URO. */
  if (NET_BUFFER_LIST_INFO(Packet, UdpRecvSegCoalesceOffloadInfo) != NULL &&
      Values->incomingValue[Layer->ProtocolField].value.uint8 == IPPROTO_UDP)
    return FALSE;
  return TRUE;
}

static BOOLEAN PtMayAbsorb(const PT_LAYER* Layer, const FWPS_INCOMING_VALUES0* Values,
                           const FWPS_INCOMING_METADATA_VALUES0* Metadata, const NET_BUFFER_LIST* Packet) {
  if (Layer->Kind == PtInbound) return PtMayAbsorbInbound(Layer, Values, Metadata, Packet);
  return (BOOLEAN)(!(Pt.Parameters.Robust && Pt.Parameters.PermitZeroHandle) || PtHasEndpoint(Metadata));
}

void NTAPI PtClassifyTransport(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                               void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                               UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  const PT_LAYER* layer = PtFindLayer(Values->layerId);
  NET_BUFFER_LIST* original = LayerData;
  PT_PACKET* packet;

  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(FlowContext);
  /* Somebody above has decided for good. Writing the action without the right would be a veto. */
  if ((Out->rights & FWPS_RIGHT_ACTION_WRITE) == 0) return;
  if (layer == NULL || original == NULL || PtIsOurs(layer, original)) {
    PtPermit(Filter, Out);
    return;
  }
  packet = PtMayAbsorb(layer, Values, Metadata, original) ? PtHold(layer, Values, Metadata, original) : NULL;
  if (packet == NULL) {
    /* Permitting is the way out of every shortage: the packet may overtake those that wait, but it is not lost. */
    InterlockedIncrement64(layer->Kind == PtInbound ? &Pt.Inbound.Permitted : &Pt.Outbound.Permitted);
    PtPermit(Filter, Out);
    return;
  }
  InterlockedIncrement64(&packet->Queue->Absorbed);
  PtAbsorb(Out);
  PtEnqueue(packet); /* from here on the packet may already be gone */
}
