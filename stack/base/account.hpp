// How much memory what was received may hold, over all connections of all processors together, and what it is used
// for. The bound is the sum of its holders: every byte that waits is entered under one Use, and the sum of all uses
// never passes the limit by what is taken here.
//
// Not for what passes through: a packet that is dealt with at once is the link's. Uses without an owner in the stack
// (Drivers) are not taken but measured, and bounded where packets come in. Any thread; Teller is a processor's way in.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stack {

// What memory is held for. The order is that of reports.
enum class Use : std::uint8_t {
  InOrder,     // TCP bytes that the application has not read; acknowledged, so never taken back
  OutOfOrder,  // TCP bytes behind a hole; the first to go
  Datagrams,   // that wait for their application
  Fragments,   // of datagrams that are not whole yet
  Neighbors,   // packets that wait for a link address
  Drivers,     // frames that callouts keep; measured
};
inline constexpr std::size_t kUseCount = 6;
std::string_view name_of(Use use);

class Account {
 public:
  static constexpr std::size_t kDefaultLimit = std::size_t{128} << 20;
  static constexpr std::size_t kSmallestLimit = std::size_t{1} << 20;
  static constexpr std::size_t kReserveShare = 16;  // of the limit; see Reserve

  // Whether the last part of the account may be used: for in-order bytes of a connection that holds next to nothing,
  // so that whoever reads always gets on.
  enum class Reserve : std::uint8_t { Untouched, Allowed };

  struct Level {
    std::size_t held = 0;  // bytes
    std::size_t most = 0;  // that this use alone may hold
    std::size_t high_water = 0;
    std::uint64_t refused = 0;  // requests
  };

  explicit Account(std::size_t limit = kDefaultLimit);
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  bool take(Use use, std::size_t bytes, Reserve reserve = Reserve::Untouched);  // false: no room; nothing was taken
  void give(Use use, std::size_t bytes);
  void move(Use from, Use to, std::size_t bytes);  // always possible
  void observe(Use use, std::size_t bytes);        // the level of a use that is measured
  void count_refused(Use use) { at(use).refused.fetch_add(1, std::memory_order_relaxed); }
  void count_pruned(std::size_t bytes) { pruned_.fetch_add(bytes, std::memory_order_relaxed); }

  std::size_t limit() const { return limit_; }
  std::size_t reserve() const { return limit_ / kReserveShare; }
  std::size_t most(Use use) const;
  std::size_t held() const;  // the sum
  std::size_t held(Use use) const { return at(use).held.load(std::memory_order_relaxed); }
  std::size_t room() const;                          // without the reserve
  bool is_capped(Use use, std::size_t bytes) const;  // its own bound refuses them, whatever others give back
  std::uint64_t pruned() const { return pruned_.load(std::memory_order_relaxed); }  // bytes
  Level level(Use use) const;

 private:
  struct Entry {
    std::atomic<std::size_t> held{0};
    std::atomic<std::size_t> high_water{0};
    std::atomic<std::uint64_t> refused{0};
  };
  Entry& at(Use use) { return entries_[static_cast<std::size_t>(use)]; }
  const Entry& at(Use use) const { return entries_[static_cast<std::size_t>(use)]; }
  void note_high_water(Use use);

  const std::size_t limit_;
  std::array<Entry, kUseCount> entries_;
  std::atomic<std::uint64_t> pruned_{0};
};

}  // namespace stack
