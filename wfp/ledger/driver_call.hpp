// A call from us into a driver, as it is under way: what it is, for messages about a driver that crashes or does not
// come back, and a mark for whoever watches over such calls from outside.
//
// The mark is a number in a slot of the calling thread, new for each outermost call and 0 in between: a watcher that
// sees the same number again and again knows that the call lasts, and no call reads a clock. The body of a driver's
// thread and a work item may take the time that they take; they have a name and no mark, but calls that are made inside
// them, to notifyFn for example, have one. Nested calls belong to the outermost, which lasts longest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace wfp::ledger {

enum class CallKind : std::uint8_t {
  None,
  Classify,
  Notify,
  FlowDelete,
  Completion,
  Dpc,
  Entry,
  Unload,
  Quiesce,  // not the driver itself: the wait for what it left under way, at unload
  Thread,
  WorkItem,
};
// "its classifyFn"
const char* phrase_of(CallKind kind);

inline constexpr std::size_t kCallSlots = 2048;  // threads that can be in a driver at one time; more have no mark

struct CallSlot {
  std::atomic<std::uint64_t> mark{0};  // of the call under way; 0: none
  std::atomic<int> thread{0};          // the operating system's number of the thread; 0: the slot is free
};

// Innermost call of the calling thread; also in a signal handler.
CallKind current_call() noexcept;

// The slots in use are among the first `call_slot_count()`; they may be read by any thread at any time.
std::size_t call_slot_count() noexcept;
const CallSlot& call_slot(std::size_t index) noexcept;

// Runs once on each thread, before its first call into a driver. Set before there are drivers; may be null.
void set_thread_preparation(void (*prepare)()) noexcept;

class DriverCall {
 public:
  explicit DriverCall(CallKind kind) noexcept;
  ~DriverCall();  // an exception that leaves a driver ends here: std::terminate
  DriverCall(const DriverCall&) = delete;
  DriverCall& operator=(const DriverCall&) = delete;

 private:
  CallKind before_;
  bool is_marked_;  // the outermost call that has a mark
};

}  // namespace wfp::ledger
