/* Blocks TCP on one port. Parameters: port=N (default 80), where=accept (default), connect, inbound, outbound or
 * discard. accept and inbound and outbound look at the local port, connect at the remote one. discard blocks at
 * INBOUND_TRANSPORT_DISCARD, which silences the RST that a closed port answers with. */
#include "sample.h"

static ULONG Port;

static BOOLEAN IsPort(const FWPS_INCOMING_VALUES0* Values) {
  UINT16 field;

  switch (Values->layerId) {
    case FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V4:
    case FWPS_LAYER_ALE_AUTH_RECV_ACCEPT_V6:
      field = FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_LOCAL_PORT;
      break;
    case FWPS_LAYER_ALE_AUTH_CONNECT_V4:
    case FWPS_LAYER_ALE_AUTH_CONNECT_V6:
      field = FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT;
      break;
    case FWPS_LAYER_OUTBOUND_TRANSPORT_V4:
    case FWPS_LAYER_OUTBOUND_TRANSPORT_V6:
      field = FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_LOCAL_PORT;
      break;
    default: /* a discard layer has the fields of the layer that it belongs to */
      field = FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_PORT;
      break;
  }
  return (BOOLEAN)(Values->incomingValue[field].value.uint16 == Port);
}
C_ASSERT((int)FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V4_IP_LOCAL_PORT ==
         (int)FWPS_FIELD_ALE_AUTH_RECV_ACCEPT_V6_IP_LOCAL_PORT);
C_ASSERT((int)FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT == (int)FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_REMOTE_PORT);
C_ASSERT((int)FWPS_FIELD_OUTBOUND_TRANSPORT_V4_IP_LOCAL_PORT == (int)FWPS_FIELD_OUTBOUND_TRANSPORT_V6_IP_LOCAL_PORT);
C_ASSERT((int)FWPS_FIELD_INBOUND_TRANSPORT_V4_IP_LOCAL_PORT == (int)FWPS_FIELD_INBOUND_TRANSPORT_V6_IP_LOCAL_PORT);

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (IsPort(Values))
    SampleBlock(Out);
  else
    SamplePermit(Out);
}

#define ACTION FWP_ACTION_CALLOUT_TERMINATING
static SAMPLE_CALLOUT Accept[] = {SAMPLE_ROWS(ALE_AUTH_RECV_ACCEPT, Classify, ACTION, IPPROTO_TCP)};
static SAMPLE_CALLOUT Connect[] = {SAMPLE_ROWS(ALE_AUTH_CONNECT, Classify, ACTION, IPPROTO_TCP)};
static SAMPLE_CALLOUT Inbound[] = {SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, ACTION, IPPROTO_TCP)};
static SAMPLE_CALLOUT Outbound[] = {SAMPLE_ROWS(OUTBOUND_TRANSPORT, Classify, ACTION, IPPROTO_TCP)};
static SAMPLE_CALLOUT Discard[] = {SAMPLE_DISCARD_ROWS(INBOUND_TRANSPORT, Classify, ACTION, IPPROTO_TCP)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  SAMPLE_CALLOUT* callouts = Accept;

  Port = SampleNumber(RegistryPath, L"port", 80);
  if (SampleText(RegistryPath, L"where", L"connect")) callouts = Connect;
  if (SampleText(RegistryPath, L"where", L"inbound")) callouts = Inbound;
  if (SampleText(RegistryPath, L"where", L"outbound")) callouts = Outbound;
  if (SampleText(RegistryPath, L"where", L"discard")) callouts = Discard;
  DriverObject->DriverUnload = Unload;
  return SampleStart(DriverObject, 0x626c636b, callouts, 2);
}
