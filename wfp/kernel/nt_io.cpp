// extern "C": device objects and work items.
#include <cstdlib>
#include <new>

#include "nt/io.h"
#include "nt/rtl.h"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;
namespace ledger = wfp::ledger;

struct _IO_WORKITEM {
  WorkEntry entry;
  PVOID object;
  PIO_WORKITEM_ROUTINE routine;
  PIO_WORKITEM_ROUTINE_EX routine_ex;
  PVOID context;
  std::atomic<bool> queued;
};

namespace {

constexpr ULONG kDeviceTypeNumber = 3;  // the documented type number of device objects
constexpr CSHORT kDeviceQueueNumber = 20;

// Copies what it needs first: the routine may free its item, or queue it again.
void run_work_item(WorkEntry& entry) {
  auto* item = CONTAINING_RECORD(&entry, _IO_WORKITEM, entry);
  const auto routine = item->routine;
  const auto routine_ex = item->routine_ex;
  PVOID object = item->object;
  PVOID context = item->context;
  item->queued.store(false, std::memory_order_release);
  if (routine_ex != nullptr)
    routine_ex(object, context, item);
  else
    routine(static_cast<PDEVICE_OBJECT>(object), context);
}

void queue(PIO_WORKITEM item, PIO_WORKITEM_ROUTINE routine, PIO_WORKITEM_ROUTINE_EX routine_ex, PVOID context,
           const char* function) {
  assert_irql_at_most(DISPATCH_LEVEL, function);
  if (item->queued.exchange(true)) {
    report_violation(ledger::rule::kWorkItem,
                     text("%s: %p is queued already and has not run yet", function, static_cast<void*>(item)));
    return;
  }
  item->routine = routine;
  item->routine_ex = routine_ex;
  item->context = context;
  item->entry.run = run_work_item;
  item->entry.driver = ledger::current_driver();
  if (Kernel::current().scheduler().queue_work(item->entry)) return;
  item->queued = false;
  report_violation(ledger::rule::kBound,
                   text("%s: %zu work items are queued already", function, kMaxQueuedWorkItems));
}

}  // namespace

extern "C" {

NTSTATUS NTAPI IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING,
                              DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN,
                              PDEVICE_OBJECT* DeviceObject) {
  assert_irql_at_most(APC_LEVEL, "IoCreateDevice");
  if (DriverObject == nullptr || DeviceObject == nullptr) return STATUS_INVALID_PARAMETER;
  constexpr std::size_t kExtensionAt = (sizeof(DEVICE_OBJECT) + 15) / 16 * 16;
  auto* device = static_cast<PDEVICE_OBJECT>(std::calloc(1, kExtensionAt + DeviceExtensionSize));
  if (device == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  device->Type = kDeviceTypeNumber;
  device->Size = static_cast<USHORT>(sizeof(DEVICE_OBJECT) + DeviceExtensionSize);
  device->ReferenceCount = 1;
  device->DriverObject = DriverObject;
  device->Flags = DO_DEVICE_INITIALIZING;
  device->Characteristics = DeviceCharacteristics;
  device->DeviceType = DeviceType;
  device->StackSize = 1;
  KeInitializeEvent(&device->DeviceLock, SynchronizationEvent, TRUE);
  device->DeviceQueue.Type = kDeviceQueueNumber;
  device->DeviceQueue.Size = static_cast<CSHORT>(sizeof(KDEVICE_QUEUE));
  InitializeListHead(&device->DeviceQueue.DeviceListHead);
  if (DeviceExtensionSize != 0) device->DeviceExtension = reinterpret_cast<char*>(device) + kExtensionAt;
  device->NextDevice = DriverObject->DeviceObject;
  DriverObject->DeviceObject = device;
  ledger::acquire(ledger::Kind::device_object, device, "IoCreateDevice");
  *DeviceObject = device;
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI IoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize,
                                    PUNICODE_STRING DeviceName, DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics,
                                    BOOLEAN Exclusive, PCUNICODE_STRING, const GUID*, PDEVICE_OBJECT* DeviceObject) {
  return IoCreateDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType, DeviceCharacteristics, Exclusive,
                        DeviceObject);
}

