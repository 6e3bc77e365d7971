/* A driver's mistake, on purpose: it asks Linux instead of the kernel's routines. Parameters: number=N is the system call, a=, b=
 * and c= its arguments; at=classify makes it in the first classify at INBOUND_TRANSPORT, at=thread in a system thread, otherwise it is made
 * in DriverEntry. */
#include "sample.h"

static ULONG Number, Arguments[3];
static volatile LONG IsMade;

static LONG64 Call(void) {
#if defined(__x86_64__)
  LONG64 result;

  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"((ULONG64)Number), "D"((ULONG64)Arguments[0]), "S"((ULONG64)Arguments[1]),
                     "d"((ULONG64)Arguments[2])
                   : "rcx", "r11", "memory");
  return result;
#else
  return -1;
#endif
}

static void NTAPI Classify(const FWPS_INCOMING_VALUES0* Values, const FWPS_INCOMING_METADATA_VALUES0* Metadata,
                           void* LayerData, const void* ClassifyContext, const FWPS_FILTER1* Filter,
                           UINT64 FlowContext, FWPS_CLASSIFY_OUT0* Out) {
  UNREFERENCED_PARAMETER(Values);
  UNREFERENCED_PARAMETER(Metadata);
  UNREFERENCED_PARAMETER(LayerData);
  UNREFERENCED_PARAMETER(ClassifyContext);
  UNREFERENCED_PARAMETER(Filter);
  UNREFERENCED_PARAMETER(FlowContext);
  if (SampleMayWrite(Out)) Out->actionType = FWP_ACTION_CONTINUE;
  if (InterlockedExchange(&IsMade, 1) == 0) DbgPrint("bad_syscall: %I64d\n", Call());
}

static VOID Run(PVOID Context) {
  UNREFERENCED_PARAMETER(Context);
  DbgPrint("bad_syscall: %I64d\n", Call());
  PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS CallInThread(void) {
  HANDLE handle;
  PVOID thread;
  NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Run, NULL);

  if (!NT_SUCCESS(status)) return status;
  status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &thread, NULL);
  ZwClose(handle);
  if (!NT_SUCCESS(status)) return status;
  KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
  ObDereferenceObject(thread);
  return STATUS_SUCCESS;
}

static SAMPLE_CALLOUT Callouts[] = {SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_INSPECTION, 0)};

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  const BOOLEAN inClassify = SampleText(RegistryPath, L"at", L"classify");
  const BOOLEAN inThread = SampleText(RegistryPath, L"at", L"thread");

  Number = SampleNumber(RegistryPath, L"number", 39); /* getpid */
  Arguments[0] = SampleNumber(RegistryPath, L"a", 0);
  Arguments[1] = SampleNumber(RegistryPath, L"b", 0);
  Arguments[2] = SampleNumber(RegistryPath, L"c", 0);
  IsMade = !inClassify;
  DriverObject->DriverUnload = Unload;
  if (inThread) {
    const NTSTATUS status = CallInThread();

    if (!NT_SUCCESS(status)) return status;
  } else if (!inClassify) {
    DbgPrint("bad_syscall: %I64d\n", Call());
  }
  return SampleStart(DriverObject, 0x62737973, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
}
