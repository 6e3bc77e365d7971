#include "stack/neighbor/duplicate_detection.hpp"

#include <algorithm>
#include <utility>

namespace stack::neighbor {

bool DuplicateDetection::add(const IpAddress& address, Instant now) {
  remove(address);
  if (candidates_.size() >= kMaxAddresses) return false;
  Candidate candidate{.address = address, .next = now};
  begin(candidate);
  candidates_.push_back(candidate);
  on_timer(now);
  return true;
}

void DuplicateDetection::begin(Candidate& candidate) const {
  const bool v4 = candidate.address.is_v4();
  candidate.probes_left = v4 ? timing_.probes_v4 : timing_.probes_v6;
  candidate.announcements_left = v4 ? timing_.announcements_v4 : 0;
  candidate.is_waiting = false;
}

std::optional<DuplicateDetection::Conflict> DuplicateDetection::on_conflict(const IpAddress& address, Instant now) {
  Candidate* candidate = find_probing(address);
  if (candidate == nullptr) return std::nullopt;
  const bool is_first = candidate->retry == Duration{};
  candidate->retry = is_first ? timing_.first_retry : std::min(2 * candidate->retry, timing_.last_retry);
  candidate->is_waiting = true;
  candidate->next = now + candidate->retry;
  return Conflict{candidate->retry, is_first};
}

void DuplicateDetection::remove(const IpAddress& address) {
  std::erase_if(candidates_, [&](const Candidate& candidate) { return candidate.address == address; });
}

DuplicateDetection::Candidate* DuplicateDetection::find_probing(const IpAddress& address) {
  const auto found = std::ranges::find_if(candidates_, [&](const Candidate& candidate) {
    return candidate.address == address && !candidate.is_unique && !candidate.is_waiting;
  });
  return found == candidates_.end() ? nullptr : &*found;
}

bool DuplicateDetection::is_probing(const IpAddress& address) const {
  return const_cast<DuplicateDetection*>(this)->find_probing(address) != nullptr;
}

void DuplicateDetection::step(Candidate& candidate, Instant now) {
  const bool v4 = candidate.address.is_v4();
  if (candidate.is_waiting) {
    begin(candidate);
    actions_.again(candidate.address);
  }
  if (candidate.probes_left > 0) {
    --candidate.probes_left;
    const Duration pause = v4 ? timing_.probe_interval_v4 * (1024 + random_.below(1024)) / 1024  // RFC 5227 2.1.1
                              : timing_.probe_interval_v6;
    candidate.next = now + (v4 && candidate.probes_left == 0 ? timing_.announce_wait_v4 : pause);
    return actions_.probe(candidate.address);
  }
  const IpAddress address = candidate.address;
  const bool was_duplicate = candidate.retry != Duration{};
  const bool is_first = !std::exchange(candidate.is_unique, true);
  const bool announces = candidate.announcements_left > 0;
  if (announces) --candidate.announcements_left;
  candidate.next = candidate.announcements_left > 0 ? now + timing_.announce_interval_v4 : kNever;
  if (is_first) actions_.unique(address, was_duplicate);
  if (announces) actions_.announce(address);
}

void DuplicateDetection::on_timer(Instant now) {
  for (std::size_t i = 0; i < candidates_.size(); ++i)
    while (i < candidates_.size() && candidates_[i].next <= now) step(candidates_[i], now);
  std::erase_if(candidates_,
                [](const Candidate& candidate) { return candidate.is_unique && candidate.next == kNever; });
}

Instant DuplicateDetection::next_deadline() const {
  Instant next = kNever;
  for (const Candidate& candidate : candidates_) next = std::min(next, candidate.next);
  return next;
}

}  // namespace stack::neighbor
