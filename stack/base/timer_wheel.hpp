// Timers by the ten thousand: scheduling, cancelling and moving on are O(1). Deadlines are data; the owner of the
// wheel asks for the nearest one and says how late it is. Used by one thread.
//
// A hierarchy of kLevels wheels with kSlots places each (Varghese and Lauck 1987). A timer stands on the level of the
// highest digit in which its tick differs from the present one, and moves down as time comes closer. It fires at the
// first tick (kTick) that is not before its deadline: never early, less than one tick late.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/intrusive_list.hpp"
#include "stack/base/time.hpp"

namespace stack {

class Timer;

class TimerHandler {
 public:
  // The timer is not scheduled any more. It may be scheduled again, it and its owner may be destroyed.
  virtual void on_timer(Timer& timer, Instant now) = 0;

 protected:
  ~TimerHandler() = default;
};

// Embedded in what it wakes. Destroying a scheduled timer cancels it.
class Timer : public ListNode<class TimerWheel> {
 public:
  explicit Timer(TimerHandler& handler) : handler_(handler) {}
  ~Timer();

  bool is_scheduled() const { return is_linked(); }
  Instant deadline() const { return deadline_; }  // kNever when not scheduled

 private:
  friend class TimerWheel;
  TimerHandler& handler_;
  TimerWheel* wheel_ = nullptr;
  Instant deadline_ = kNever;
  std::uint64_t tick_ = 0;
  std::uint16_t place_ = 0;  // level * kSlots + slot
};

class TimerWheel {
 public:
  static constexpr Duration kTick = 100us;
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr unsigned kLevels = 7;  // 64^7 ticks are 13 years; later deadlines stand in the last place

  explicit TimerWheel(Instant now = Instant{}) : now_tick_(tick_at(now)) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Moves a timer that is scheduled already. kNever cancels.
  void schedule(Timer& timer, Instant deadline);
  void cancel(Timer& timer);

  // Calls the handlers of what is due. Timers that handlers schedule for now fire at the next call.
  void advance(Instant now);
  // When advance() has something to do next; may be earlier than the nearest timer, never later. kNever: no timers.
  Instant next_deadline() const;
  std::size_t size() const { return size_; }

 private:
  using List = IntrusiveList<Timer, TimerWheel>;
  static constexpr std::uint16_t kDuePlace = kLevels * kSlots;

  static std::uint64_t tick_at(Instant instant);     // rounded down
  static std::uint64_t tick_from(Instant deadline);  // rounded up
  void place(Timer& timer);
  void leave_place(Timer& timer);
  void fire_all(List& due, Instant now);
  // Level and start of the nearest occupied slot; false when all are empty.
  bool nearest(unsigned& level, unsigned& slot, std::uint64_t& start) const;

  std::uint64_t now_tick_;
  std::size_t size_ = 0;
  std::array<std::uint64_t, kLevels> occupied_{};  // a bit for each slot
  std::array<List, kLevels * kSlots> slots_;
  List due_;  // scheduled for a tick that has passed
  List firing_;
};

}  // namespace stack
