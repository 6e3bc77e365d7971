// The ledger's set of live objects: open addressing with linear probing and backward-shift deletion, so that it needs
// neither nodes nor tombstones. Not thread-safe; the ledger keeps one of them behind each of its shard locks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wfp/ledger/ledger.hpp"

namespace wfp::ledger {

// Of the moment of acquisition, at the level full.
struct Trace {
  std::vector<void*> stack;
  std::string packet;  // the one that was being classified; empty: none
};

struct Entry {
  const void* object = nullptr;  // null: empty slot
  Kind kind = Kind::other;
  std::uint32_t nesting = 1;
  bool was_refused = false;  // a packet whose injection the call refused
  DriverId driver = kNoDriver;
  const char* detail = "";
  std::size_t bytes = 0;
  std::uint64_t sequence = 0;
  void* acquired_at = nullptr;  // the call in the driver; null at the level full, which has the trace
  std::unique_ptr<Trace> trace;

  std::vector<void*> stack() const {
    if (trace) return trace->stack;
    return acquired_at != nullptr ? std::vector<void*>(1, acquired_at) : std::vector<void*>();
  }
};

class ObjectTable {
 public:
  ObjectTable();

  // The entry of `driver` when it has one, else another driver's; null when there is none. Only references to one
  // object can be entered under several drivers.
  Entry* find(Kind kind, const void* object, DriverId driver);
  Entry& insert(Entry entry);  // not to be called for a key (kind, object, driver) that is present
  void erase(Entry* entry);
  void clear();
  std::size_t size() const { return size_; }

  template <class Visit>
  void for_each(Visit visit) {
    for (auto& slot : slots_)
      if (slot.object != nullptr) visit(slot);
  }

 private:
  static constexpr std::size_t kFirstSize = 64;  // a power of two

  std::size_t home(Kind kind, const void* object) const;
  void grow();

  std::vector<Entry> slots_;
  std::size_t size_ = 0;
};

// Spreads the bits of a pointer; the shard and the slot use different ends of it.
std::uint64_t hash_of(Kind kind, const void* object);

}  // namespace wfp::ledger
