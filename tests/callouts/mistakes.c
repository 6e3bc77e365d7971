/* Twenty and more mistakes that drivers make, one at a time: what=NAME chooses which. The line that is to be named carries
 * the name in a comment; tests/linux/live/test_mistakes.py has the answer that each must get. Those before, at and after
 * the traffic are in mistakes_start.c. */
#include "mistakes.h"

static volatile LONG Done;
static HANDLE Network;   /* for injections: right */
static HANDLE Transport; /* likewise */
static KSPIN_LOCK Lock;
static const MISTAKE* Chosen;
static volatile LONG Injections;
static IF_INDEX Interface; /* that the packet came in by */

static void NTAPI Injected(void* Context, NET_BUFFER_LIST* Clone, BOOLEAN DispatchLevel) {
  UNREFERENCED_PARAMETER(Context);
  UNREFERENCED_PARAMETER(DispatchLevel);
  FwpsFreeCloneNetBufferList0(Clone, 0);
}

/* From `Back` bytes before where the data starts. */
static NET_BUFFER_LIST* CloneOf(NET_BUFFER_LIST* Packet, ULONG Back) {
  NET_BUFFER_LIST* clone = NULL;

  if (!NT_SUCCESS(NdisRetreatNetBufferListDataStart(Packet, Back, 0, NULL, NULL))) return NULL;
  (void)FwpsAllocateCloneNetBufferList0(Packet, NULL, NULL, 0, &clone);
  NdisAdvanceNetBufferListDataStart(Packet, Back, FALSE, NULL);
  return clone;
}

static NTSTATUS Inject(HANDLE Handle, NET_BUFFER_LIST* Clone, FWPS_INJECT_COMPLETE0 End) {
  NTSTATUS status;

  /* mistake: zero-handle refused-leak wrong-handle original twice */
  status = FwpsInjectNetworkReceiveAsync0(Handle, NULL, 0, DEFAULT_COMPARTMENT_ID, Interface, 0, Clone, End, NULL);
  ++Injections;
  return status;
}

/* --- packets and their clones --- */

static void Unbalanced(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Out);
  (void)NdisRetreatNetBufferListDataStart(Packet, Metadata->transportHeaderSize, 0, NULL, NULL);
}

static void DoubleFree(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = CloneOf(Packet, 0);

  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Out);
  FwpsFreeCloneNetBufferList0(clone, 0);
  FwpsFreeCloneNetBufferList0(clone, 0); /* mistake: double-free */
  Done = 2;
}

static void Leak(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = NULL;

  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Out);
  (void)FwpsAllocateCloneNetBufferList0(Packet, NULL, NULL, 0, &clone); /* mistake: leak */
  Done = 2;
}

static void OverRelease(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Out);
  FwpsReferenceNetBufferList0(Packet, FALSE);
  FwpsDereferenceNetBufferList0(Packet, FALSE);
  FwpsDereferenceNetBufferList0(Packet, FALSE); /* mistake: over-release */
  Done = 2;
}

static void PoolLeak(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(Out);
  (void)ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, SAMPLE_TAG); /* mistake: pool-leak */
  Done = 2;
}

static void WrongTag(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  PVOID memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, SAMPLE_TAG);

  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(Out);
  ExFreePoolWithTag(memory, SAMPLE_TAG + 1); /* mistake: wrong-tag */
  Done = 2;
}

/* --- injections --- */

static void ZeroHandle(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = CloneOf(Packet, Metadata->ipHeaderSize);

  UNREFERENCED_PARAMETER(Out);
  (void)Inject(NULL, clone, Injected);
  FwpsFreeCloneNetBufferList0(clone, 0);
}

static void RefusedLeak(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Out);
  (void)Inject(NULL, CloneOf(Packet, Metadata->ipHeaderSize), Injected); /* freed in the completion function alone */
}

static void WrongHandle(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = CloneOf(Packet, Metadata->ipHeaderSize);

  UNREFERENCED_PARAMETER(Out);
  (void)Inject(Transport, clone, Injected);
  FwpsFreeCloneNetBufferList0(clone, 0);
}

static void Original(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Out);
  (void)Inject(Network, Packet, Injected);
}

static void Twice(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = CloneOf(Packet, Metadata->ipHeaderSize);

  if (!NT_SUCCESS(Inject(Network, clone, Injected))) return;
  (void)Inject(Network, clone, Injected);
  SampleAbsorb(Out);
}

static void FreeInFlight(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = CloneOf(Packet, Metadata->ipHeaderSize);

  if (!NT_SUCCESS(Inject(Network, clone, Injected))) return;
  SampleAbsorb(Out);
  FwpsFreeCloneNetBufferList0(clone, 0); /* mistake: free-in-flight */
  Done = 2;
}

/* Every packet, also its own: the state is not asked. */
static void Loop(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = CloneOf(Packet, Metadata->ipHeaderSize);

  if (NT_SUCCESS(Inject(Network, clone, Injected)))
    SampleAbsorb(Out);
  else
    FwpsFreeCloneNetBufferList0(clone, 0);
}

static void Inline(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  NET_BUFFER_LIST* clone = CloneOf(Packet, Metadata->ipHeaderSize + Metadata->transportHeaderSize);

  NTSTATUS status;

  UNREFERENCED_PARAMETER(Out);
  /* mistake: inline */
  status = FwpsInjectTransportReceiveAsync0(Transport, NULL, NULL, 0, AF_INET, DEFAULT_COMPARTMENT_ID, Interface, 0,
                                            clone, Injected, NULL);
  if (!NT_SUCCESS(status)) FwpsFreeCloneNetBufferList0(clone, 0);
}

