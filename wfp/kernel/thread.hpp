// A thread of the kernel: a driver's system thread, a worker, or a thread of the program that came in from outside
// (the processors, the loader). It is waitable: its header is signalled when it has ended, which is how drivers join.
//
// Ownership: reference counted; the scheduler holds one until the thread has ended and was joined, a handle holds
// one, ObReferenceObjectByHandle adds one. Members marked (L) are guarded by the scheduler's lock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "nt/ps.h"
#include "wfp/kernel/clock.hpp"
#include "wfp/ledger/ledger.hpp"

namespace wfp::kernel {

enum class DispatchType : UCHAR {
  None,
  NotificationEvent,
  SynchronizationEvent,
  NotificationTimer,
  SynchronizationTimer,
  Semaphore,
  Mutant,
  Thread
};

}  // namespace wfp::kernel

struct _KTHREAD {
  DISPATCHER_HEADER header{};  // first: a wait finds the object by it
  std::uint32_t number = 0;
  std::string name;
  wfp::ledger::DriverId driver = wfp::ledger::kNoDriver;
  std::function<void()> body;
  std::atomic<long> references{1};
  NTSTATUS exit_status = 0;
  bool from_outside = false;  // not started by the scheduler
  std::thread os_thread;

  // how it is blocked (L)
  std::condition_variable wake;
  bool woken = false;    // someone unblocked it; taken by the next block()
  bool blocked = false;  // it gave up its turn
  bool ended = false;
  wfp::kernel::Instant deadline = wfp::kernel::kNever;
  const void* waits_for = nullptr;  // the object or lock, for reports
  const char* wait_kind = "";       // "event", "spin lock", ...
  unsigned serves = 0;              // processors that this thread runs
};

namespace wfp::kernel {
using Thread = ::_KTHREAD;
}
