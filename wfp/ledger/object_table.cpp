#include "wfp/ledger/object_table.hpp"

#include <utility>

namespace wfp::ledger {

std::uint64_t hash_of(Kind kind, const void* object) {
  auto bits = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(object)) + static_cast<std::uint64_t>(kind);
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ull;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebull;
  return bits ^ (bits >> 31);
}

ObjectTable::ObjectTable() : slots_(kFirstSize) {}

std::size_t ObjectTable::home(Kind kind, const void* object) const {
  return static_cast<std::size_t>(hash_of(kind, object)) & (slots_.size() - 1);
}

Entry* ObjectTable::find(Kind kind, const void* object, DriverId driver) {
  Entry* of_another = nullptr;
  for (auto at = home(kind, object); slots_[at].object != nullptr; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].object != object || slots_[at].kind != kind) continue;
    if (slots_[at].driver == driver) return &slots_[at];
    of_another = &slots_[at];
  }
  return of_another;
}

Entry& ObjectTable::insert(Entry entry) {
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  auto at = home(entry.kind, entry.object);
  while (slots_[at].object != nullptr) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = std::move(entry);
  ++size_;
  return slots_[at];
}

// Moves later entries of the same run back, so that no probe ever stops short of them.
void ObjectTable::erase(Entry* entry) {
  const auto mask = slots_.size() - 1;
  auto hole = static_cast<std::size_t>(entry - slots_.data());
  slots_[hole] = Entry{};
  for (auto at = (hole + 1) & mask; slots_[at].object != nullptr; at = (at + 1) & mask) {
    const auto wanted = home(slots_[at].kind, slots_[at].object);
    const bool may_move = ((at - wanted) & mask) >= ((at - hole) & mask);
    if (!may_move) continue;
    slots_[hole] = std::exchange(slots_[at], Entry{});
    hole = at;
  }
  --size_;
}

void ObjectTable::clear() {
  slots_.clear();
  slots_.resize(kFirstSize);
  size_ = 0;
}

void ObjectTable::grow() {
  auto before = std::exchange(slots_, std::vector<Entry>(slots_.size() * 2));
  size_ = 0;
  for (auto& entry : before)
    if (entry.object != nullptr) insert(std::move(entry));
}

}  // namespace wfp::ledger
