/* A driver's mistake, on purpose: it ends the program, or does not come back. Parameters: where=classify (default; the
 * first TCP packet), dpc, thread, entry, unload or join (its system thread waits for ever, DriverUnload for the thread);
 * how=throw, abort, exit, heap, stack, loop or wait. */
#include <stdlib.h>

#include "sample.h"

typedef enum WHERE_ { InClassify, InDpc, InThread, InEntry, InUnload, InJoin } WHERE;

void EndByException(void); /* bad_end_throw.cpp */

static PCWSTR const HowNames[] = {L"throw", L"abort", L"exit", L"heap", L"stack", L"loop", L"wait"};
static ULONG How;
static WHERE Where;
static volatile LONG Done;
static KDPC Dpc;
static HANDLE ThreadHandle;
static KEVENT Never;
static BOOLEAN HasThread;
static UCHAR* volatile Freed;

static ULONG UseUpStack(volatile ULONG* Depth) {
  volatile ULONG here[256];

  here[0] = *Depth + 1;
  if (here[0] == 100000000) return 0;
  return UseUpStack(here) + here[0];
}

static void Loop(void) {
  static volatile ULONG rounds;

  for (;;) rounds = rounds + 1;
}

static void End(void) {
  volatile ULONG depth = 0;

  switch (How) {
    case 0:
      EndByException();
      break;
    case 1:
      abort();
    case 2:
      exit(0);
    case 3: /* what the C library finds: freed twice */
      Freed = malloc(64);
      free(Freed);
      free(Freed);
      break;
    case 4:
      (void)UseUpStack(&depth);
      break;
    case 5:
      Loop();
      break;
    default:
      (void)KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
  }
}

static VOID RunDpc(PKDPC Self, PVOID Context, PVOID Argument1, PVOID Argument2) {
  UNREFERENCED_PARAMETER(Self);
  UNREFERENCED_PARAMETER(Context);
  UNREFERENCED_PARAMETER(Argument1);
  UNREFERENCED_PARAMETER(Argument2);
  End();
}

static VOID RunThread(PVOID Context) {
  UNREFERENCED_PARAMETER(Context);
  if (Where == InThread) End();
  (void)KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
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
  if (Where == InClassify && InterlockedExchange(&Done, 1) == 0) End();
  if (Where == InDpc && InterlockedExchange(&Done, 1) == 0) (void)KeInsertQueueDpc(&Dpc, NULL, NULL);
  SamplePermit(Out);
}

static SAMPLE_CALLOUT Callouts[] = {
    SAMPLE_ROWS(INBOUND_TRANSPORT, Classify, FWP_ACTION_CALLOUT_TERMINATING, IPPROTO_TCP)};

static VOID WaitForThread(void) {
  PVOID thread = NULL;

  if (!NT_SUCCESS(ObReferenceObjectByHandle(ThreadHandle, SYNCHRONIZE, NULL, KernelMode, &thread, NULL))) return;
  (void)KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
  ObDereferenceObject(thread);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  if (Where == InUnload) End();
  if (HasThread) WaitForThread();
  SampleStop();
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  static PCWSTR const whereNames[] = {L"classify", L"dpc", L"thread", L"entry", L"unload", L"join"};
  ULONG i;
  NTSTATUS status;

  Done = 0;
  for (i = 0; i < sizeof(whereNames) / sizeof(whereNames[0]); ++i)
    if (SampleText(RegistryPath, L"where", whereNames[i])) Where = (WHERE)i;
  for (i = 0; i < sizeof(HowNames) / sizeof(HowNames[0]); ++i)
    if (SampleText(RegistryPath, L"how", HowNames[i])) How = i;
  HasThread = (BOOLEAN)(Where == InThread || Where == InJoin);
  KeInitializeEvent(&Never, NotificationEvent, FALSE);
  KeInitializeDpc(&Dpc, RunDpc, NULL);
  DriverObject->DriverUnload = Unload;
  if (Where == InEntry) End();
  status = SampleStart(DriverObject, 0x626165, Callouts, sizeof(Callouts) / sizeof(Callouts[0]));
  if (!NT_SUCCESS(status) || !HasThread) return status;
  return PsCreateSystemThread(&ThreadHandle, THREAD_ALL_ACCESS, NULL, NULL, NULL, RunThread, NULL);
}
