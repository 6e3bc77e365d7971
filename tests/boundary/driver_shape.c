/* A callout driver in the shape of the published samples: header order, INITGUID, digitless names, wide literals. It
 * is compiled as drivers are, for several Windows versions, and never run: what it needs must exist under these
 * names. */
#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#include <in6addr.h>
#include <ip2string.h>
#include <ws2ipdef.h>
#define INITGUID
#include <guiddef.h>

DEFINE_GUID(SHAPE_CALLOUT, 0x5a5a0001, 0x0001, 0x0002, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a);
DEFINE_GUID(SHAPE_SUBLAYER, 0x5a5a0002, 0x0001, 0x0002, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a);

static HANDLE engine;
static HANDLE injection;
static UINT32 callout_id;

#if NTDDI_VERSION >= NTDDI_WIN7
static void NTAPI classify(const FWPS_INCOMING_VALUES* values, const FWPS_INCOMING_METADATA_VALUES* metadata,
                           void* data, const void* classify_context, const FWPS_FILTER* filter, UINT64 flow_context,
                           FWPS_CLASSIFY_OUT* out) {
  UNREFERENCED_PARAMETER(classify_context);
#else
static void NTAPI classify(const FWPS_INCOMING_VALUES* values, const FWPS_INCOMING_METADATA_VALUES* metadata,
                           void* data, const FWPS_FILTER* filter, UINT64 flow_context, FWPS_CLASSIFY_OUT* out) {
#endif
  NET_BUFFER_LIST* const packet = data;
  UNREFERENCED_PARAMETER(flow_context);
  if ((out->rights & FWPS_RIGHT_ACTION_WRITE) == 0 || packet == NULL) return;
  if (FwpsQueryPacketInjectionState(injection, packet, NULL) != FWPS_PACKET_NOT_INJECTED) {
    out->actionType = FWP_ACTION_PERMIT;
    return;
  }
  if (FWPS_IS_METADATA_FIELD_PRESENT(metadata, FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE) &&
      values->incomingValue[FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_PROTOCOL].value.uint8 == IPPROTO_TCP)
    NdisRetreatNetBufferDataStart(NET_BUFFER_LIST_FIRST_NB(packet), metadata->transportHeaderSize, 0, NULL);
  out->actionType = FWP_ACTION_BLOCK;
  out->flags |= FWPS_CLASSIFY_OUT_FLAG_ABSORB;
  if (filter->flags & FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT) out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID* key, FWPS_FILTER* filter) {
  UNREFERENCED_PARAMETER(type);
  UNREFERENCED_PARAMETER(key);
  UNREFERENCED_PARAMETER(filter);
  return STATUS_SUCCESS;
}

static NTSTATUS add_filter(UINT16 weight) {
  FWPM_SUBLAYER sublayer = {0};
  FWPM_FILTER filter = {0};
  FWPM_FILTER_CONDITION condition = {0};
  NTSTATUS status;

  sublayer.subLayerKey = SHAPE_SUBLAYER;
  sublayer.displayData.name = L"shape";
  sublayer.weight = weight;
  status = FwpmSubLayerAdd(engine, &sublayer, NULL);
  if (!NT_SUCCESS(status)) return status;

  condition.fieldKey = FWPM_CONDITION_IP_PROTOCOL;
  condition.matchType = FWP_MATCH_EQUAL;
  condition.conditionValue.type = FWP_UINT8;
  condition.conditionValue.uint8 = IPPROTO_TCP;
  filter.layerKey = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  filter.subLayerKey = SHAPE_SUBLAYER;
  filter.displayData.name = L"shape filter";
  filter.weight.type = FWP_EMPTY;
  filter.numFilterConditions = 1;
  filter.filterCondition = &condition;
  filter.action.type = FWP_ACTION_CALLOUT_TERMINATING;
  filter.action.calloutKey = SHAPE_CALLOUT;
  return FwpmFilterAdd(engine, &filter, NULL, NULL);
}

NTSTATUS shape_start(void* device);
NTSTATUS shape_start(void* device) {
  FWPS_CALLOUT callout = {0};
  FWPM_SESSION session = {0};
  NTSTATUS status;

  session.flags = FWPM_SESSION_FLAG_DYNAMIC;
  status = FwpmEngineOpen(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine);
  if (!NT_SUCCESS(status)) return status;
  status = FwpsInjectionHandleCreate(AF_UNSPEC, FWPS_INJECTION_TYPE_TRANSPORT, &injection);
  if (!NT_SUCCESS(status)) return status;
  callout.calloutKey = SHAPE_CALLOUT;
  callout.flags = FWP_CALLOUT_FLAG_CONDITIONAL_ON_FLOW | FWP_CALLOUT_FLAG_ALLOW_RSC;
  callout.classifyFn = classify;
  callout.notifyFn = notify;
  status = FwpsCalloutRegister(device, &callout, &callout_id);
  return NT_SUCCESS(status) ? add_filter(FWP_UINT16) : status;
}
