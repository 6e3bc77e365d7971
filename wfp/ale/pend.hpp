// Authorizations that a callout wants to decide later: the completion handles that classifies show, the contexts that
// FwpsPendOperation0 gives for them, and their completion.
//
// The shim calls begin() before it classifies an operation, shows the handle as completionHandle, and calls finish()
// after; finish() says whether the operation waits. Completion is synchronous: complete() returns after the classify
// that it causes. From another thread it is handed to the processor's thread; inside a classify on that thread it
// waits for it to unwind. Threads: begin, finish, is_denied, run_deferred on the processor's thread; the rest from
// any, at IRQL <= DISPATCH_LEVEL. Ownership: host and scheduler outlive this object. Source: documented
// FwpsPendOperation0, FwpsCompleteOperation0.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "wfp/ale/classify_handle.hpp"
#include "wfp/engine/classify.hpp"
#include "wfp/host/handle.hpp"
#include "wfp/host/host.hpp"
#include "wfp/kernel/scheduler.hpp"

namespace wfp::ale {

inline constexpr std::size_t kMaxPends = 4096;
inline constexpr std::size_t kCompletedKept = 64;  // so that a second completion names its operation

struct PendCounts {
  std::uint64_t started = 0, completed = 0, refused = 0;  // refused: STATUS_FWP_CANNOT_PEND
  std::uint64_t taken = 0;                                // left by an unloaded driver, and denied
  std::uint64_t table_full = 0;                           // classified without a completionHandle
  std::size_t open = 0;                                   // pended, not completed
};

class Pends {
 public:
  Pends(Host& host, kernel::Scheduler& scheduler, unsigned processor = 0);
  ~Pends();
  Pends(const Pends&) = delete;
  Pends& operator=(const Pends&) = delete;
  static Pends* current();  // the one that exists, or null; for the extern "C" side

  // --- the shim ---
  // A completion handle for one classification. Null, counted: the table is full, and the operation cannot be pended.
  // That of a reauthorization is not shown: documented, its metadata has none. It is how a callout that pends all the
  // same is recognized.
  HANDLE begin(bool reauthorization);
  // After the classification; the handle names nothing any more. Returns the ticket under which the operation waits
  // when a callout pended it and the answer was block and absorb; else 0, and the answer stands. Null is allowed.
  std::uint64_t finish(HANDLE completion, const engine::ClassifyResult& result);
  // During Host::resume: the operation is to be denied without asking, because the driver that pended it is gone.
  bool is_denied(std::uint64_t ticket) const { return ticket != 0 && ticket == denied_; }

  // --- drivers ---
  // STATUS_FWP_CANNOT_PEND: inside a reauthorization, an operation that is pended already, or not the handle of the
  // current classify. STATUS_FWP_NULL_POINTER.
  NTSTATUS pend(HANDLE completion, HANDLE* context);
  void complete(HANDLE context);
  // A driver was unloaded: what it left pended is named (PEND-LEFT-AT-UNLOAD) and denied. Returns how many there
  // were.
  std::size_t complete_all_of(ledger::DriverId driver);

  // --- the host's loop, between packets ---
  bool has_work() const { return deferred_count_.load(std::memory_order_acquire) != 0; }
  std::size_t run_deferred();  // completions that came from inside a classify

  ClassifyHandles& classify_handles() { return classify_handles_; }
  PendCounts counts() const;

 private:
  enum class Phase : std::uint8_t { Offered, Pended, Waiting, Abandoned };  // Abandoned: the answer was another one
  struct Pend {
    Phase phase = Phase::Offered;
    bool refused = false;     // a callout wanted to pend a reauthorization
    bool completing = false;  // complete() was called
    bool denied = false;
    ledger::DriverId driver = ledger::kNoDriver;
    std::uint16_t layer = 0;  // of the classify that pended it
    std::uint32_t callout = 0;
    std::string packet;  // the operation in words
  };
  struct Completed {
    HandleValue handle = 0;
    Pend pend;
  };
  void hand_over(HandleValue handle);
  void carry_out(HandleValue handle);  // on the processor's thread
  void defer(HandleValue handle);
  void report_double(HANDLE context);

  Host& host_;
  kernel::Scheduler& scheduler_;
  const unsigned processor_;
  mutable std::mutex lock_;
  HandleTable<Pend> pends_;
  HandleValue reauthorizing_ = 0;  // the reauthorization that is being classified
  std::vector<HandleValue> deferred_;
  std::atomic<std::size_t> deferred_count_{0};
  std::uint64_t denied_ = 0;  // the processor's thread's
  std::array<Completed, kCompletedKept> completed_;
  std::size_t next_completed_ = 0;
  PendCounts counts_;
  ClassifyHandles classify_handles_;
};

}  // namespace wfp::ale
