#include "wfp/ale/pend.hpp"

#include <utility>

#include "nt/ntstatus.h"
#include "wfp/kernel/report.hpp"
#include "wfp/kernel/thread_state.hpp"
#include "wfp/ledger/rules.hpp"
#include "wfp/ledger/violation.hpp"
#include "wfp/model/layer.hpp"

namespace wfp::ale {
namespace {

std::atomic<Pends*> the_pends{nullptr};

// A completion context is the handle with this bit, so that one is not taken for the other. kMaxPends leaves it free.
constexpr HandleValue kContextBit = HandleValue{1} << 55;
static_assert(kMaxPends < (std::size_t{1} << 23));

const void* ledger_key(HandleValue handle) { return to_windows(handle | kContextBit); }

bool is_current(HANDLE completion) {
  const engine::CurrentClassify* const current = engine::current_classify();
  return current != nullptr && current->input->metadata != nullptr &&
         current->input->metadata->completionHandle == completion;
}

void report(const char* rule, std::string message) {
  ledger::report({.rule = rule, .message = std::move(message), .packet = {}, .stack = {}});
}

}  // namespace

Pends::Pends(Host& host, kernel::Scheduler& scheduler, unsigned processor)
    : host_(host),
      scheduler_(scheduler),
      processor_(processor),
      pends_(kMaxPends, processor),
      classify_handles_(processor) {
  the_pends.store(this);
}

Pends::~Pends() {
  Pends* self = this;
  the_pends.compare_exchange_strong(self, nullptr);
}

Pends* Pends::current() { return the_pends.load(std::memory_order_acquire); }

// --- the shim ---

HANDLE Pends::begin(bool reauthorization) {
  const std::lock_guard guard(lock_);
  const HandleValue handle = pends_.emplace();
  if (handle == 0) {
    ++counts_.table_full;
    return nullptr;
  }
  if (reauthorization) reauthorizing_ = handle;
  return to_windows(handle);
}

std::uint64_t Pends::finish(HANDLE completion, const engine::ClassifyResult& result) {
  const HandleValue handle = from_windows(completion);
  const bool absorbed = result.verdict == engine::Verdict::Block && result.absorb;
  bool waits_in_vain = false;
  std::uint64_t ticket = 0;
  {
    const std::lock_guard guard(lock_);
    if (handle == reauthorizing_) reauthorizing_ = 0;
    Pend* const pend = pends_.find(handle);
    if (pend == nullptr) return 0;
    if (pend->phase == Phase::Pended) {
      pend->phase = absorbed ? Phase::Waiting : Phase::Abandoned;
      ticket = absorbed ? handle : 0;
    } else {
      waits_in_vain = pend->refused && absorbed;
      pends_.erase(handle);
    }
  }
  if (waits_in_vain)
    report(
        ledger::rule::kPendOnReauth,
        "FwpsPendOperation0 returned STATUS_FWP_CANNOT_PEND for a reauthorization, yet the classify returned block "
        "and absorb: nobody will complete it. Test FWP_CONDITION_FLAG_IS_REAUTHORIZE and decide at once.");
  return ticket;
}

// --- drivers ---

NTSTATUS Pends::pend(HANDLE completion, HANDLE* context) {
  if (context == nullptr) return STATUS_FWP_NULL_POINTER;
  const HandleValue handle = from_windows(completion);
  const bool is_current_handle = is_current(completion);
  std::string packet = ledger::level() == ledger::Level::off ? std::string() : ledger::current_packet();
  const std::lock_guard guard(lock_);
  Pend* const reauthorized = is_current_handle && handle == 0 ? pends_.find(reauthorizing_) : nullptr;
  if (handle == 0 && reauthorized == nullptr) return STATUS_FWP_NULL_POINTER;
  Pend* const pend = pends_.find(handle);
  if (pend == nullptr || !is_current_handle || pend->phase != Phase::Offered) {
    ++counts_.refused;
    if (reauthorized != nullptr) reauthorized->refused = true;
    return STATUS_FWP_CANNOT_PEND;
  }
  pend->phase = Phase::Pended;
  pend->driver = ledger::current_driver();
  pend->layer = engine::current_classify()->layer;
  pend->callout = engine::current_classify()->callout_id;
  pend->packet = std::move(packet);
  ++counts_.started;
  ++counts_.open;
  ledger::acquire(ledger::Kind::pended_operation, ledger_key(handle), "FwpsPendOperation0");
  *context = to_windows(handle | kContextBit);
  return STATUS_SUCCESS;
}

void Pends::complete(HANDLE context) {
  const HandleValue handle = from_windows(context) & ~kContextBit;
  bool first = false;
  if ((from_windows(context) & kContextBit) != 0) {
    const std::lock_guard guard(lock_);
    Pend* const pend = pends_.find(handle);
    if (pend != nullptr && pend->phase != Phase::Offered && !pend->completing) first = pend->completing = true;
  }
  if (!first) {
    report_double(context);
    return;
  }
  if (kernel::thread_state.held_count != 0)
    report(ledger::rule::kLockHeld,
           "FwpsCompleteOperation0 called with a spin lock held: it classifies again before it returns, and that "
           "classify "
           "may want the lock. Release it first.");
  ledger::release(ledger::Kind::pended_operation, ledger_key(handle));
  hand_over(handle);
}

// Synchronous for the caller wherever that cannot lock up: on the processor's thread at once, from others by
// hand-over.
void Pends::hand_over(HandleValue handle) {
  if (host_.on_processor_thread()) {
    carry_out(handle);
    return;
  }
  if (!scheduler_.post_and_wait(processor_, [&] { carry_out(handle); })) defer(handle);
}

void Pends::carry_out(HandleValue handle) {
  bool waiting = false;
  bool denied = false;
  {
    const std::lock_guard guard(lock_);
    Pend* const pend = pends_.find(handle);
    if (pend == nullptr) return;
    const bool unwound = pend->phase != Phase::Pended && engine::current_classify() == nullptr;
    if (unwound) {
      waiting = pend->phase == Phase::Waiting;
      denied = pend->denied;
      completed_[next_completed_] = {handle, std::move(*pend)};
      next_completed_ = (next_completed_ + 1) % kCompletedKept;
      pends_.erase(handle);
      ++(denied ? counts_.taken : counts_.completed);
      --counts_.open;
    } else {
      deferred_.push_back(handle);
      deferred_count_.store(deferred_.size(), std::memory_order_release);
      return;
    }
  }
  if (!waiting) return;  // the classify ended with another answer, which stands
  const std::uint64_t before = denied_;
  denied_ = denied ? handle : 0;
  host_.resume(handle);
  denied_ = before;
}

void Pends::defer(HandleValue handle) {
  {
    const std::lock_guard guard(lock_);
    deferred_.push_back(handle);
    deferred_count_.store(deferred_.size(), std::memory_order_release);
  }
  host_.wake();
}

// The number is not part of the message, so that repetitions are one report.
void Pends::report_double(HANDLE context) {
  ledger::Violation violation;
  violation.rule = ledger::rule::kPendDoubleComplete;
  violation.message =
      "FwpsCompleteOperation0 called with a completionContext that names no pended operation: it was completed "
      "before, or never pended. Complete each pended operation once.";
  violation.object = kernel::text("completionContext %p", context);
  const HandleValue handle = from_windows(context) & ~kContextBit;
  violation.kind = ledger::Kind::pended_operation;
  violation.about = ledger_key(handle);
  {
    const std::lock_guard guard(lock_);
    const Pend* pend = pends_.find(handle);  // its completion is under way
    for (const Completed& completed : completed_)
      if (pend == nullptr && handle != 0 && completed.handle == handle) pend = &completed.pend;
    if (pend != nullptr && pend->phase != Phase::Offered) {
      violation.packet = pend->packet;
      violation.object += kernel::text(", pended by callout %u at %s", pend->callout,
                                       std::string(model::layer_name(pend->layer)).c_str());
    }
  }
  ledger::report(std::move(violation));
}

std::size_t Pends::complete_all_of(ledger::DriverId driver) {
  std::vector<HandleValue> left;
  {
    const std::lock_guard guard(lock_);
    pends_.for_each([&](HandleValue handle, Pend& pend) {
      if (pend.phase == Phase::Offered || pend.completing || pend.driver != driver) return;
      pend.completing = pend.denied = true;
      left.push_back(handle);
    });
  }
  if (left.empty()) return 0;
  ledger::Violation violation;
  violation.rule = ledger::rule::kPendLeft;
  violation.driver = driver;
  violation.message =
      kernel::text("%s was unloaded with %s, denied now; complete each before DriverUnload returns",
                   ledger::driver_name(driver).c_str(), kernel::counted(left.size(), "pended operation").c_str());
  violation.origins = ledger::acquired_at(driver, ledger::Kind::pended_operation);
  ledger::report(std::move(violation));
  for (const HandleValue handle : left) {
    ledger::release(ledger::Kind::pended_operation, ledger_key(handle));
    hand_over(handle);
  }
  return left.size();
}

// --- the host's loop ---

std::size_t Pends::run_deferred() {
  if (engine::current_classify() != nullptr || !has_work()) return 0;
  std::vector<HandleValue> due;
  {
    const std::lock_guard guard(lock_);
    due.swap(deferred_);
    deferred_count_.store(0, std::memory_order_release);
  }
  for (const HandleValue handle : due) carry_out(handle);
  return due.size();
}

PendCounts Pends::counts() const {
  const std::lock_guard guard(lock_);
  return counts_;
}

}  // namespace wfp::ale
