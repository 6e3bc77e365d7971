// Internal to the scheduler: one wait in progress, on the waiter's stack. Waits nest when a processor's thread serves
// posted tasks while it waits.
#pragma once

#include <span>

#include "wfp/kernel/scheduler.hpp"

namespace wfp::kernel {

struct Scheduler::WaitFrame {
  Thread* thread = nullptr;
  WAIT_TYPE type = WaitAny;
  std::span<KWAIT_BLOCK> blocks;
  bool linked = false;
  bool done = false;
  NTSTATUS status = STATUS_SUCCESS;
};

struct Scheduler::PostedTask {
  const std::function<void()>* task = nullptr;
  DriverId driver = ledger::kNoDriver;
  bool has_run = false;  // false when `done`: the processor was unbound first
  KEVENT done{};
};

}  // namespace wfp::kernel