/* --- answers --- */

static void AbsorbPermit(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  SamplePermit(Out);
  Out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
}

static void AbsorbAle(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  SampleAbsorb(Out);
}

static void NoAnswer(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  Out->actionType = 0; /* as the first callout finds it */
}

/* --- levels and locks --- */

static void Irql(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  HANDLE engine = NULL;

  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(Out);
  (void)FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine); /* mistake: irql */
  FwpmEngineClose0(engine);
}

static void IrqlLeak(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(Out);
  KeLowerIrql(PASSIVE_LEVEL);
}

static void LockHeld(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(Out);
  KeAcquireSpinLockAtDpcLevel(&Lock);
}

/* --- pended operations --- */

static void PendLeft(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  HANDLE context;

  UNREFERENCED_PARAMETER(Packet);
  /* mistake: pend-left */
  if (NT_SUCCESS(FwpsPendOperation0(Metadata->completionHandle, &context))) SampleAbsorb(Out);
}

static void PendTwice(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  HANDLE context;

  UNREFERENCED_PARAMETER(Packet);
  if (!NT_SUCCESS(FwpsPendOperation0(Metadata->completionHandle, &context))) return;
  SampleAbsorb(Out);
  FwpsCompleteOperation0(context, NULL);
  FwpsCompleteOperation0(context, NULL); /* mistake: pend-twice */
  Done = 2;
}

/* --- flows --- */

static void Associate(const METADATA* Metadata, NET_BUFFER_LIST* Packet, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Packet);
  UNREFERENCED_PARAMETER(Out);
  if (!FWPS_IS_METADATA_FIELD_PRESENT(Metadata, FWPS_METADATA_FIELD_FLOW_HANDLE)) return;
  (void)FwpsFlowAssociateContext0(Metadata->flowHandle, FWPS_LAYER_INBOUND_TRANSPORT_V4, MistakeCallouts[0].CalloutId,
                                  1);
}

#define TRANSPORT FWPS_LAYER_INBOUND_TRANSPORT_V4
#define IP FWPS_LAYER_INBOUND_IPPACKET_V4
#define ACCEPT FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4
static const MISTAKE Mistakes[] = {{L"unbalanced", TRANSPORT, FALSE, Unbalanced},
                                   {L"double-free", TRANSPORT, FALSE, DoubleFree},
                                   {L"leak", TRANSPORT, FALSE, Leak},
                                   {L"over-release", TRANSPORT, FALSE, OverRelease},
                                   {L"pool-leak", TRANSPORT, FALSE, PoolLeak},
                                   {L"wrong-tag", TRANSPORT, FALSE, WrongTag},
                                   {L"zero-handle", IP, FALSE, ZeroHandle},
                                   {L"refused-leak", IP, FALSE, RefusedLeak},
                                   {L"wrong-handle", IP, FALSE, WrongHandle},
                                   {L"original", IP, FALSE, Original},
                                   {L"twice", IP, FALSE, Twice},
                                   {L"free-in-flight", IP, FALSE, FreeInFlight},
                                   {L"loop", IP, TRUE, Loop},
                                   {L"inline", TRANSPORT, FALSE, Inline},
                                   {L"absorb-permit", IP, FALSE, AbsorbPermit},
                                   {L"absorb-ale", TRANSPORT, FALSE, AbsorbAle},
                                   {L"no-answer", TRANSPORT, FALSE, NoAnswer},
                                   {L"irql", TRANSPORT, FALSE, Irql},
                                   {L"irql-leak", TRANSPORT, FALSE, IrqlLeak},
                                   {L"lock-held", TRANSPORT, FALSE, LockHeld},
                                   {L"pend-left", ACCEPT, FALSE, PendLeft},
                                   {L"pend-twice", ACCEPT, FALSE, PendTwice},
                                   {L"busy", TRANSPORT, TRUE, Associate}};

void NTAPI MistakeClassify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) { /* classify begins */
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  SamplePermit(Out);
  if (Chosen == NULL || LayerData == NULL || Values->layerId != Chosen->Layer) return;
  if (Chosen->Layer != ACCEPT)
    Interface = Chosen->Layer == IP
                    ? Values->incomingValue[FWPS_FIELD_INBOUND_IPPACKET_V4_INTERFACE_INDEX].value.uint32
                    : Values->incomingValue[FWPS_FIELD_INBOUND_TRANSPORT_V4_INTERFACE_INDEX].value.uint32;
  if (Chosen->Always || InterlockedExchange(&Done, 1) == 0) Chosen->Act(Metadata, LayerData, Out);
}

NTSTATUS MistakesChoose(PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  Done = 0;
  Chosen = NULL;
  for (ULONG i = 0; i < sizeof(Mistakes) / sizeof(Mistakes[0]); ++i)
    if (SampleText(RegistryPath, L"what", Mistakes[i].Name)) Chosen = &Mistakes[i];
  KeInitializeSpinLock(&Lock);
  status = FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_NETWORK, &Network);
  return NT_SUCCESS(status) ? FwpsInjectionHandleCreate0(AF_INET, FWPS_INJECTION_TYPE_TRANSPORT, &Transport) : status;
}

void MistakesEnd(void) {
  FwpsInjectionHandleDestroy0(Network);
  FwpsInjectionHandleDestroy0(Transport);
}
