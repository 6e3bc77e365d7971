// Fwps functions that decide later, classify handles and classify options: check, call wfp/ale. IRQL <=
// DISPATCH_LEVEL, any thread.
#include "fwpsk.h"
#include "nt/ntstatus.h"
#include "wfp/ale/classify_option.hpp"
#include "wfp/ale/pend.hpp"
#include "wfp/kernel/irql.hpp"
#include "wfp/ledger/violation.hpp"

using namespace wfp;

namespace {

// Closure and redirect layers are the only ones where a classify can be pended or its layer data changed.
void report_not_allowed(const char* function) {
  ledger::report(
      {.rule = "CLASSIFY-NOT-PENDED",
       .message = std::string(function) +
                  " called for a classify that was not pended and gave no writable "
                  "layer data. Call it only after FwpsPendClassify0 or FwpsAcquireWritableLayerDataPointer0 "
                  "returned STATUS_SUCCESS.",
       .packet = {},
       .stack = {}});
}

}  // namespace

extern "C" {

NTSTATUS NTAPI FwpsPendOperation0(HANDLE completionHandle, HANDLE* completionContext) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsPendOperation0");
  ale::Pends* const pends = ale::Pends::current();
  if (pends == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  return pends->pend(completionHandle, completionContext);
}

// The packet is the driver's to inject; which packet it was plays no part here.
void NTAPI FwpsCompleteOperation0(HANDLE completionContext, PNET_BUFFER_LIST netBufferList) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsCompleteOperation0");
  UNREFERENCED_PARAMETER(netBufferList);
  if (ale::Pends* const pends = ale::Pends::current()) pends->complete(completionContext);
}

NTSTATUS NTAPI FwpsAcquireClassifyHandle0(void* classifyContext, UINT32 flags, UINT64* classifyHandle) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsAcquireClassifyHandle0");
  ale::Pends* const pends = ale::Pends::current();
  if (pends == nullptr) return STATUS_FWP_TCPIP_NOT_READY;
  return pends->classify_handles().acquire(classifyContext, flags, classifyHandle);
}

void NTAPI FwpsReleaseClassifyHandle0(UINT64 classifyHandle) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsReleaseClassifyHandle0");
  if (ale::Pends* const pends = ale::Pends::current()) pends->classify_handles().release(classifyHandle);
}

NTSTATUS NTAPI FwpsPendClassify0(UINT64 classifyHandle, UINT64 filterId, UINT32 flags,
                                 FWPS_CLASSIFY_OUT0* classifyOut) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsPendClassify0");
  UNREFERENCED_PARAMETER(classifyHandle);
  UNREFERENCED_PARAMETER(filterId);
  if (flags != 0) return STATUS_INVALID_PARAMETER;
  return classifyOut == nullptr ? STATUS_FWP_NULL_POINTER : STATUS_FWP_CANNOT_PEND;
}

void NTAPI FwpsCompleteClassify0(UINT64 classifyHandle, UINT32 flags, const FWPS_CLASSIFY_OUT0* classifyOut) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsCompleteClassify0");
  UNREFERENCED_PARAMETER(classifyHandle);
  UNREFERENCED_PARAMETER(flags);
  UNREFERENCED_PARAMETER(classifyOut);
  report_not_allowed("FwpsCompleteClassify0");
}

NTSTATUS NTAPI FwpsAcquireWritableLayerDataPointer0(UINT64 classifyHandle, UINT64 filterId, UINT32 flags,
                                                    PVOID* writableLayerData, FWPS_CLASSIFY_OUT0* classifyOut) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsAcquireWritableLayerDataPointer0");
  UNREFERENCED_PARAMETER(classifyHandle);
  UNREFERENCED_PARAMETER(filterId);
  UNREFERENCED_PARAMETER(flags);
  if (writableLayerData == nullptr || classifyOut == nullptr) return STATUS_FWP_NULL_POINTER;
  *writableLayerData = nullptr;
  return STATUS_INVALID_PARAMETER;
}

void NTAPI FwpsApplyModifiedLayerData0(UINT64 classifyHandle, PVOID modifiedLayerData, UINT32 flags) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsApplyModifiedLayerData0");
  UNREFERENCED_PARAMETER(classifyHandle);
  UNREFERENCED_PARAMETER(modifiedLayerData);
  UNREFERENCED_PARAMETER(flags);
  report_not_allowed("FwpsApplyModifiedLayerData0");
}

NTSTATUS NTAPI FwpsClassifyOptionSet0(const FWPS_INCOMING_METADATA_VALUES0* inMetadataValues,
                                      const FWP_CLASSIFY_OPTION_TYPE option, const FWP_VALUE0* newValue) {
  kernel::assert_irql_at_most(DISPATCH_LEVEL, "FwpsClassifyOptionSet0");
  if (inMetadataValues == nullptr || newValue == nullptr) return STATUS_FWP_NULL_POINTER;
  return ale::check_classify_option(option, *newValue);
}

}  // extern "C"
