#include "wfp/ale/classify_handle.hpp"

#include "nt/ntstatus.h"
#include "wfp/engine/classify.hpp"
#include "wfp/kernel/report.hpp"
#include "wfp/ledger/violation.hpp"

namespace wfp::ale {

NTSTATUS ClassifyHandles::acquire(const void* classify_context, std::uint32_t flags, HandleValue* handle) {
  if (classify_context == nullptr || handle == nullptr) return STATUS_FWP_NULL_POINTER;
  if (flags != 0) return STATUS_INVALID_PARAMETER;
  const engine::CurrentClassify* const current = engine::current_classify();
  if (current == nullptr) return STATUS_UNSUCCESSFUL;
  {
    const std::lock_guard guard(lock_);
    *handle = handles_.emplace(Entry{.layer = current->layer});
  }
  if (*handle == 0) return STATUS_INSUFFICIENT_RESOURCES;
  ledger::acquire(ledger::Kind::classify_handle, to_windows(*handle), "FwpsAcquireClassifyHandle0");
  return STATUS_SUCCESS;
}

bool ClassifyHandles::release(HandleValue handle) {
  bool known = false;
  {
    const std::lock_guard guard(lock_);
    known = handles_.erase(handle);
  }
  if (known) {
    ledger::release(ledger::Kind::classify_handle, to_windows(handle));
    return true;
  }
  ledger::report(
      {.rule = "CLASSIFY-HANDLE-UNKNOWN",
       .message = kernel::text("FwpsReleaseClassifyHandle0 called with %#llx, which is no classify handle. "
                               "Release each acquired handle once.",
                               static_cast<unsigned long long>(handle)),
       .packet = {},
       .stack = {},
       .kind = ledger::Kind::classify_handle,
       .about = to_windows(handle)});
  return false;
}

bool ClassifyHandles::exists(HandleValue handle) const {
  const std::lock_guard guard(lock_);
  return handles_.find(handle) != nullptr;
}

}  // namespace wfp::ale
