// Classify handles: what FwpsAcquireClassifyHandle0 gives for a classify context, to pend the classify or to change
// its layer data. Only closure and redirect layers allow either, and none of them is classified yet: so a handle can
// be acquired, counted and released here, and everything else on it is refused as it is at other layers on Windows.
//
// Any thread, IRQL <= DISPATCH_LEVEL. Source: documented classify-handle functions.
#pragma once

#include <cstdint>
#include <mutex>

#include "wfp/host/handle.hpp"
#include "wfp/ledger/ledger.hpp"

namespace wfp::ale {

inline constexpr std::size_t kMaxClassifyHandles = 4096;

class ClassifyHandles {
 public:
  explicit ClassifyHandles(std::uint32_t processor) : handles_(kMaxClassifyHandles, processor) {}

  // STATUS_FWP_NULL_POINTER, STATUS_INVALID_PARAMETER (flags), STATUS_UNSUCCESSFUL outside a classify,
  // STATUS_INSUFFICIENT_RESOURCES.
  NTSTATUS acquire(const void* classify_context, std::uint32_t flags, HandleValue* handle);
  bool release(HandleValue handle);  // false, reported (CLASSIFY-HANDLE-UNKNOWN): released before, or never acquired
  bool exists(HandleValue handle) const;

 private:
  struct Entry {
    std::uint16_t layer = 0;
  };
  mutable std::mutex lock_;
  HandleTable<Entry> handles_;
};

}  // namespace wfp::ale
