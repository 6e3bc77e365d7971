// Fwpm functions for sessions, transactions and the service's state: check, call the engine. PASSIVE_LEVEL, any
// thread, except FwpmBfeStateGet0 (<= DISPATCH_LEVEL). An engine handle is the session's number, never a pointer.
#include "fwpmk.h"
#include "nt/ke.h"
#include "nt/ntstatus.h"
#include "wfp/api/session_handle.hpp"
#include "wfp/api/translate.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/kernel/unicode.hpp"
#include "wfp/ledger/failed_calls.hpp"
#include "wfp/ledger/require.hpp"

using namespace wfp;
using namespace wfp::api;

namespace {

// The service runs as long as the engine does, so a subscriber is never told of a change.
constexpr std::uintptr_t kSubscription = 0xbfe;

// A failure is kept for the words about a DriverEntry that fails.
NTSTATUS told(const char* routine, NTSTATUS status, const char* about = "") {
  return NT_SUCCESS(status) ? status : ledger::call_failed(routine, status, about);
}

NTSTATUS open_engine(PCWSTR server, UINT32 service, const FWPM_SESSION0* session, HANDLE* handle) {
  constexpr const char* kRoutine = "FwpmEngineOpen0";
  if (handle == nullptr) return told(kRoutine, STATUS_FWP_NULL_POINTER, "engineHandle is NULL");
  if (server != nullptr)  // documented: must be NULL in the kernel
    return told(kRoutine, STATUS_INVALID_PARAMETER, "serverName is not NULL");
  if (service != RPC_C_AUTHN_WINNT && service != RPC_C_AUTHN_DEFAULT)
    return told(kRoutine, STATUS_INVALID_PARAMETER, "authnService is neither RPC_C_AUTHN_WINNT nor _DEFAULT");
  engine::SessionOptions options;
  if (session != nullptr) {
    if ((session->flags & ~static_cast<UINT32>(FWPM_SESSION_FLAG_DYNAMIC | FWPM_SESSION_FLAG_RESERVED)) != 0)
      return told(kRoutine, STATUS_FWP_INVALID_FLAGS, "session->flags has bits that are not known");
    options.key = session->sessionKey;
    if (session->displayData.name != nullptr) options.name = kernel::view_of(session->displayData.name);
    options.is_dynamic = (session->flags & FWPM_SESSION_FLAG_DYNAMIC) != 0;
    options.wait_ms = session->txnWaitTimeoutInMSec;
  }
  engine::SessionId id = 0;
  const NTSTATUS status = management().open(options, id);
  if (!NT_SUCCESS(status)) return told(kRoutine, status, "a session of this key is open, or too many are");
  *handle = to_handle(id);
  return status;
}

}  // namespace

extern "C" {

NTSTATUS NTAPI FwpmEngineOpen0(PCWSTR serverName, UINT32 authnService,
                               struct _SEC_WINNT_AUTH_IDENTITY_W* authIdentity, const FWPM_SESSION0* session,
                               HANDLE* engineHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmEngineOpen0");
  UNREFERENCED_PARAMETER(authIdentity);
  return open_engine(serverName, authnService, session, engineHandle);
}

NTSTATUS NTAPI FwpmEngineClose0(HANDLE engineHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmEngineClose0");
  return told("FwpmEngineClose0", management().close(to_session(engineHandle)));
}

NTSTATUS NTAPI FwpmTransactionBegin0(HANDLE engineHandle, UINT32 flags) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmTransactionBegin0");
  if ((flags & ~static_cast<UINT32>(FWPM_TXN_READ_ONLY)) != 0)
    return told("FwpmTransactionBegin0", STATUS_FWP_INVALID_FLAGS, "flags has bits that are not known");
  return told("FwpmTransactionBegin0",
              management().begin(to_session(engineHandle), (flags & FWPM_TXN_READ_ONLY) != 0));
}

NTSTATUS NTAPI FwpmTransactionCommit0(HANDLE engineHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmTransactionCommit0");
  return told("FwpmTransactionCommit0", management().commit(to_session(engineHandle)));
}

NTSTATUS NTAPI FwpmTransactionAbort0(HANDLE engineHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmTransactionAbort0");
  return told("FwpmTransactionAbort0", management().abort(to_session(engineHandle)));
}

void NTAPI FwpmFreeMemory0(void** p) {
  REQUIRE_ARGUMENT(p);
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmFreeMemory0");
  if (p == nullptr) return;
  free_api(*p);
  *p = nullptr;
}

FWPM_SERVICE_STATE NTAPI FwpmBfeStateGet0(void) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpmBfeStateGet0");
  return engine::Engine::exists() ? FWPM_SERVICE_RUNNING : FWPM_SERVICE_STOPPED;
}

NTSTATUS NTAPI FwpmBfeStateSubscribeChanges0(void* deviceObject, FWPM_SERVICE_STATE_CHANGE_CALLBACK0 callback,
                                             void* context, HANDLE* changeHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmBfeStateSubscribeChanges0");
  UNREFERENCED_PARAMETER(context);
  if (deviceObject == nullptr || callback == nullptr || changeHandle == nullptr) return STATUS_INVALID_PARAMETER;
  *changeHandle = reinterpret_cast<HANDLE>(kSubscription);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpmBfeStateUnsubscribeChanges0(HANDLE changeHandle) {
  kernel::assert_irql_at_most(PASSIVE_LEVEL, "FwpmBfeStateUnsubscribeChanges0");
  return changeHandle == reinterpret_cast<HANDLE>(kSubscription) ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

}  // extern "C"
