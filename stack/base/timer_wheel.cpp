#include "stack/base/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace stack {

Timer::~Timer() {
  if (wheel_ != nullptr && is_linked()) wheel_->cancel(*this);
}

// Timers may outlive the wheel when a stack comes down: they are just not scheduled any more.
TimerWheel::~TimerWheel() {
  const auto clear = [](List& list) {
    while (!list.empty()) {
      Timer& timer = list.pop_front();
      timer.wheel_ = nullptr;
      timer.deadline_ = kNever;
    }
  };
  for (List& list : slots_) clear(list);
  clear(due_);
  clear(firing_);
}

// A clock may begin below zero; ticks may not.
std::uint64_t TimerWheel::tick_at(Instant instant) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(instant.ns(), 0) / kTick.count());
}
std::uint64_t TimerWheel::tick_from(Instant deadline) {
  const std::uint64_t tick = tick_at(deadline);
  return tick * static_cast<std::uint64_t>(kTick.count()) <
                 static_cast<std::uint64_t>(std::max<std::int64_t>(deadline.ns(), 0))
             ? tick + 1
             : tick;
}

void TimerWheel::schedule(Timer& timer, Instant deadline) {
  cancel(timer);
  if (deadline == kNever) return;
  timer.wheel_ = this;
  timer.deadline_ = deadline;
  timer.tick_ = tick_from(deadline);
  place(timer);
  ++size_;
}

void TimerWheel::cancel(Timer& timer) {
  if (!timer.is_linked()) return;
  CHECK(timer.wheel_ == this);
  leave_place(timer);
  timer.deadline_ = kNever;
  --size_;
}

void TimerWheel::place(Timer& timer) {
  if (timer.tick_ <= now_tick_) {
    timer.place_ = kDuePlace;
    due_.push_back(timer);
    return;
  }
  constexpr std::uint64_t kSpan = std::uint64_t{1} << (kBits * kLevels);
  const std::uint64_t tick = std::min(timer.tick_, (now_tick_ | (kSpan - 1)));
  const std::uint64_t differing = (tick ^ now_tick_) | (kSlots - 1);
  const auto level = static_cast<unsigned>(63 - std::countl_zero(differing)) / kBits;
  const auto slot = static_cast<unsigned>(tick >> (kBits * level)) % kSlots;
  timer.place_ = static_cast<std::uint16_t>(level * kSlots + slot);
  slots_[timer.place_].push_back(timer);
  occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::leave_place(Timer& timer) {
  timer.unlink();
  if (timer.place_ == kDuePlace) return;
  if (slots_[timer.place_].empty()) occupied_[timer.place_ / kSlots] &= ~(std::uint64_t{1} << timer.place_ % kSlots);
}

// On a level all occupied slots lie after the present one, and every level ends before the next one's first slot
// begins: the lowest occupied level holds the nearest timer.
bool TimerWheel::nearest(unsigned& level, unsigned& slot, std::uint64_t& start) const {
  for (level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    const unsigned shift = kBits * level;
    start = (now_tick_ >> (shift + kBits) << (shift + kBits)) | std::uint64_t{slot} << shift;
    return true;
  }
  return false;
}

void TimerWheel::fire_all(List& due, Instant now) {
  firing_.take_all(due);
  firing_.for_each([](Timer& timer) { timer.place_ = kDuePlace; });
  while (!firing_.empty()) {
    Timer& timer = firing_.pop_front();
    timer.deadline_ = kNever;
    --size_;
    timer.handler_.on_timer(timer, now);
  }
}

void TimerWheel::advance(Instant now) {
  const std::uint64_t until = std::max(tick_at(now), now_tick_);
  fire_all(due_, now);
  unsigned level = 0, slot = 0;
  std::uint64_t start = 0;
  while (nearest(level, slot, start) && start <= until) {
    now_tick_ = start;
    occupied_[level] &= ~(std::uint64_t{1} << slot);
    List moving;
    moving.take_all(slots_[level * kSlots + slot]);
    List expired;
    while (!moving.empty()) {
      Timer& timer = moving.pop_front();
      if (timer.tick_ <= now_tick_)
        expired.push_back(timer);
      else
        place(timer);
    }
    fire_all(expired, now);
  }
  now_tick_ = until;
}

Instant TimerWheel::next_deadline() const {
  if (!due_.empty()) return Instant::from_ns(static_cast<std::int64_t>(now_tick_) * kTick.count());
  unsigned level = 0, slot = 0;
  std::uint64_t start = 0;
  if (!nearest(level, slot, start)) return kNever;
  return Instant::from_ns(static_cast<std::int64_t>(start) * kTick.count());
}

}  // namespace stack
