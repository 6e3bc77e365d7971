/* Authorization at ALE_AUTH_RECV_ACCEPT and, with connect=pend, at ALE_AUTH_CONNECT: the operation is pended, and the
 * queue's DPC completes it. The two differ in what completing does (documented with FwpsCompleteOperation0).
 *
 * RECV_ACCEPT: the packet was flushed by the stack when we pended. Completing only forgets the operation; the decision
 * is what we do with the clone. Injecting it permits, dropping it refuses. The injected clone is classified here once
 * more, as ours, and our permit then authorizes the flow.
 *
 * CONNECT: completing makes the engine ask again at once, with IS_REAUTHORIZE set, and that answer counts. TCP has no
 * packet here; the first datagram of other protocols goes back through its endpoint afterwards.
 *
 * Pended packets wait in the same queues as absorbed ones, so that the packets of a flow keep their order across the
 * moment at which it becomes authorized. */
#include "passthrough.h"

static BOOLEAN PtMayPend(const PT_LAYER* Layer, const FWPS_INCOMING_VALUES0* Values,
                         const FWPS_INCOMING_METADATA_VALUES0* Metadata, const NET_BUFFER_LIST* Packet) {
  const UINT32 flags = Values->incomingValue[Layer->FlagsField].value.uint32;

  /* A reauthorization cannot be pended (STATUS_FWP_CANNOT_PEND). It also is where a completed connect gets its
   * answer, and what a flow meets when policy changes: what was right before stays right. */
  if (flags & FWP_CONDITION_FLAG_IS_REAUTHORIZE) return FALSE;
  if (!FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_COMPLETION_HANDLE)) return FALSE;
  if (Packet != NULL && PtIsOurs(Layer, Packet)) return FALSE;
  if (Layer->Kind == PtConnect) return TRUE;
  /* An accept without its packet could not be given back; loopback packets cannot be received again. */
  return (BOOLEAN)(Packet != NULL && (flags & FWP_CONDITION_FLAG_IS_LOOPBACK) == 0);
}

void NTAPI PtClassifyAuthorize(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                               void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                               UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  const PT_LAYER* layer = PtFindLayer(Values->layerId);
  PT_PACKET* packet = NULL;

  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(FlowContext);
  if ((Out->rights & FWPS_RIGHT_ACTION_WRITE) == 0) return;
  /* Everything that can fail comes before the pend: an operation once pended must be completed exactly once. */
  if (layer != NULL && PtMayPend(layer, Values, Metadata, LayerData))
    packet = PtHold(layer, Values, Metadata, LayerData);
  if (packet != NULL && !NT_SUCCESS(FwpsPendOperation0(Metadata->completionHandle, &packet->CompletionContext))) {
    packet->CompletionContext = NULL;
    PtRelease(packet);
    packet = NULL;
  }
  if (packet == NULL) {
    PtPermit(Filter, Out);
    return;
  }
  InterlockedIncrement64(&packet->Queue->Pended);
  PtAbsorb(Out); /* a pended operation is answered with block and absorb (documented with FwpsPendOperation0) */
  PtEnqueue(packet);
}
