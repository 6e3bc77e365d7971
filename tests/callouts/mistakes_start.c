/* The mistakes that a driver makes when it starts and when it ends; see mistakes.c. */
#include "mistakes.h"

SAMPLE_CALLOUT MistakeCallouts[3] = {
    SAMPLE_ROW(INBOUND_TRANSPORT_V4, MistakeClassify, FWP_ACTION_CALLOUT_UNKNOWN, IPPROTO_TCP),
    SAMPLE_ROW(INBOUND_IPPACKET_V4, MistakeClassify, FWP_ACTION_CALLOUT_UNKNOWN, 0),
    SAMPLE_ROW(ALE_AUTH_RECV_ACCEPT_V4, MistakeClassify, FWP_ACTION_CALLOUT_UNKNOWN, IPPROTO_TCP)};

static const GUID LateKey = {0x6c617465, 0x5a3d, 0x41c7, {0xb2, 0x90, 0x53, 0x61, 0x6d, 0x70, 0x6c, 1}};
static UINT32 LateId;
static HANDLE Engine;
static BOOLEAN Busy, Forgotten, SessionLeft, HandleLeft;

static NTSTATUS NTAPI Notify(FWPS_CALLOUT_NOTIFY_TYPE Type, const GUID* FilterKey, FWPS_FILTER1* Filter) {
  UNREFERENCED_PARAMETER(Type);
  UNREFERENCED_PARAMETER(FilterKey);
  UNREFERENCED_PARAMETER(Filter);
  return STATUS_SUCCESS;
}

static void NTAPI FlowDelete(UINT16 LayerId, UINT32 CalloutId, UINT64 FlowContext) {
  UNREFERENCED_PARAMETER(LayerId);
  UNREFERENCED_PARAMETER(CalloutId);
  UNREFERENCED_PARAMETER(FlowContext);
}

static NTSTATUS AddFilter(const GUID* Layer, FWP_ACTION_TYPE Action) {
  FWPM_FILTER0 filter;

  RtlZeroMemory(&filter, sizeof(filter));
  filter.displayData.name = (PWSTR)(ULONG_PTR)L"mistake";
  filter.layerKey = *Layer;
  filter.action.type = Action;
  filter.action.calloutKey = LateKey;
  return FwpmFilterAdd0(Engine, &filter, NULL, NULL); /* mistake: unasked bad-layer */
}

static NTSTATUS AddCallout(void) {
  FWPM_CALLOUT0 callout;

  RtlZeroMemory(&callout, sizeof(callout));
  callout.calloutKey = LateKey;
  callout.displayData.name = (PWSTR)(ULONG_PTR)L"late";
  callout.applicableLayer = FWPM_LAYER_INBOUND_TRANSPORT_V4;
  return FwpmCalloutAdd0(Engine, &callout, NULL, NULL);
}

static NTSTATUS Register(void) {
  FWPS_CALLOUT1 callout;

  RtlZeroMemory(&callout, sizeof(callout));
  callout.calloutKey = LateKey;
  callout.classifyFn = MistakeClassify;
  callout.notifyFn = Notify;
  return FwpsCalloutRegister1(SampleDevice(), &callout, &LateId); /* mistake: late */
}

static NTSTATUS OpenEngine(void) {
  FWPM_SESSION0 session;

  RtlZeroMemory(&session, sizeof(session));
  session.flags = FWPM_SESSION_FLAG_DYNAMIC;
  return FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &Engine);
}

static NTSTATUS StartMistakes(PUNICODE_STRING RegistryPath) {
  NTSTATUS status = OpenEngine();

  if (!NT_SUCCESS(status)) return status;
  if (SampleText(RegistryPath, L"what", L"unasked")) status = AddFilter(&FWPM_LAYER_STREAM_V4, FWP_ACTION_PERMIT);
  if (SampleText(RegistryPath, L"what", L"bad-layer")) status = AddFilter(&LateKey, FWP_ACTION_PERMIT);
  if (SampleText(RegistryPath, L"what", L"late")) {
    status = AddCallout();
    if (NT_SUCCESS(status)) status = AddFilter(&FWPM_LAYER_INBOUND_TRANSPORT_V4, FWP_ACTION_CALLOUT_INSPECTION);
    if (NT_SUCCESS(status)) status = Register();
  }
  return status;
}

/* Looks at no answer. */
static void UnregisterOnce(void) {
  for (ULONG i = 0; i < 3; ++i) FwpsCalloutUnregisterById0(MistakeCallouts[i].CalloutId);
  IoDeleteDevice(SampleDevice());
}

static void Stop(void) {
  SampleRemoveFilters();
  if (!SessionLeft && Engine != NULL) FwpmEngineClose0(Engine);
  Engine = NULL;
  if (!HandleLeft) MistakesEnd();
  if (LateId != 0) FwpsCalloutUnregisterById0(LateId);
  LateId = 0;
  if (Forgotten)
    IoDeleteDevice(SampleDevice());
  else if (Busy)
    UnregisterOnce();
  else
    SampleStop();
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  Stop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  Busy = SampleText(RegistryPath, L"what", L"busy");
  Forgotten = SampleText(RegistryPath, L"what", L"forgotten");
  SessionLeft = SampleText(RegistryPath, L"what", L"session-left");
  HandleLeft = SampleText(RegistryPath, L"what", L"handle-left");
  MistakeCallouts[0].FlowDelete = FlowDelete;
  DriverObject->DriverUnload = Unload;
  status = MistakesChoose(RegistryPath);
  if (NT_SUCCESS(status)) status = SampleStart(DriverObject, 0x6d697374, MistakeCallouts, 3);
  if (NT_SUCCESS(status)) status = StartMistakes(RegistryPath);
  if (!NT_SUCCESS(status)) Stop();
  return status;
}
