// Freed packets of drivers that are not used again at once, so that a second free of the same address finds nothing
// alive there and is named, instead of hitting somebody's fresh packet. In use while the ledger's level is full.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>

namespace wfp::ndis {

struct Slot;

class Quarantine {
 public:
  explicit Quarantine(std::size_t capacity) : capacity_(capacity) {
    if (capacity != 0) ring_ = std::make_unique<Slot*[]>(capacity);
  }

  // Keeps the slot. Returns what may be used again instead: the oldest one when full, the slot itself after close(),
  // or null.
  Slot* put(Slot* slot) {
    const std::lock_guard lock(mutex_);
    if (is_closed_ || capacity_ == 0) return slot;
    Slot* oldest = nullptr;
    if (size() == capacity_) oldest = take_locked();
    ring_[(first_ + size()) % capacity_] = slot;
    size_.fetch_add(1, std::memory_order_relaxed);
    return oldest;
  }
  // The oldest one, null when empty.
  Slot* take() {
    const std::lock_guard lock(mutex_);
    return size() != 0 ? take_locked() : nullptr;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
  }
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  Slot* take_locked() {
    Slot* const oldest = ring_[first_];
    first_ = (first_ + 1) % capacity_;
    size_.fetch_sub(1, std::memory_order_relaxed);
    return oldest;
  }

  const std::size_t capacity_;
  std::unique_ptr<Slot*[]> ring_;
  std::mutex mutex_;
  std::size_t first_ = 0;
  std::atomic<std::size_t> size_{0};
  bool is_closed_ = false;
};

}  // namespace wfp::ndis