VOID NTAPI IoDeleteDevice(PDEVICE_OBJECT DeviceObject) {
  REQUIRE_ARGUMENT(DeviceObject);
  assert_irql_at_most(APC_LEVEL, "IoDeleteDevice");
  if (ledger::release(ledger::Kind::device_object, DeviceObject) == ledger::Release::unknown) {
    report_violation(ledger::rule::kDeviceLeak, text("IoDeleteDevice: %p is no device object; was it deleted before?",
                                                     static_cast<void*>(DeviceObject)));
    return;
  }
  PDEVICE_OBJECT* link = &DeviceObject->DriverObject->DeviceObject;
  while (*link != nullptr && *link != DeviceObject) link = &(*link)->NextDevice;
  if (*link != nullptr) *link = DeviceObject->NextDevice;
  std::free(DeviceObject);
}

// Names have no meaning before there is a user side to open them.
NTSTATUS NTAPI IoCreateSymbolicLink(PUNICODE_STRING, PUNICODE_STRING) { return STATUS_SUCCESS; }
NTSTATUS NTAPI IoDeleteSymbolicLink(PUNICODE_STRING) { return STATUS_SUCCESS; }

// --- work items ---

ULONG NTAPI IoSizeofWorkItem(VOID) { return static_cast<ULONG>(sizeof(_IO_WORKITEM)); }
VOID NTAPI IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem) {
  REQUIRE_ARGUMENT(IoWorkItem);
  new (IoWorkItem) _IO_WORKITEM{};
  IoWorkItem->object = IoObject;
}
VOID NTAPI IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem) {
  REQUIRE_ARGUMENT(IoWorkItem);
  if (IoWorkItem->queued.load(std::memory_order_acquire))
    report_violation(ledger::rule::kWorkItem,
                     text("IoUninitializeWorkItem: %p is still queued", static_cast<void*>(IoWorkItem)));
}

PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject) {
  assert_irql_at_most(DISPATCH_LEVEL, "IoAllocateWorkItem");
  if (DeviceObject == nullptr) return nullptr;
  auto* item = new (std::nothrow) _IO_WORKITEM{};
  if (item == nullptr) return nullptr;
  item->object = DeviceObject;
  ledger::acquire(ledger::Kind::work_item, item, "IoAllocateWorkItem");
  return item;
}

VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem) {
  REQUIRE_ARGUMENT(IoWorkItem);
  assert_irql_at_most(DISPATCH_LEVEL, "IoFreeWorkItem");
  if (ledger::release(ledger::Kind::work_item, IoWorkItem) == ledger::Release::unknown) {
    report_violation(ledger::rule::kWorkItem, text("IoFreeWorkItem: %p is no work item; was it freed before?",
                                                   static_cast<void*>(IoWorkItem)));
    return;
  }
  if (IoWorkItem->queued.load(std::memory_order_acquire)) {
    report_violation(
        ledger::rule::kWorkItem,
        text("IoFreeWorkItem: %p is queued and has not run; free it when it has", static_cast<void*>(IoWorkItem)));
    ledger::acquire(ledger::Kind::work_item, IoWorkItem, "IoFreeWorkItem");  // refused, so it stays the driver's
    return;
  }
  delete IoWorkItem;
}

VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE,
                           PVOID Context) {
  REQUIRE_ARGUMENT(IoWorkItem);
  REQUIRE_ARGUMENT(WorkerRoutine);
  queue(IoWorkItem, WorkerRoutine, nullptr, Context, "IoQueueWorkItem");
}
VOID NTAPI IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine, WORK_QUEUE_TYPE,
                             PVOID Context) {
  REQUIRE_ARGUMENT(IoWorkItem);
  REQUIRE_ARGUMENT(WorkerRoutine);
  queue(IoWorkItem, nullptr, WorkerRoutine, Context, "IoQueueWorkItemEx");
}

}  // extern "C"
