// The nearest deadline of many objects. Lazy: an object has at most one entry that counts; when its deadline moves
// later the entry stays and is asked again when it comes up, so that restarting a retransmission timer with every ACK
// costs nothing.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "stack/base/time.hpp"

namespace stack::tcp {

template <typename Key>
class DeadlineQueue {
 public:
  // `scheduled` is the object's own note of its entry (kNever: none); kept up to date here.
  void schedule(const Key& key, Instant deadline, Instant& scheduled) {
    if (deadline >= scheduled) return;
    scheduled = deadline;
    heap_.push({deadline, key});
  }
  bool has_due(Instant now) const { return !heap_.empty() && heap_.top().at <= now; }
  // The key whose entry is due, with the entry's instant. The owner compares it with `scheduled`: another value means
  // that an earlier entry took its place and this one is to be ignored.
  struct Entry {
    Instant at;
    Key key;
    bool operator>(const Entry& other) const { return at > other.at; }
  };
  Entry take() {
    Entry entry = heap_.top();
    heap_.pop();
    return entry;
  }
  Instant next() const { return heap_.empty() ? kNever : heap_.top().at; }
  std::size_t size() const { return heap_.size(); }

 private:
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
};

}  // namespace stack::tcp
