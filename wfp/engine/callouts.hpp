// Callouts as drivers register them: the code behind a filter's callout action. Apart from the management object of
// the same key, which may come before or after; both share the run-time id.
//
// Code in use is never unregistered: every call into a driver holds a CalloutUse, and remove() returns only when the
// last one is gone. Threads: add() and remove() at PASSIVE_LEVEL, any thread; the rest from any thread, lock-free
// where a classify passes. Source: documented FwpsCalloutRegister and FwpsCalloutUnregister rules.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fwpsk.h"
#include "wfp/engine/flow_contexts.hpp"
#include "wfp/engine/guid_order.hpp"
#include "wfp/kernel/scheduler.hpp"

namespace wfp::engine {

inline constexpr std::size_t kMaxCallouts = 100'000;     // documented: STATUS_FWP_TOO_MANY_CALLOUTS beyond it
inline constexpr std::uint32_t kFirstCalloutId = 0x100;  // lower ids are left to what Windows brings along

// What a driver handed to FwpsCalloutRegister0..3. Constant once registered.
struct Registration {
  GUID key{};
  unsigned version = 0;  // which FWPS_CALLOUTn: selects the shape of the two functions
  std::uint32_t flags = 0;
  void (*classify)() = nullptr;  // FWPS_CALLOUT_CLASSIFY_FNn
  void (*notify)() = nullptr;    // FWPS_CALLOUT_NOTIFY_FNn; may be null
  FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flow_delete = nullptr;
  ledger::DriverId driver = ledger::kNoDriver;
  void* device = nullptr;
  std::uint64_t serial = 0;  // 1 and up, given by the table: tells registrations under one key apart
};

// A run-time id and the code behind it, if any. Filters hold their slot, so that registering needs no new snapshot.
class CalloutSlot {
 public:
  CalloutSlot(std::uint32_t id, const GUID& key) : id_(id), key_(key) {}
  std::uint32_t id() const { return id_; }
  const GUID& key() const { return key_; }
  bool is_registered() const { return registration_.load() != nullptr; }

 private:
  friend class CalloutUse;
  friend class CalloutTable;
  // The last attempt to unregister it that failed.
  struct Refusal {
    const char* routine = "";
    NTSTATUS status = STATUS_SUCCESS;
    std::size_t contexts = 0;
  };
  const std::uint32_t id_;
  const GUID key_;
  std::atomic<const Registration*> registration_{nullptr};
  std::atomic<std::uint32_t> in_use_{0};
  Refusal refusal_;  // the table's lock guards it
};

// What remove_all_of() took away, and how the driver's own last attempt to unregister it ended.
struct LeftCallout {
  std::uint32_t id = 0;
  const char* routine = "";           // that refused
  NTSTATUS refused = STATUS_SUCCESS;  // STATUS_DEVICE_BUSY, STATUS_FWP_IN_USE; success: it never tried
  std::size_t contexts = 0;           // of flows, that made it busy
};

// Keeps a callout's code registered while it exists; empty when nothing is registered. Lives on the stack of the
// thread that runs the code, so that the uses of a thread nest.
class CalloutUse {
 public:
  explicit CalloutUse(CalloutSlot& slot) : slot_(slot), outer_(innermost_) {
    innermost_ = this;
    slot_.in_use_.fetch_add(1);
    registration_ = slot_.registration_.load();
  }
  ~CalloutUse() {
    slot_.in_use_.fetch_sub(1);
    innermost_ = outer_;
  }
  CalloutUse(const CalloutUse&) = delete;
  CalloutUse& operator=(const CalloutUse&) = delete;
  explicit operator bool() const { return registration_ != nullptr; }
  const Registration* operator->() const { return registration_; }
  const Registration& operator*() const { return *registration_; }

  // The calling thread is inside code of this callout: to wait for its end there would be to wait for oneself.
  static bool is_inside(const CalloutSlot& slot);

 private:
  static inline thread_local const CalloutUse* innermost_ = nullptr;

  CalloutSlot& slot_;
  const CalloutUse* const outer_;
  const Registration* registration_;
};

class CalloutTable {
 public:
  explicit CalloutTable(kernel::Scheduler& scheduler) : scheduler_(scheduler) {}
  ~CalloutTable();

  // Flow contexts keep a callout from being removed. Set once, before traffic.
  void set_flows(FlowContexts* flows) { flows_ = flows; }

  // STATUS_FWP_ALREADY_EXISTS, STATUS_FWP_TOO_MANY_CALLOUTS. `id` may be null.
  NTSTATUS add(const Registration& registration, std::uint32_t* id);
  // Code of ours under a number below kFirstCalloutId, for good. Before anybody else's.
  void add_builtin(std::uint32_t id, const Registration& registration);
  // STATUS_FWP_CALLOUT_NOT_FOUND; STATUS_DEVICE_BUSY while flow contexts remain; STATUS_FWP_IN_USE from inside one of
  // the callout's functions. Waits until nobody runs its code.
  NTSTATUS remove(std::uint32_t id);
  NTSTATUS remove(const GUID& key);
  // Takes away everything that a driver registered, without asking, and its flow contexts with it.
  std::vector<LeftCallout> remove_all_of(ledger::DriverId driver);

  // What the callout object that was added last for this id says: it may be gone when the registration is left behind.
  void set_description(std::uint32_t id, std::string text);
  std::string description(std::uint32_t id) const;  // empty: none was ever added

  std::shared_ptr<CalloutSlot> slot(const GUID& key);  // made when there is none; null when there are too many
  std::shared_ptr<CalloutSlot> find(std::uint32_t id) const;
  std::vector<std::shared_ptr<CalloutSlot>> all() const;

 private:
  std::shared_ptr<CalloutSlot> slot_locked(const GUID& key);
  NTSTATUS remove_slot(const std::shared_ptr<CalloutSlot>& slot, const char* routine);
  NTSTATUS try_to_remove(CalloutSlot& slot, std::size_t& contexts);
  std::size_t contexts_of(const CalloutSlot& slot) const {
    return flows_ != nullptr ? flows_->count_of(slot.id()) : 0;
  }
  std::unique_ptr<const Registration> take_away(CalloutSlot& slot);

  kernel::Scheduler& scheduler_;
  FlowContexts* flows_ = nullptr;
  mutable std::mutex lock_;
  std::uint32_t next_id_ = kFirstCalloutId;
  std::uint64_t last_serial_ = 0;
  std::map<GUID, std::shared_ptr<CalloutSlot>, GuidOrder> by_key_;
  std::map<std::uint32_t, std::shared_ptr<CalloutSlot>> by_id_;
  std::map<std::uint32_t, std::string> descriptions_;
};

}  // namespace wfp::engine
