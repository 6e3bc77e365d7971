#include "wfp/engine/notify.hpp"

#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/driver_call.hpp"

namespace wfp::engine {
namespace {

// The four versions differ in the type that they point to only, and FWPS_FILTER0..3 are alike.
NTSTATUS call(const Registration& registration, FWPS_CALLOUT_NOTIFY_TYPE type, const GUID* key,
              FWPS_FILTER3* filter) {
  if (registration.notify == nullptr) return STATUS_SUCCESS;
  const ledger::DriverScope scope(registration.driver);
  const kernel::IrqlScope level(PASSIVE_LEVEL);
  const ledger::DriverCall under_way(ledger::CallKind::Notify);
  switch (registration.version) {
    case 0:
      return reinterpret_cast<FWPS_CALLOUT_NOTIFY_FN0>(registration.notify)(type, key,
                                                                            reinterpret_cast<FWPS_FILTER0*>(filter));
    case 1:
      return reinterpret_cast<FWPS_CALLOUT_NOTIFY_FN1>(registration.notify)(type, key,
                                                                            reinterpret_cast<FWPS_FILTER1*>(filter));
    case 2:
      return reinterpret_cast<FWPS_CALLOUT_NOTIFY_FN2>(registration.notify)(type, key,
                                                                            reinterpret_cast<FWPS_FILTER2*>(filter));
    default:
      return reinterpret_cast<FWPS_CALLOUT_NOTIFY_FN3>(registration.notify)(type, key, filter);
  }
}

}  // namespace

NTSTATUS notify_added(CompiledFilter& filter) {
  if (filter.callout == nullptr) return STATUS_SUCCESS;
  const CalloutUse use(*filter.callout);
  if (!use || filter.notified == use->serial) return STATUS_SUCCESS;
  const NTSTATUS status = call(*use, FWPS_CALLOUT_NOTIFY_ADD_FILTER, &filter.filter.key, &filter.shown);
  if (NT_SUCCESS(status)) filter.notified = use->serial;
  return status;
}

void notify_committed(CompiledFilter& filter) {
  if (filter.callout == nullptr) return;
  const CalloutUse use(*filter.callout);
  if (!use || filter.notified != use->serial || (use->flags & FWP_CALLOUT_FLAG_ENABLE_COMMIT_ADD_NOTIFY) == 0) return;
  call(*use, FWPS_CALLOUT_NOTIFY_ADD_FILTER_POST_COMMIT, &filter.filter.key, &filter.shown);
}

bool expect_delete_notice(CompiledFilter& filter) {
  if (filter.callout == nullptr) return false;
  const CalloutUse use(*filter.callout);
  filter.notified = use ? use->serial : 0;
  return filter.notified != 0;
}

void notify_deleted(CompiledFilter& filter) {
  if (filter.callout == nullptr) return;
  const CalloutUse use(*filter.callout);
  if (!use || filter.notified != use->serial) return;
  call(*use, FWPS_CALLOUT_NOTIFY_DELETE_FILTER, nullptr, &filter.shown);  // documented: no key on deletion
  filter.notified = 0;
}

}  // namespace wfp::engine
