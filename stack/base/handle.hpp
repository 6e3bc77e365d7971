// Handles for things that outsiders name: processor, slot and generation in 64 bits, never a pointer. A stale handle
// fails cleanly, because the generation of its slot has moved on. Zero names nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/assert.hpp"

namespace stack {

// Bits 63..56 processor + 1, 55..32 slot, 31..0 generation.
template <typename Tag>
struct Handle {
  std::uint64_t value = 0;

  static constexpr Handle make(std::uint32_t processor, std::uint32_t slot, std::uint32_t generation) {
    return {std::uint64_t{processor + 1} << 56 | std::uint64_t{slot & 0xff'ffff} << 32 | generation};
  }
  constexpr std::uint32_t slot() const { return static_cast<std::uint32_t>(value >> 32) & 0xff'ffff; }
  constexpr std::uint32_t generation() const { return static_cast<std::uint32_t>(value); }
  constexpr explicit operator bool() const { return value != 0; }
  constexpr bool operator==(const Handle&) const = default;
};

using EndpointId = Handle<struct EndpointTag>;  // a socket: what a host's application owns

// A bounded table of T by handle. Used by one thread. Pointers stay valid until the entry is erased.
template <typename T, typename Tag>
class SlotTable {
 public:
  explicit SlotTable(std::size_t limit, std::uint32_t processor = 0) : limit_(limit), processor_(processor) {
    CHECK(limit <= 0xff'ffff);
  }

  std::size_t size() const { return slots_.size() - free_.size(); }

  // Empty when the table is full.
  std::optional<Handle<Tag>> insert(T* value) {
    if (free_.empty()) {
      if (slots_.size() >= limit_) return std::nullopt;
      slots_.push_back({});
      free_.push_back(static_cast<std::uint32_t>(slots_.size() - 1));
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot].value = value;
    return Handle<Tag>::make(processor_, slot, slots_[slot].generation);
  }
  T* find(Handle<Tag> handle) const {
    const auto slot = handle.slot();
    if (!handle || slot >= slots_.size() || slots_[slot].generation != handle.generation()) return nullptr;
    return slots_[slot].value;
  }
  void erase(Handle<Tag> handle) {
    CHECK(find(handle) != nullptr);
    auto& entry = slots_[handle.slot()];
    entry.value = nullptr;
    ++entry.generation;
    free_.push_back(handle.slot());
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& entry : slots_)
      if (entry.value != nullptr) visit(*entry.value);
  }

 private:
  struct Entry {
    T* value = nullptr;
    std::uint32_t generation = 1;
  };
  std::size_t limit_;
  std::uint32_t processor_;
  std::vector<Entry> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace stack
