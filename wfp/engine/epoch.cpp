#include "wfp/engine/epoch.hpp"

#include <atomic>

namespace wfp::engine::epoch {
namespace {

constexpr std::uint64_t kAway = 0;

struct alignas(64) Slot {
  std::atomic<std::uint64_t> entered{kAway};  // the epoch in which its thread began to read
  std::atomic<bool> is_taken{true};
  Slot* next = nullptr;
};

std::atomic<std::uint64_t> now{1};
std::atomic<Slot*> slots{nullptr};  // only ever grows; never freed, as threads may end after main

Slot* take_slot() {
  for (Slot* slot = slots.load(); slot != nullptr; slot = slot->next)
    if (bool expected = false; slot->is_taken.compare_exchange_strong(expected, true)) return slot;
  Slot* const slot = new Slot;
  slot->next = slots.load();
  while (!slots.compare_exchange_weak(slot->next, slot)) {
  }
  return slot;
}

struct Reader {
  Slot* const slot = take_slot();
  unsigned depth = 0;
  Reader() = default;
  ~Reader() { slot->is_taken.store(false); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

Reader& reader() {
  static thread_local Reader instance;
  return instance;
}

}  // namespace

// Sequentially consistent on purpose: either the writer sees this announcement, or the reader, which loads the
// version after it, sees the writer's new version.
Guard::Guard() {
  Reader& self = reader();
  if (self.depth++ == 0) self.slot->entered.store(now.load());
}

Guard::~Guard() {
  Reader& self = reader();
  if (--self.depth == 0) self.slot->entered.store(kAway, std::memory_order_release);
}

bool is_reading() { return reader().depth != 0; }

std::uint64_t retire() { return now.fetch_add(1) + 1; }

bool is_quiet(std::uint64_t ticket) {
  for (const Slot* slot = slots.load(); slot != nullptr; slot = slot->next) {
    const std::uint64_t entered = slot->entered.load();
    if (entered != kAway && entered < ticket) return false;
  }
  return true;
}

}  // namespace wfp::engine::epoch
