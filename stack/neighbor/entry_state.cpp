#include "stack/neighbor/entry_state.hpp"

namespace stack::neighbor {

Solicit EntryState::start(const Timing& timing, Instant now) {
  solicits_ = 1;
  enter(State::Incomplete, now + timing.retransmit);
  return Solicit::Multicast;
}

void EntryState::on_send(const Timing& timing, Instant now) {
  if (state_ == State::Stale) enter(State::Delay, now + timing.delay_first_probe);
}

Solicit EntryState::on_timer(const Timing& timing, Instant now) {
  switch (state_) {
    case State::Incomplete:
      if (solicits_ >= timing.max_multicast_solicit) return Solicit::GiveUp;
      ++solicits_;
      deadline_ = now + timing.retransmit;
      return Solicit::Multicast;
    case State::Reachable:
      enter(State::Stale, kNever);
      return Solicit::None;
    case State::Stale:
      deadline_ = kNever;
      return Solicit::None;
    case State::Delay:
      solicits_ = 1;
      enter(State::Probe, now + timing.retransmit);
      return Solicit::Unicast;
    case State::Probe:
      if (solicits_ >= timing.max_unicast_solicit) return Solicit::GiveUp;
      ++solicits_;
      deadline_ = now + timing.retransmit;
      return Solicit::Unicast;
  }
  return Solicit::None;
}

void EntryState::on_confirmation(const Timing& timing, Instant now) {
  if (state_ != State::Incomplete) enter(State::Reachable, now + timing.reachable);
}

// RFC 4861 7.2.5.
EntryState::Heed EntryState::on_advertisement(const Advertisement& advertisement, const Timing& timing, Instant now) {
  const bool differs = advertisement.mac != nullptr && *advertisement.mac != mac_;
  if (state_ == State::Incomplete) {
    if (advertisement.mac == nullptr) return Heed::Ignored;
    mac_ = *advertisement.mac;
    if (advertisement.solicited)
      enter(State::Reachable, now + timing.reachable);
    else
      enter(State::Stale, kNever);
    return Heed::Answered;
  }
  if (differs && !advertisement.override_entry) {
    if (state_ == State::Reachable) enter(State::Stale, kNever);
    return Heed::Ignored;
  }
  if (differs) mac_ = *advertisement.mac;
  if (advertisement.solicited)
    enter(State::Reachable, now + timing.reachable);
  else if (differs)
    enter(State::Stale, kNever);
  return Heed::Taken;
}

bool EntryState::on_heard(const MacAddress& mac) {
  const bool was_incomplete = state_ == State::Incomplete;
  if (!was_incomplete && mac == mac_) return false;
  mac_ = mac;
  enter(State::Stale, kNever);
  return was_incomplete;
}

}  // namespace stack::neighbor
