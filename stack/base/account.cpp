#include "stack/base/account.hpp"

#include <algorithm>

#include "stack/base/assert.hpp"

namespace stack {

std::string_view name_of(Use use) {
  constexpr std::array<std::string_view, kUseCount> kNames{"in_order",  "out_of_order", "datagrams",
                                                           "fragments", "neighbors",    "drivers"};
  return kNames[static_cast<std::size_t>(use)];
}

// Parts of what is not reserved. Together they leave half of it to streams, whatever waits elsewhere.
namespace {
constexpr std::size_t kDatagramsPart = 8, kFragmentsPart = 16, kNeighborsPart = 16, kDriversPart = 4;
static_assert(16 / kDatagramsPart + 16 / kFragmentsPart + 16 / kNeighborsPart + 16 / kDriversPart <= 16 / 2);
}  // namespace

Account::Account(std::size_t limit) : limit_(std::max(limit, kSmallestLimit)) {}

std::size_t Account::most(Use use) const {
  const std::size_t ordinary = limit_ - reserve();
  switch (use) {
    case Use::InOrder:
      return limit_;
    case Use::OutOfOrder:
      return ordinary;
    case Use::Datagrams:
      return ordinary / kDatagramsPart;
    case Use::Fragments:
      return ordinary / kFragmentsPart;
    case Use::Neighbors:
      return ordinary / kNeighborsPart;
    case Use::Drivers:
      return ordinary / kDriversPart;
  }
  return 0;
}

std::size_t Account::held() const {
  std::size_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.held.load(std::memory_order_relaxed);
  return sum;
}

std::size_t Account::room() const {
  const std::size_t ordinary = limit_ - reserve(), sum = held();
  return sum < ordinary ? ordinary - sum : 0;
}

bool Account::is_capped(Use use, std::size_t bytes) const {
  return bytes > most(use) || held(use) > most(use) - bytes;
}

// Entered first and looked at then: when two processors meet at the bound, one of them may be refused although it
// would have fitted, and the sum is never passed.
bool Account::take(Use use, std::size_t bytes, Reserve reserve) {
  const std::size_t bound = reserve == Reserve::Allowed ? limit_ : limit_ - this->reserve();
  std::atomic<std::size_t>& level = at(use).held;
  const bool is_within = level.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most(use) && held() <= bound;
  if (!is_within) {
    level.fetch_sub(bytes, std::memory_order_relaxed);
    return false;
  }
  note_high_water(use);
  return true;
}

void Account::give(Use use, std::size_t bytes) {
  const std::size_t before = at(use).held.fetch_sub(bytes, std::memory_order_relaxed);
  CHECK(before >= bytes);
}

void Account::move(Use from, Use to, std::size_t bytes) {
  at(to).held.fetch_add(bytes, std::memory_order_relaxed);
  give(from, bytes);
  note_high_water(to);
}

void Account::observe(Use use, std::size_t bytes) {
  at(use).held.store(bytes, std::memory_order_relaxed);
  note_high_water(use);
}

void Account::note_high_water(Use use) {
  const std::size_t now = held(use);
  std::atomic<std::size_t>& mark = at(use).high_water;
  std::size_t before = mark.load(std::memory_order_relaxed);
  while (before < now && !mark.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
  }
}

Account::Level Account::level(Use use) const {
  const Entry& entry = at(use);
  return {entry.held.load(std::memory_order_relaxed), most(use), entry.high_water.load(std::memory_order_relaxed),
          entry.refused.load(std::memory_order_relaxed)};
}

}  // namespace stack
