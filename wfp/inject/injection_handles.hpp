// Injection handles: which kind of injection a driver may make, and how many of its injections are still under way.
//
// Numbers, never pointers; a stale one is refused. Any thread; close() and wait_until_idle() at PASSIVE_LEVEL.
// Source: documented FwpsInjectionHandleCreate0 and FwpsInjectionHandleDestroy0.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nt/ke.h"
#include "wfp/host/handle.hpp"
#include "wfp/kernel/scheduler.hpp"

namespace wfp::inject {

inline constexpr std::size_t kMaxInjectionHandles = 1024;

class InjectionHandles {
 public:
  explicit InjectionHandles(kernel::Scheduler& scheduler, std::uint32_t processor = 0)
      : scheduler_(scheduler), handles_(kMaxInjectionHandles, processor) {}

  // `types`: FWPS_INJECTION_TYPE_*; 0 means transport, stream and forward. 0 when there are too many.
  HandleValue create(std::uint16_t address_family, std::uint32_t types);

  // One injection begins: STATUS_FWP_INJECT_HANDLE_STALE for no handle or one of another type;
  // STATUS_INVALID_PARAMETER for a packet of another family than the handle's; STATUS_FWP_INJECT_HANDLE_CLOSING while it is destroyed. On success finished() follows, once.
  NTSTATUS begin(HandleValue handle, std::uint32_t type, std::uint16_t address_family);
  // In words, after begin() has refused.
  std::string why_not(HandleValue handle, std::uint32_t type, std::uint16_t address_family) const;
  void finished(HandleValue handle);

  bool close(HandleValue handle);   // no injection begins any more; false: no such handle, or closing already
  void reopen(HandleValue handle);  // after close(), instead of erase()
  std::size_t outstanding(HandleValue handle) const;
  void wait_until_idle(HandleValue handle);  // after close(); through the scheduler
  void erase(HandleValue handle);
  std::vector<HandleValue> handles_of(ledger::DriverId driver);
  bool exists(HandleValue handle) const;

 private:
  struct Entry {
    std::uint16_t address_family = 0;
    std::uint32_t types = 0;
    ledger::DriverId driver = ledger::kNoDriver;
    bool closing = false;
    std::size_t outstanding = 0;
    std::shared_ptr<KEVENT> idle;  // exists while closing; whoever signals it may outlive the entry
  };
  kernel::Scheduler& scheduler_;
  mutable std::mutex lock_;
  HandleTable<Entry> handles_;
};

}  // namespace wfp::inject
