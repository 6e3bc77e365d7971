// Handles for things that drivers name: processor, slot and generation in 64 bits, never a pointer. A stale handle
// fails cleanly, because the generation of its slot has moved on; zero names nothing. On Windows such handles are
// opaque, too.
//
// HandleTable is bounded and not thread-safe: its owner has the lock. Objects stay where they are until erased.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "nt/types.h"

namespace wfp {

// Bits 63..56 processor + 1, 55..32 slot, 31..0 generation.
using HandleValue = std::uint64_t;

inline HANDLE to_windows(HandleValue value) { return reinterpret_cast<HANDLE>(static_cast<std::uintptr_t>(value)); }
inline HandleValue from_windows(HANDLE handle) {
  return static_cast<HandleValue>(reinterpret_cast<std::uintptr_t>(handle));
}

template <typename T>
class HandleTable {
 public:
  explicit HandleTable(std::size_t limit, std::uint32_t processor = 0) : limit_(limit), processor_(processor) {}

  // The value's handle, or 0 when the table is full.
  template <typename... Arguments>
  HandleValue emplace(Arguments&&... arguments) {
    if (free_.empty()) {
      if (entries_.size() >= limit_ || entries_.size() >= kSlots) return 0;
      entries_.emplace_back();
      free_.push_back(static_cast<std::uint32_t>(entries_.size() - 1));
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    Entry& entry = entries_[slot];
    entry.value = T{std::forward<Arguments>(arguments)...};
    entry.is_live = true;
    ++size_;
    return HandleValue{processor_ + 1} << 56 | HandleValue{slot} << 32 | entry.generation;
  }
  T* find(HandleValue handle) {
    const auto slot = static_cast<std::uint32_t>(handle >> 32) & (kSlots - 1);
    if (handle >> 56 != processor_ + 1 || slot >= entries_.size()) return nullptr;
    Entry& entry = entries_[slot];
    return entry.is_live && entry.generation == static_cast<std::uint32_t>(handle) ? &entry.value : nullptr;
  }
  const T* find(HandleValue handle) const { return const_cast<HandleTable*>(this)->find(handle); }
  bool erase(HandleValue handle) {
    if (find(handle) == nullptr) return false;
    const auto slot = static_cast<std::uint32_t>(handle >> 32) & (kSlots - 1);
    Entry& entry = entries_[slot];
    entry.value = T{};
    entry.is_live = false;
    if (++entry.generation == 0) entry.generation = 1;
    free_.push_back(slot);
    --size_;
    return true;
  }
  // Visits (handle, object); the visitor may not insert or erase.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::uint32_t slot = 0; slot < entries_.size(); ++slot) {
      Entry& entry = entries_[slot];
      if (entry.is_live)
        visit(HandleValue{processor_ + 1} << 56 | HandleValue{slot} << 32 | entry.generation, entry.value);
    }
  }
  std::size_t size() const { return size_; }
  std::size_t limit() const { return limit_; }

 private:
  static constexpr std::uint32_t kSlots = 1u << 24;
  struct Entry {
    T value{};
    std::uint32_t generation = 1;
    bool is_live = false;
  };
  std::size_t limit_;
  std::uint32_t processor_;
  std::size_t size_ = 0;
  std::deque<Entry> entries_;
  std::vector<std::uint32_t> free_;
};

}  // namespace wfp
