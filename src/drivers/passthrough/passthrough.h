/* passthrough: a callout driver that takes every TCP and UDP packet off the stack and gives it back.
 *
 * It decides nothing about the traffic. It shows how a packet is absorbed, kept, cloned, reinjected, completed and
 * freed without losing one, including those whose transportEndpointHandle is zero. README.md beside this file tells
 * why each step is the way it is; this header tells who owns what.
 *
 * One PT_PACKET stands for one absorbed packet or one pended operation. From PtHold() to PtRelease() it owns one
 * reference to the original NET_BUFFER_LIST, at most one clone, at most one completion context, its control data, and
 * one hold on Pt.Rundown, so that unloading waits for it. It is in one place at a time: in a PT_QUEUE, in the hands
 * of the queue's one drainer, or with the engine until PtInjected() runs.
 *
 * IRQL: everything that starts with a packet runs at <= DISPATCH_LEVEL; DriverEntry and DriverUnload at
 * PASSIVE_LEVEL. No lock is held over any call into NDIS or WFP. */
#ifndef PASSTHROUGH_H
#define PASSTHROUGH_H

#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#define PT_TAG 0x72687450u /* 'Pthr' in a dump */
#define PT_DEFAULT_DEPTH 4096u
#define PT_MAX_DEPTH 65536u
#define PT_BATCH 64u         /* packets that one DPC handles before it lets others run */
#define PT_RETRY_LIMIT 2000u /* times that a call may fail for want of resources before its packet is given up */
#define PT_RETRY_DELAY_MS 1
#define PT_MAX_CONTROL_DATA 1024u

typedef enum PT_KIND_ { PtOutbound, PtInbound, PtAccept, PtConnect } PT_KIND;
typedef enum PT_FAMILY_ { PtV4, PtV6, PtFamilyCount } PT_FAMILY;

/* How a packet goes back. */
typedef enum PT_WAY_ {
  PtByEndpoint, /* FwpsInjectTransportSendAsync0: for an endpoint that is alive */
  PtByNetwork,  /* FwpsConstructIpHeaderForTransportPacket0 and FwpsInjectNetworkSendAsync0: needs no endpoint */
  PtByReceive,  /* FwpsInjectTransportReceiveAsync0 */
  PtNothing     /* a pended operation without a packet (connect of TCP): it is only completed */
} PT_WAY;

/* A layer that the driver registers for, and where its values are. */
typedef struct PT_LAYER_ {
  PT_KIND Kind;
  PT_FAMILY Family;
  UINT16 LayerId;
  const GUID* LayerKey;
  const GUID* CalloutKey;
  UINT16 ProtocolField;
  UINT16 LocalAddressField;
  UINT16 RemoteAddressField;
  UINT16 InterfaceField;
  UINT16 SubInterfaceField;
  UINT16 FlagsField;
} PT_LAYER;

#define PT_LAYER_COUNT 8u
extern const PT_LAYER PtLayers[PT_LAYER_COUNT];
extern const GUID PtSubLayerKey;
const PT_LAYER* PtFindLayer(UINT16 LayerId);

typedef struct PT_QUEUE_ {
  KSPIN_LOCK Lock;
  LIST_ENTRY Packets; /* oldest first */
  BOOLEAN Draining;   /* a DPC is at work or queued: it alone takes packets out, which keeps their order */
  KDPC Dpc;
  KTIMER RetryTimer;
  volatile LONG Held; /* packets of this direction that we own, wherever they are; at most Pt.Parameters.Depth */
  volatile LONG64 Absorbed;
  volatile LONG64 Pended;
  volatile LONG64 Injected; /* handed to the engine; a second attempt counts again */
  volatile LONG64 Completed;
  volatile LONG64 Failed;    /* completed with an error, or not injectable: the packet is lost */
  volatile LONG64 SecondWay; /* failed by its endpoint, sent by the network way */
  volatile LONG64 Permitted; /* let through because there was no room or no way to take them */
} PT_QUEUE;

