#include "sample.h"

#define SAMPLE_UNREGISTER_TRIES 500u

static struct {
  PDEVICE_OBJECT Device;
  HANDLE Engine;
  UINT32 Key;
  SAMPLE_CALLOUT* Callouts;
  ULONG Count;
  UINT64 Filters[SAMPLE_MAX_CALLOUTS];
} Sample;

static GUID SampleGuid(ULONG Index) {
  GUID key = {0, 0x5a3d, 0x41c7, {0xb2, 0x90, 0x53, 0x61, 0x6d, 0x70, 0x6c, 0}};

  key.Data1 = Sample.Key;
  key.Data4[7] = (UCHAR)Index;
  return key;
}

static NTSTATUS NTAPI SampleNotify(FWPS_CALLOUT_NOTIFY_TYPE Type, const GUID* FilterKey, FWPS_FILTER1* Filter) {
  UNREFERENCED_PARAMETER(Type);
  UNREFERENCED_PARAMETER(FilterKey);
  UNREFERENCED_PARAMETER(Filter);
  return STATUS_SUCCESS;
}

static NTSTATUS SampleRegister(ULONG Index) {
  SAMPLE_CALLOUT* sample = &Sample.Callouts[Index];
  FWPS_CALLOUT1 callout;

  RtlZeroMemory(&callout, sizeof(callout));
  callout.calloutKey = SampleGuid(Index + 1);
  callout.flags = sample->Flags;
  callout.classifyFn = sample->Classify;
  callout.notifyFn = SampleNotify;
  callout.flowDeleteFn = sample->FlowDelete;
  return FwpsCalloutRegister1(Sample.Device, &callout, &sample->CalloutId);
}

static NTSTATUS SampleAddFilter(ULONG Index) {
  const SAMPLE_CALLOUT* sample = &Sample.Callouts[Index];
  FWPM_CALLOUT0 callout;
  FWPM_FILTER_CONDITION0 condition;
  FWPM_FILTER0 filter;
  NTSTATUS status;

  RtlZeroMemory(&callout, sizeof(callout));
  callout.calloutKey = SampleGuid(Index + 1);
  callout.displayData.name = (PWSTR)(ULONG_PTR)L"sample";
  callout.applicableLayer = *sample->LayerKey;
  status = FwpmCalloutAdd0(Sample.Engine, &callout, NULL, NULL);
  if (!NT_SUCCESS(status)) return status;

  RtlZeroMemory(&condition, sizeof(condition));
  condition.fieldKey = FWPM_CONDITION_IP_PROTOCOL;
  condition.matchType = FWP_MATCH_EQUAL;
  condition.conditionValue.type = FWP_UINT8;
  condition.conditionValue.uint8 = sample->Protocol;
  RtlZeroMemory(&filter, sizeof(filter));
  filter.displayData.name = (PWSTR)(ULONG_PTR)L"sample";
  filter.layerKey = *sample->LayerKey;
  filter.subLayerKey = SampleGuid(0);
  filter.weight.type = FWP_EMPTY;
  filter.numFilterConditions = sample->Protocol != 0;
  filter.filterCondition = &condition;
  filter.action.type = sample->Action;
  filter.action.calloutKey = callout.calloutKey;
  return FwpmFilterAdd0(Sample.Engine, &filter, NULL, &Sample.Filters[Index]);
}

static NTSTATUS SampleAddObjects(void) {
  FWPM_SESSION0 session;
  FWPM_SUBLAYER0 sublayer;
  NTSTATUS status;

  RtlZeroMemory(&session, sizeof(session));
  session.displayData.name = (PWSTR)(ULONG_PTR)L"sample";
  session.flags = FWPM_SESSION_FLAG_DYNAMIC;
  status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &Sample.Engine);
  if (NT_SUCCESS(status)) status = FwpmTransactionBegin0(Sample.Engine, 0);
  if (!NT_SUCCESS(status)) return status;

  RtlZeroMemory(&sublayer, sizeof(sublayer));
  sublayer.subLayerKey = SampleGuid(0);
  sublayer.displayData.name = (PWSTR)(ULONG_PTR)L"sample";
  sublayer.weight = 2;
  status = FwpmSubLayerAdd0(Sample.Engine, &sublayer, NULL);
  for (ULONG i = 0; NT_SUCCESS(status) && i < Sample.Count; ++i) status = SampleAddFilter(i);
  if (NT_SUCCESS(status)) status = FwpmTransactionCommit0(Sample.Engine);
  if (!NT_SUCCESS(status)) FwpmTransactionAbort0(Sample.Engine);
  return status;
}

