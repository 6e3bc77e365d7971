// extern "C": system threads, handles and object references.
#include "nt/ps.h"
#include "wfp/kernel/dispatch.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/kernel.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/system_thread.hpp"
#include "wfp/ledger/require.hpp"
#include "wfp/ledger/rules.hpp"

using namespace wfp::kernel;
namespace ledger = wfp::ledger;

struct _OBJECT_TYPE {
  const char* name;
};

namespace {
_OBJECT_TYPE thread_type{"Thread"};
POBJECT_TYPE thread_type_pointer = &thread_type;

// Null for any other object.
Thread* thread_of(PVOID object) {
  const bool is_thread = is_dispatcher_object(object) &&
                         static_cast<DISPATCHER_HEADER*>(object)->Type == static_cast<UCHAR>(DispatchType::Thread);
  return is_thread ? static_cast<Thread*>(object) : nullptr;
}
}  // namespace

extern "C" {

POBJECT_TYPE* PsThreadType = &thread_type_pointer;

NTSTATUS NTAPI PsCreateSystemThread(PHANDLE ThreadHandle, ULONG, POBJECT_ATTRIBUTES, HANDLE, PCLIENT_ID ClientId,
                                    PKSTART_ROUTINE StartRoutine, PVOID StartContext) {
  REQUIRE_ARGUMENT(ThreadHandle);
  REQUIRE_ARGUMENT(StartRoutine);
  if (!assert_irql_at_most(PASSIVE_LEVEL, "PsCreateSystemThread")) return STATUS_UNSUCCESSFUL;
  if (ThreadHandle == nullptr || StartRoutine == nullptr) return STATUS_INVALID_PARAMETER;
  Kernel& kernel = Kernel::current();
  const auto handle = kernel.handles().open({});  // first: a thread that runs could not be taken back
  if (!handle) return STATUS_INSUFFICIENT_RESOURCES;
  static std::atomic<unsigned> last{0};
  const ledger::DriverId driver = ledger::current_driver();
  Thread* thread =
      kernel.scheduler().start_thread(text("thread %u of %s", ++last, ledger::driver_name(driver).c_str()), driver,
                                      [=] { StartRoutine(StartContext); });
  if (thread == nullptr) {
    kernel.handles().close(*handle);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  kernel.handles().set(*handle, thread);
  ledger::acquire(ledger::Kind::file_handle, *handle, "PsCreateSystemThread");
  *ThreadHandle = *handle;
  if (ClientId != nullptr) *ClientId = {nullptr, *handle};
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus) {
  terminate_current_thread(ExitStatus);
  report_violation(ledger::rule::kHandle, "PsTerminateSystemThread was called on a thread that is no system thread");
  return STATUS_INVALID_PARAMETER;
}

HANDLE NTAPI PsGetCurrentThreadId(VOID) {
  return reinterpret_cast<HANDLE>(std::uintptr_t{current_thread_number()} << 2);
}
HANDLE NTAPI PsGetCurrentProcessId(VOID) {
  return reinterpret_cast<HANDLE>(std::uintptr_t{4});
}  // the system process

NTSTATUS NTAPI ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK, POBJECT_TYPE ObjectType, KPROCESSOR_MODE,
                                         PVOID* Object, POBJECT_HANDLE_INFORMATION) {
  REQUIRE_ARGUMENT(Object);
  if (!assert_irql_at_most(PASSIVE_LEVEL, "ObReferenceObjectByHandle")) return STATUS_UNSUCCESSFUL;
  Kernel& kernel = Kernel::current();
  const HandleTarget target = kernel.handles().find(Handle);
  if (std::holds_alternative<std::monostate>(target)) return STATUS_INVALID_HANDLE;
  const bool is_thread = std::holds_alternative<Thread*>(target);
  if (!is_thread || (ObjectType != nullptr && ObjectType != &thread_type)) return STATUS_OBJECT_TYPE_MISMATCH;
  *Object = kernel.handles().retain_thread(Handle);
  return *Object != nullptr ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

// Only thread objects are counted; a device object is the driver's until it deletes it.
LONG_PTR NTAPI ObfReferenceObject(PVOID Object) {
  REQUIRE_ARGUMENT(Object);
  assert_irql_at_most(DISPATCH_LEVEL, "ObReferenceObject");
  Thread* const thread = thread_of(Object);
  if (thread == nullptr) return 1;
  Kernel::current().scheduler().retain(*thread);
  return thread->references.load(std::memory_order_relaxed);
}
LONG_PTR NTAPI ObfDereferenceObject(PVOID Object) {
  REQUIRE_ARGUMENT(Object);
  assert_irql_at_most(DISPATCH_LEVEL, "ObDereferenceObject");
  if (Thread* const thread = thread_of(Object)) Kernel::current().scheduler().release(*thread);
  return 0;
}

NTSTATUS NTAPI ZwClose(HANDLE Handle) {
  if (!assert_irql_at_most(PASSIVE_LEVEL, "ZwClose")) return STATUS_UNSUCCESSFUL;
  Kernel& kernel = Kernel::current();
  const HandleTarget target = kernel.handles().close(Handle);
  if (std::holds_alternative<std::monostate>(target)) {
    report_violation(ledger::rule::kHandle, text("ZwClose: %p is no open handle; was it closed before?", Handle));
    return STATUS_INVALID_HANDLE;
  }
  ledger::release(ledger::Kind::file_handle, Handle);
  if (Thread* const* thread = std::get_if<Thread*>(&target); thread != nullptr) kernel.scheduler().release(**thread);
  return STATUS_SUCCESS;
}

}  // extern "C"