typedef struct PT_PACKET_ {
  LIST_ENTRY Link;
  PT_QUEUE* Queue;
  const PT_LAYER* Layer;
  PT_WAY Way;
  NET_BUFFER_LIST* Original; /* one reference; NULL for PtNothing */
  NET_BUFFER_LIST* Clone;    /* ours until an injection call has succeeded */
  HANDLE CompletionContext;  /* a pended operation that is still to be completed */
  ULONG DataOffset;          /* of the original, when it was classified */
  ULONG IpHeaderSize;        /* PtByReceive: bytes in front of the data that belong to the packet */
  ULONG TransportHeaderSize;
  UINT64 EndpointHandle;
  COMPARTMENT_ID Compartment;
  IF_INDEX Interface;
  IF_INDEX SubInterface;
  UINT8 Protocol;
  UCHAR LocalAddress[16]; /* network order; the injection refers to them until its completion has run */
  UCHAR RemoteAddress[16];
  SCOPE_ID RemoteScope;
  WSACMSGHDR* ControlData; /* our copy, or NULL */
  ULONG ControlDataLength;
  ULONG Attempts;
} PT_PACKET;

typedef struct PT_PARAMETERS_ {
  BOOLEAN Robust;           /* mode=robust (default) or naive */
  BOOLEAN AllowOffload;     /* offload=allow (default) or refuse */
  BOOLEAN AllowCoalescing;  /* coalescing=allow (default) or refuse */
  BOOLEAN PermitZeroHandle; /* zero=permit; default inject */
  BOOLEAN PendConnect;      /* connect=pend; default permit */
  ULONG Depth;              /* depth=N, packets held at most in each direction */
} PT_PARAMETERS;

typedef struct PT_GLOBALS_ {
  PT_PARAMETERS Parameters;
  PDEVICE_OBJECT Device;
  HANDLE Engine;
  UINT32 CalloutIds[PT_LAYER_COUNT];    /* run-time ids; 0 is not registered */
  UINT64 FilterIds[2 * PT_LAYER_COUNT]; /* 0 is not added */
  BOOLEAN ObjectsAdded;
  /* One injection handle for each direction and family: what a handle says about a packet must be unambiguous. */
  HANDLE SendHandle[PtFamilyCount];
  HANDLE ReceiveHandle[PtFamilyCount];
  HANDLE NetworkHandle[PtFamilyCount];
  EX_RUNDOWN_REF Rundown;
  LOOKASIDE_LIST_EX Packets;
  BOOLEAN PacketsReady;
  PT_QUEUE Outbound;
  PT_QUEUE Inbound;
} PT_GLOBALS;

extern PT_GLOBALS Pt;

/* parameters.c */
void PtReadParameters(PUNICODE_STRING RegistryPath, PT_PARAMETERS* Parameters);

/* install.c: what the engine knows of us. */
NTSTATUS PtRegisterCallouts(void);
void PtUnregisterCallouts(void);
NTSTATUS PtAddObjects(void);
void PtDeleteObjects(void);

/* callouts.c: transport layers. */
void NTAPI PtClassifyTransport(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                               void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                               UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out);
BOOLEAN PtIsOurs(const PT_LAYER* Layer, const NET_BUFFER_LIST* Packet);
void PtPermit(const FWPS_FILTER1* Filter, FWPS_CLASSIFY_OUT0* Out);
void PtAbsorb(FWPS_CLASSIFY_OUT0* Out);

/* pend.c: ALE layers. */
void NTAPI PtClassifyAuthorize(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                               void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                               UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out);

/* queue.c */
void PtInitializeQueue(PT_QUEUE* Queue);
/* A packet with everything that the values and the metadata say, holding a reference to LayerData (may be NULL).
 * NULL: no room, no memory, or the driver is being unloaded. */
PT_PACKET* PtHold(const PT_LAYER* Layer, const FWPS_INCOMING_VALUES0* Values,
                  const FWPS_INCOMING_METADATA_VALUES0* Metadata, NET_BUFFER_LIST* LayerData);
void PtEnqueue(PT_PACKET* Packet);
void PtRelease(PT_PACKET* Packet);

/* reinject.c */
NTSTATUS PtReinject(PT_PACKET* Packet);
BOOLEAN PtMayRetry(NTSTATUS Status);

#endif
