// The nearest deadline of many objects. One entry an object, so that the queue is as large as there are objects. A
// deadline that moves earlier moves the entry; one that moves later leaves it, and the object is asked again when the
// entry comes up, so that restarting a retransmission timer with every ACK costs nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <set>

#include "stack/base/time.hpp"

namespace stack::tcp {

class DeadlineQueue {
 public:
  using Key = std::uint64_t;  // names the object; among equal deadlines the smaller one comes first

  // `scheduled` is the object's own note of its entry (kNever: none); kept up to date here.
  void schedule(Key key, Instant deadline, Instant& scheduled) {
    if (deadline >= scheduled) return;
    if (scheduled == kNever) {
      entries_.insert({deadline, key});
    } else {
      auto entry = entries_.extract({scheduled, key});
      entry.value().at = deadline;
      entries_.insert(std::move(entry));
    }
    scheduled = deadline;
  }
  // The object goes.
  void remove(Key key, Instant& scheduled) {
    entries_.erase({scheduled, key});
    scheduled = kNever;
  }
  // Takes an entry that has come out of the queue; its object notes kNever and schedules itself anew.
  std::optional<Key> take_due(Instant now) {
    if (entries_.empty() || entries_.begin()->at > now) return std::nullopt;
    return entries_.extract(entries_.begin()).value().key;
  }
  Instant next() const { return entries_.empty() ? kNever : entries_.begin()->at; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Instant at;
    Key key;
    auto operator<=>(const Entry&) const = default;
  };
  std::set<Entry> entries_;
};

}  // namespace stack::tcp
