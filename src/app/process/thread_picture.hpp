// What another thread of this process is doing at this moment: the thread itself says it, in a signal handler, and goes
// on. So a stack, the driver, the callout and the packet of a thread that does not come back can be told while the rest
// of the process works.
//
// One thread asks. A thread that is inside the allocator is not asked for its packet, whose description takes memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wfp/ledger/driver_call.hpp"
#include "wfp/ledger/ledger.hpp"

namespace app {

struct ThreadPicture {
  int thread = 0;     // the operating system's number
  bool runs = false;  // else it waited
  std::string name;   // of a kernel's thread; empty for others
  wfp::ledger::DriverId driver = wfp::ledger::kNoDriver;
  wfp::ledger::CallKind call = wfp::ledger::CallKind::None;
  unsigned irql = 0;
  std::string where;         // lines on driver, processor, level, call and callout
  std::string packet;        // empty: none, or not to be had
  std::vector<void*> stack;  // the instruction, then return addresses outwards
};

// Once, before there are threads.
void install_thread_pictures();
// Nothing when the thread is gone or does not answer in half a second.
std::optional<ThreadPicture> picture_of(int thread);

// The signal, for a debugger that would stop at it.
int picture_signal();

}  // namespace app
