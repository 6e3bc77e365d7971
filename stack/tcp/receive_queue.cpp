#include "stack/tcp/receive_queue.hpp"

#include <algorithm>

namespace stack::tcp {

void ReceiveQueue::push(Packet payload) {
  DCHECK(!payload.empty());
  size_ += payload.size();
  packets_.push_back(std::move(payload));
}

void ReceiveQueue::consume_front(std::size_t count) {
  Packet& front = packets_.front();
  size_ -= count;
  if (count == front.size())
    packets_.pop_front();
  else
    front.pull(count);
}

std::size_t ReceiveQueue::read(MutableBytes into) {
  std::size_t copied = 0;
  while (copied < into.size() && !packets_.empty()) {
    const std::size_t count = packets_.front().copy_out(0, into.subspan(copied));
    consume_front(count);
    copied += count;
  }
  return copied;
}

std::size_t ReceiveQueue::read_in_place(std::size_t limit, const std::function<bool(Bytes)>& visit) {
  std::size_t consumed = 0;
  bool go_on = true;
  while (go_on && consumed < limit && !packets_.empty()) {
    std::size_t shown = 0;
    packets_.front().for_each_range([&](Bytes range) {
      const std::size_t count = std::min(range.size(), limit - consumed - shown);
      if (!go_on || count == 0) return;
      go_on = visit(range.first(count));
      shown += count;
    });
    consume_front(shown);
    consumed += shown;
  }
  return consumed;
}

void ReceiveQueue::clear() {
  packets_.clear();
  size_ = 0;
}

}  // namespace stack::tcp
