// Bytes in the order they came, taken off the front in pieces. Bounds nothing: room() says what `limit` leaves, and
// whoever appends looks first.
#pragma once

#include <vector>

#include "stack/base/bytes.hpp"

namespace app::control {

class ByteQueue {
 public:
  explicit ByteQueue(std::size_t limit) : limit_(limit) {}

  std::size_t size() const { return bytes_.size() - begin_; }
  bool is_empty() const { return size() == 0; }
  std::size_t room() const { return size() < limit_ ? limit_ - size() : 0; }
  stack::Bytes front() const { return stack::Bytes{bytes_}.subspan(begin_); }

  void append(stack::Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void drop(std::size_t count) {
    begin_ += count;
    if (begin_ < bytes_.size() / 2 && begin_ < limit_) return;  // moving the rest down would cost more than it frees
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }

 private:
  const std::size_t limit_;
  std::vector<std::byte> bytes_;
  std::size_t begin_ = 0;
};

}  // namespace app::control
