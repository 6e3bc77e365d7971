// SYNs whose authorization takes its time (Decision::Later): only their 4-tuple, ticket and time are kept, no TCB and
// no packet. While an entry lives, retransmissions of the SYN are not asked about again; the SYN that comes back
// through the Injector is. Bounded; what is never resumed expires.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "stack/base/time.hpp"
#include "stack/hooks/authorizer.hpp"
#include "stack/tcp/four_tuple.hpp"

namespace stack::tcp {

class PendedSyns {
 public:
  static constexpr Duration kLifetime = 60s;

  PendedSyns(std::size_t limit, SipKey key) : limit_(limit), by_tuple_(16, FourTupleHash{key}) {}

  bool contains(const FourTuple& tuple) const { return by_tuple_.contains(tuple); }
  bool insert(const FourTuple& tuple, Ticket ticket, Instant now) {  // false: full
    if (by_tuple_.size() >= limit_) return false;
    by_tuple_[tuple] = {ticket, now + kLifetime};
    return true;
  }
  void erase(const FourTuple& tuple) { by_tuple_.erase(tuple); }
  bool resume(Ticket ticket) {  // false: not one of these
    return std::erase_if(by_tuple_, [ticket](const auto& entry) { return entry.second.ticket == ticket; }) > 0;
  }
  void expire(Instant now) {
    if (now < next_sweep_) return;
    next_sweep_ = now + kLifetime / 4;
    std::erase_if(by_tuple_, [now](const auto& entry) { return entry.second.expires <= now; });
  }
  std::size_t size() const { return by_tuple_.size(); }

 private:
  struct Entry {
    Ticket ticket = 0;
    Instant expires;
  };
  std::size_t limit_;
  std::unordered_map<FourTuple, Entry, FourTupleHash> by_tuple_;
  Instant next_sweep_{};
};

}  // namespace stack::tcp
