// The kernel around the drivers: one object that owns the scheduler, the pool's accounting, the handles and the
// registry values. The extern "C" routines (nt_*.cpp) reach it by Kernel::current(); src/node makes one at start, a
// test makes a fresh one each. Exactly one exists at a time. Destroy it after the last driver was unloaded and with
// no thread in it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "wfp/kernel/kernel_handles.hpp"
#include "wfp/kernel/pool_memory.hpp"
#include "wfp/kernel/registry.hpp"
#include "wfp/kernel/scheduler.hpp"

namespace wfp::kernel {

using DebugSink = std::function<void(DriverId driver, unsigned level, const std::string& line)>;

class Kernel {
 public:
  explicit Kernel(std::unique_ptr<Scheduler> scheduler);
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  static Kernel& current();  // a bug check when there is none
  static bool exists();

  Scheduler& scheduler() { return *scheduler_; }
  PoolMemory& pool() { return pool_; }
  KernelHandles& handles() { return handles_; }
  Registry& registry() { return registry_; }

  // Where DbgPrint goes; set before drivers run. Without a sink it goes nowhere.
  void set_debug_sink(DebugSink sink) { debug_sink_ = std::move(sink); }
  void debug_print(unsigned level, const std::string& line) {
    if (debug_sink_) debug_sink_(ledger::current_driver(), level, line);
  }

 private:
  std::unique_ptr<Scheduler> scheduler_;
  PoolMemory pool_;
  KernelHandles handles_;
  Registry registry_;
  DebugSink debug_sink_;
};

}  // namespace wfp::kernel
