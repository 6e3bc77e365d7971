// What every OS thread that runs kernel or driver code knows about itself: processor, kernel thread, the spin locks it
// holds. On whose behalf and at which IRQL it runs is in wfp/ledger. Thread-local, so none of it needs a lock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "nt/ke.h"
#include "wfp/ledger/ledger.hpp"

namespace wfp::kernel {

using ledger::DriverId;
using ledger::DriverScope;

inline constexpr std::size_t kMaxHeldLocks = 16;  // a thread's nested spin locks; more are held but not listed

struct HeldLock {
  const KSPIN_LOCK* lock;
  bool recursive;  // acquired again by its holder: reported, and its release only leaves the list
};

struct ThreadState {
  std::uint16_t critical_regions = 0;  // entered and not left
  std::uint16_t processor = 0;
  std::uint32_t id = 0;       // lock holders are remembered by it; 0 before the first use
  PKTHREAD thread = nullptr;  // valid while scheduler_generation is that of the scheduler
  std::uint64_t scheduler_generation = 0;
  std::size_t held_count = 0;
  std::array<HeldLock, kMaxHeldLocks> held{};
};

inline thread_local ThreadState thread_state;

// The number of the calling thread, 1 and up; used where a lock has room for 32 bits only.
std::uint32_t current_thread_number();

}  // namespace wfp::kernel
