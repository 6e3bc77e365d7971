/* The driver's settings: values below the Parameters key of its service key, as every Windows driver keeps them.
 *
 *   mode        robust (default) or naive
 *   offload     allow (default) or refuse
 *   coalescing  allow (default) or refuse
 *   zero        inject (default) or permit
 *   connect     permit (default) or pend
 *   depth       packets held at most in each direction, 1 to PT_MAX_DEPTH
 *
 * A value that is missing or makes no sense leaves its default and says so: a driver that refuses to start over a
 * setting takes the machine's network with it. IRQL: PASSIVE_LEVEL. */
#include "passthrough.h"

#define PT_VALUE_BYTES 128u

typedef struct PT_VALUE_ {
  KEY_VALUE_PARTIAL_INFORMATION Information;
  UCHAR Room[PT_VALUE_BYTES];
} PT_VALUE;

static NTSTATUS PtOpenParameters(PUNICODE_STRING RegistryPath, HANDLE* Parameters) {
  DECLARE_CONST_UNICODE_STRING(name, L"Parameters");
  OBJECT_ATTRIBUTES attributes;
  HANDLE service = NULL;
  NTSTATUS status;

  InitializeObjectAttributes(&attributes, RegistryPath, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
  status = ZwOpenKey(&service, KEY_READ, &attributes);
  if (!NT_SUCCESS(status)) return status;

  InitializeObjectAttributes(&attributes, (PUNICODE_STRING)(ULONG_PTR)&name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                             service, NULL);
  status = ZwOpenKey(Parameters, KEY_READ, &attributes);
  ZwClose(service);
  return status;
}

/* FALSE: there is no such value. One that cannot be read, because it is longer than any that we know, is there all the
 * same: its type is then REG_NONE, which nobody asks for. */
static BOOLEAN PtReadValue(HANDLE Key, PCWSTR Name, PT_VALUE* Value) {
  UNICODE_STRING name;
  ULONG length = 0;
  NTSTATUS status;

  RtlInitUnicodeString(&name, Name);
  RtlZeroMemory(Value, sizeof(*Value));
  status = ZwQueryValueKey(Key, &name, KeyValuePartialInformation, &Value->Information, sizeof(*Value), &length);
  if (!NT_SUCCESS(status)) Value->Information.Type = REG_NONE;
  return (BOOLEAN)(status != STATUS_OBJECT_NAME_NOT_FOUND);
}

/* TRUE for Yes, FALSE for No, Default when the value is missing or neither. */
static BOOLEAN PtReadChoice(HANDLE Key, PCWSTR Name, PCWSTR Yes, PCWSTR No, BOOLEAN Default) {
  PT_VALUE value;
  UNICODE_STRING text, yes, no;

  if (!PtReadValue(Key, Name, &value)) return Default;
  RtlInitUnicodeString(&yes, Yes);
  RtlInitUnicodeString(&no, No);
  text.Buffer = (PWSTR)(void*)value.Information.Data;
  text.Length = (USHORT)value.Information.DataLength;
  text.MaximumLength = text.Length;
  /* REG_SZ data counts its terminator. */
  if (value.Information.Type == REG_SZ) {
    if (text.Length >= sizeof(WCHAR)) text.Length = (USHORT)(text.Length - sizeof(WCHAR));
    if (RtlEqualUnicodeString(&text, &yes, TRUE)) return TRUE;
    if (RtlEqualUnicodeString(&text, &no, TRUE)) return FALSE;
  }
  DbgPrint("passthrough: parameter %ws must be %ws or %ws; the default is used\n", Name, Yes, No);
  return Default;
}

static ULONG PtReadNumber(HANDLE Key, PCWSTR Name, ULONG Default, ULONG Maximum) {
  PT_VALUE value;
  ULONG number = 0;

  if (!PtReadValue(Key, Name, &value)) return Default;
  if (value.Information.Type == REG_DWORD && value.Information.DataLength == sizeof(number)) {
    RtlCopyMemory(&number, value.Information.Data, sizeof(number));
    if (number >= 1 && number <= Maximum) return number;
  }
  DbgPrint("passthrough: parameter %ws must be a number from 1 to %u; %u is used\n", Name, Maximum, Default);
  return Default;
}

void PtReadParameters(PUNICODE_STRING RegistryPath, PT_PARAMETERS* Parameters) {
  HANDLE key = NULL;

  Parameters->Robust = TRUE;
  Parameters->AllowOffload = TRUE;
  Parameters->AllowCoalescing = TRUE;
  Parameters->PermitZeroHandle = FALSE;
  Parameters->PendConnect = FALSE;
  Parameters->Depth = PT_DEFAULT_DEPTH;
  if (!NT_SUCCESS(PtOpenParameters(RegistryPath, &key))) return; /* no key: all defaults */

  Parameters->Robust = PtReadChoice(key, L"mode", L"robust", L"naive", TRUE);
  Parameters->AllowOffload = PtReadChoice(key, L"offload", L"allow", L"refuse", TRUE);
  Parameters->AllowCoalescing = PtReadChoice(key, L"coalescing", L"allow", L"refuse", TRUE);
  Parameters->PermitZeroHandle = PtReadChoice(key, L"zero", L"permit", L"inject", FALSE);
  Parameters->PendConnect = PtReadChoice(key, L"connect", L"pend", L"permit", FALSE);
  Parameters->Depth = PtReadNumber(key, L"depth", PT_DEFAULT_DEPTH, PT_MAX_DEPTH);
  ZwClose(key);
}
