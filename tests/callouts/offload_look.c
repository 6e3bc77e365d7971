/* Looks at what is left to the adapter of outbound TCP and UDP packets, and tells at unload, layer by layer: how many there
 * were, the longest, how many ask for segmentation or a checksum, and how many have a checksum that is not finished.
 * Parameter: consent=1 registers with FWP_CALLOUT_FLAG_ALLOW_OFFLOAD; without it nothing may be left. */
#include "sample.h"

#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u

typedef struct COUNTS_ {
  volatile LONG Packets, Longest, Large, Asked, Unfinished;
} COUNTS;
typedef enum PLACE_ { Transport4, Transport6, Ip4, Ip6, PlaceCount } PLACE;

static COUNTS Counts[PlaceCount];
static const char* const Names[PlaceCount] = {"OUTBOUND_TRANSPORT_V4", "OUTBOUND_TRANSPORT_V6",
                                              "OUTBOUND_IPPACKET_V4", "OUTBOUND_IPPACKET_V6"};

static ULONG Add(ULONG Sum, const UCHAR* Bytes, ULONG Length) {
  for (ULONG i = 0; i + 1 < Length; i += 2) Sum += (ULONG)(Bytes[i] << 8 | Bytes[i + 1]);
  if (Length % 2 != 0) Sum += (ULONG)Bytes[Length - 1] << 8;
  return Sum;
}

/* Addresses: the sum over both. */
static BOOLEAN IsFinished(ULONG Addresses, ULONG Protocol, const UCHAR* Transport, ULONG Length) {
  ULONG sum = Add(Addresses + Protocol + Length, Transport, Length);

  while (sum >> 16 != 0) sum = (sum & 0xffffu) + (sum >> 16);
  return (BOOLEAN)(sum == 0xffffu);
}

static void Count(PLACE Place, NET_BUFFER_LIST* Packet, ULONG Length, BOOLEAN Finished) {
  COUNTS* counts = &Counts[Place];
  NDIS_TCP_IP_CHECKSUM_NET_BUFFER_LIST_INFO checksum;
  NDIS_TCP_LARGE_SEND_OFFLOAD_NET_BUFFER_LIST_INFO large;

  checksum.Value = NET_BUFFER_LIST_INFO(Packet, TcpIpChecksumNetBufferListInfo);
  large.Value = NET_BUFFER_LIST_INFO(Packet, TcpLargeSendNetBufferListInfo);
  InterlockedIncrement(&counts->Packets);
  if ((LONG)Length > counts->Longest) counts->Longest = (LONG)Length; /* one processor sends */
  if (large.LsoV2Transmit.MSS != 0) InterlockedIncrement(&counts->Large);
  if (checksum.Transmit.TcpChecksum || checksum.Transmit.UdpChecksum) InterlockedIncrement(&counts->Asked);
  if (!Finished) InterlockedIncrement(&counts->Unfinished);
}

/* Bytes from the transport header on; what lies in several pieces is copied into *Memory, which the caller frees. */
static const UCHAR* Map(NET_BUFFER_LIST* Packet, ULONG* Length, PVOID* Memory) {
  NET_BUFFER* buffer = NET_BUFFER_LIST_FIRST_NB(Packet);

  *Length = NET_BUFFER_DATA_LENGTH(buffer);
  *Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, *Length, SAMPLE_TAG);
  return *Memory == NULL ? NULL : NdisGetDataBuffer(buffer, *Length, *Memory, 1, 0);
}

static void LookAtTransport(PLACE Place, ULONG Protocol, ULONG Addresses, NET_BUFFER_LIST* Packet) {
  ULONG length;
  PVOID memory;
  const UCHAR* const bytes = Map(Packet, &length, &memory);

  if (bytes != NULL && (Protocol == PROTOCOL_TCP || Protocol == PROTOCOL_UDP))
    Count(Place, Packet, length, IsFinished(Addresses, Protocol, bytes, length));
  if (memory != NULL) ExFreePoolWithTag(memory, SAMPLE_TAG);
}

static void LookAtIp(PLACE Place, NET_BUFFER_LIST* Packet) {
  ULONG length;
  PVOID memory;
  const UCHAR* const bytes = Map(Packet, &length, &memory);

  if (bytes != NULL) {
    const ULONG header = Place == Ip4 ? (bytes[0] & 15u) * 4u : 40u;
    const ULONG protocol = Place == Ip4 ? bytes[9] : bytes[6];
    const ULONG addresses = Place == Ip4 ? Add(0, bytes + 12, 8) : Add(0, bytes + 8, 32);

    if (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP)
      Count(Place, Packet, length, IsFinished(addresses, protocol, bytes + header, length - header));
  }
  if (memory != NULL) ExFreePoolWithTag(memory, SAMPLE_TAG);
}

static ULONG Halves(UINT32 Address) { return (Address >> 16) + (Address & 0xffffu); }

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  const FWPS_INCOMING_VALUE0* fields = Values->incomingValue;

  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (SampleMayWrite(Out)) Out->actionType = FWP_ACTION_CONTINUE;
  switch (Values->layerId) {
    case FWPS_LAYER_OUTBOUND_TRANSPORT_V4:
      LookAtTransport(Transport4, fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_PROTOCOL].value.uint8,
                      Halves(fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_LOCAL_ADDRESS].value.uint32) +
                          Halves(fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_REMOTE_ADDRESS].value.uint32),
                      LayerData);
      break;
    case FWPS_LAYER_OUTBOUND_TRANSPORT_V6:
      LookAtTransport(
          Transport6, fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V6_IP_PROTOCOL].value.uint8,
          Add(0, fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V6_IP_LOCAL_ADDRESS].value.byteArray16->byteArray16, 16) +
              Add(0, fields[FWPS_FIELD_OUTBOUND_TRANSPORT_V6_IP_REMOTE_ADDRESS].value.byteArray16->byteArray16, 16),
          LayerData);
      break;
    default:
      LookAtIp(Values->layerId == FWPS_LAYER_OUTBOUND_IPPACKET_V4 ? Ip4 : Ip6, LayerData);
  }
}

static SAMPLE_CALLOUT Callouts[] = {SAMPLE_ROWS(OUTBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_INSPECTION, 0),
                                    SAMPLE_ROWS(OUTBOUND_IPPACKET, Classify, FWP_ACTION_CALLOUT_INSPECTION, 0)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
  for (ULONG i = 0; i < PlaceCount; ++i)
    if (Counts[i].Packets != 0)
      DbgPrint("offload_look: %s packets %d longest %d large %d asked %d unfinished %d\n", Names[i],
               Counts[i].Packets, Counts[i].Longest, Counts[i].Large, Counts[i].Asked, Counts[i].Unfinished);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  const UINT32 flags = SampleNumber(RegistryPath, L"consent", 0) != 0 ? FWP_CALLOUT_FLAG_ALLOW_OFFLOAD : 0;

  RtlZeroMemory(Counts, sizeof(Counts));
  for (ULONG i = 0; i < sizeof(Callouts) / sizeof(Callouts[0]); ++i) Callouts[i].Flags = flags;
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x6f66666c, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