NTSTATUS SampleStart(PDRIVER_OBJECT DriverObject, UINT32 Key, SAMPLE_CALLOUT* Callouts, ULONG Count) {
  NTSTATUS status;

  RtlZeroMemory(&Sample, sizeof(Sample));
  if (Count > SAMPLE_MAX_CALLOUTS) return STATUS_INVALID_PARAMETER;
  Sample.Key = Key;
  Sample.Callouts = Callouts;
  status = IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE, &Sample.Device);
  for (ULONG i = 0; NT_SUCCESS(status) && i < Count; ++i) {
    status = SampleRegister(i);
    if (NT_SUCCESS(status)) Sample.Count = i + 1;
  }
  if (NT_SUCCESS(status)) status = SampleAddObjects();
  if (!NT_SUCCESS(status)) {
    DbgPrint("sample: cannot start, status %08x\n", status);
    SampleStop();
  }
  return status;
}

/* Closing a dynamic session deletes what was added in it. */
void SampleRemoveFilters(void) {
  if (Sample.Engine != NULL) FwpmEngineClose0(Sample.Engine);
  Sample.Engine = NULL;
}

void SampleStop(void) {
  SampleRemoveFilters();
  for (ULONG i = 0; i < Sample.Count; ++i) {
    for (ULONG tries = 0; tries < SAMPLE_UNREGISTER_TRIES; ++tries) {
      LARGE_INTEGER wait;

      wait.QuadPart = -100000; /* 10 ms */
      if (FwpsCalloutUnregisterById0(Sample.Callouts[i].CalloutId) != STATUS_DEVICE_BUSY) break;
      KeDelayExecutionThread(KernelMode, FALSE, &wait);
    }
  }
  Sample.Count = 0;
  if (Sample.Device != NULL) IoDeleteDevice(Sample.Device);
  Sample.Device = NULL;
}

PDEVICE_OBJECT SampleDevice(void) { return Sample.Device; }

typedef struct SAMPLE_VALUE_ {
  KEY_VALUE_PARTIAL_INFORMATION Information;
  UCHAR Room[128];
} SAMPLE_VALUE;

static BOOLEAN SampleRead(PUNICODE_STRING RegistryPath, PCWSTR Name, SAMPLE_VALUE* Value) {
  OBJECT_ATTRIBUTES attributes;
  UNICODE_STRING name;
  HANDLE service = NULL;
  HANDLE key = NULL;
  ULONG length = 0;
  NTSTATUS status;

  RtlZeroMemory(Value, sizeof(*Value));
  InitializeObjectAttributes(&attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
  status = ZwOpenKey(&service, KEY_READ, &attributes);
  if (!NT_SUCCESS(status)) return FALSE;
  RtlInitUnicodeString(&name, L"Parameters");
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, service, NULL);
  status = ZwOpenKey(&key, KEY_READ, &attributes);
  ZwClose(service);
  if (!NT_SUCCESS(status)) return FALSE;
  RtlInitUnicodeString(&name, Name);
  status = ZwQueryValueKey(key, &name, KeyValuePartialInformation, &Value->Information, sizeof(*Value), &length);
  ZwClose(key);
  return NT_SUCCESS(status);
}

ULONG SampleNumber(PUNICODE_STRING RegistryPath, PCWSTR Name, ULONG Default) {
  SAMPLE_VALUE value;
  ULONG number = Default;

  if (SampleRead(RegistryPath, Name, &value) && value.Information.Type == REG_DWORD)
    RtlCopyMemory(&number, value.Information.Data, sizeof(number));
  return number;
}

BOOLEAN SampleText(PUNICODE_STRING RegistryPath, PCWSTR Name, PCWSTR Expected) {
  SAMPLE_VALUE value;
  UNICODE_STRING text, expected;

  if (!SampleRead(RegistryPath, Name, &value) || value.Information.Type != REG_SZ) return FALSE;
  RtlInitUnicodeString(&expected, Expected);
  text.Buffer = (PWSTR)(void*)value.Information.Data;
  text.Length = (USHORT)(value.Information.DataLength - sizeof(WCHAR));
  text.MaximumLength = text.Length;
  return RtlEqualUnicodeString(&text, &expected, TRUE);
}
