/* DriverEntry and DriverUnload. Starting is a list of steps; stopping undoes whatever of them has been done, in the
 * reverse order, and serves both a failed start and an unload under traffic. IRQL: PASSIVE_LEVEL. */
#include "passthrough.h"

#define PT_LOOKASIDE_DEPTH 256

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD PtUnload;

PT_GLOBALS Pt;

static NTSTATUS PtCreateHandles(void) {
  static const ADDRESS_FAMILY families[PtFamilyCount] = {AF_INET, AF_INET6};
  NTSTATUS status = STATUS_SUCCESS;

  for (ULONG i = 0; NT_SUCCESS(status) && i < PtFamilyCount; ++i) {
    status = FwpsInjectionHandleCreate0(families[i], FWPS_INJECTION_TYPE_TRANSPORT, &Pt.SendHandle[i]);
    if (NT_SUCCESS(status))
      status = FwpsInjectionHandleCreate0(families[i], FWPS_INJECTION_TYPE_TRANSPORT, &Pt.ReceiveHandle[i]);
    if (NT_SUCCESS(status))
      status = FwpsInjectionHandleCreate0(families[i], FWPS_INJECTION_TYPE_NETWORK, &Pt.NetworkHandle[i]);
  }
  return status;
}

static void PtDestroyHandle(HANDLE* Handle) {
  if (*Handle != NULL) FwpsInjectionHandleDestroy0(*Handle); /* returns when its last completion has returned */
  *Handle = NULL;
}

static void PtReport(const char* Direction, const PT_QUEUE* Queue) {
  DbgPrint(
      "passthrough: %s: absorbed %I64d pended %I64d injected %I64d completed %I64d failed %I64d second way %I64d "
      "permitted %I64d\n",
      Direction, Queue->Absorbed, Queue->Pended, Queue->Injected, Queue->Completed, Queue->Failed, Queue->SecondWay,
      Queue->Permitted);
}

/* The order matters:
 *   1. filters first: from here on new packets pass by themselves;
 *   2. run-down: no packet is held any more after it, those that were held have been injected and completed by the
 *      queues' DPCs, which keep running, and classify calls still on their way find the door closed and permit;
 *   3. injection handles: destroying one waits until its last completion function has returned;
 *   4. callouts: when all are unregistered no classify function of ours is running;
 *   5. DPCs: none is queued any more, but the last one may still be on its way out of our code. */
static void PtStop(void) {
  PtDeleteObjects();
  ExWaitForRundownProtectionRelease(&Pt.Rundown);
  for (ULONG i = 0; i < PtFamilyCount; ++i) {
    PtDestroyHandle(&Pt.SendHandle[i]);
    PtDestroyHandle(&Pt.ReceiveHandle[i]);
    PtDestroyHandle(&Pt.NetworkHandle[i]);
  }
  PtUnregisterCallouts();
  KeCancelTimer(&Pt.Outbound.RetryTimer);
  KeCancelTimer(&Pt.Inbound.RetryTimer);
  KeFlushQueuedDpcs();
  if (Pt.PacketsReady) ExDeleteLookasideListEx(&Pt.Packets);
  Pt.PacketsReady = FALSE;
  if (Pt.Device != NULL) IoDeleteDevice(Pt.Device);
  Pt.Device = NULL;
}

static NTSTATUS PtStart(PDRIVER_OBJECT DriverObject) {
  NTSTATUS status =
      IoCreateDevice(DriverObject, 0, NULL, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE, &Pt.Device);

  if (!NT_SUCCESS(status)) return status;
  status = ExInitializeLookasideListEx(&Pt.Packets, NULL, NULL, NonPagedPoolNx, 0, sizeof(PT_PACKET), PT_TAG,
                                       PT_LOOKASIDE_DEPTH);
  if (!NT_SUCCESS(status)) return status;
  Pt.PacketsReady = TRUE;
  status = PtCreateHandles();
  /* Callouts before filters: a filter whose callout is missing would block, were it not for its flag. */
  if (NT_SUCCESS(status)) status = PtRegisterCallouts();
  if (NT_SUCCESS(status)) status = PtAddObjects();
  return status;
}

static VOID PtUnload(PDRIVER_OBJECT DriverObject) {
  UNREFERENCED_PARAMETER(DriverObject);
  PtStop();
  PtReport("outbound", &Pt.Outbound);
  PtReport("inbound", &Pt.Inbound);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NTSTATUS status;

  RtlZeroMemory(&Pt, sizeof(Pt));
  ExInitializeRundownProtection(&Pt.Rundown);
  PtInitializeQueue(&Pt.Outbound);
  PtInitializeQueue(&Pt.Inbound);
  PtReadParameters(RegistryPath, &Pt.Parameters);
  DriverObject->DriverUnload = PtUnload;

  status = PtStart(DriverObject);
  if (!NT_SUCCESS(status)) {
    DbgPrint("passthrough: cannot start, status %08x\n", status);
    PtStop();
    return status;
  }
  DbgPrint("passthrough: mode %s, zero %s, offload %s, coalescing %s, connect %s, depth %u\n",
           Pt.Parameters.Robust ? "robust" : "naive", Pt.Parameters.PermitZeroHandle ? "permit" : "inject",
           Pt.Parameters.AllowOffload ? "allow" : "refuse", Pt.Parameters.AllowCoalescing ? "allow" : "refuse",
           Pt.Parameters.PendConnect ? "pend" : "permit", Pt.Parameters.Depth);
  return STATUS_SUCCESS;
}
