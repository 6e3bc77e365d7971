#include "wfp/ledger/driver_call.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iterator>

namespace wfp::ledger {
namespace {

std::array<CallSlot, kCallSlots> slots;
std::atomic<std::size_t> slots_used{0};  // the highest that ever was, and one more
std::atomic<void (*)()> preparation{nullptr};

struct RunningCall {
  CallSlot* slot = nullptr;  // null: not asked for yet, or none was free
  bool is_prepared = false;
  bool is_marked = false;
  CallKind kind = CallKind::None;
  std::uint64_t marks = 0;  // given so far by this thread
};
thread_local RunningCall running;

CallSlot* take_slot() noexcept {
  const int self = static_cast<int>(syscall(SYS_gettid));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    int free = 0;
    if (!slots[i].thread.compare_exchange_strong(free, self, std::memory_order_acq_rel)) continue;
    std::size_t used = slots_used.load(std::memory_order_relaxed);
    while (used < i + 1 && !slots_used.compare_exchange_weak(used, i + 1, std::memory_order_relaxed)) {
    }
    return &slots[i];
  }
  return nullptr;
}

// Gives the slot back when the thread ends.
struct SlotOwner {
  ~SlotOwner() {
    CallSlot* const slot = running.slot;
    running.slot = nullptr;
    if (slot == nullptr) return;
    slot->mark.store(0, std::memory_order_relaxed);
    slot->thread.store(0, std::memory_order_release);
  }
};

void prepare_thread() noexcept {
  running.is_prepared = true;
  running.slot = take_slot();
  [[maybe_unused]] thread_local const SlotOwner owner;
  if (auto* const prepare = preparation.load(std::memory_order_acquire); prepare != nullptr) prepare();
}

bool has_mark(CallKind kind) { return kind != CallKind::Thread && kind != CallKind::WorkItem; }

}  // namespace

const char* phrase_of(CallKind kind) {
  constexpr const char* kPhrases[] = {"a call",
                                      "its classifyFn",
                                      "its notifyFn",
                                      "its flowDeleteFn",
                                      "its completion function",
                                      "its DPC routine",
                                      "its DriverEntry",
                                      "its DriverUnload",
                                      "the wait for its DPCs and work items",
                                      "its thread",
                                      "its work item"};
  const auto at = static_cast<std::size_t>(kind);
  return kPhrases[std::min(at, std::size(kPhrases) - 1)];
}

CallKind current_call() noexcept { return running.kind; }

std::size_t call_slot_count() noexcept { return slots_used.load(std::memory_order_acquire); }
const CallSlot& call_slot(std::size_t index) noexcept { return slots[index]; }

void set_thread_preparation(void (*prepare)()) noexcept { preparation.store(prepare, std::memory_order_release); }

DriverCall::DriverCall(CallKind kind) noexcept : before_(running.kind), is_marked_(false) {
  if (!running.is_prepared) [[unlikely]]
    prepare_thread();
  running.kind = kind;
  if (running.is_marked || !has_mark(kind)) return;
  running.is_marked = is_marked_ = true;
  if (running.slot != nullptr) running.slot->mark.store(++running.marks, std::memory_order_relaxed);
}

DriverCall::~DriverCall() {
  if (std::uncaught_exceptions() != 0) [[unlikely]]
    std::terminate();
  running.kind = before_;
  if (!is_marked_) return;
  running.is_marked = false;
  if (running.slot != nullptr) running.slot->mark.store(0, std::memory_order_relaxed);
}

}  // namespace wfp::ledger
