// A bounded queue. What does not fit is refused and stays with the caller, who counts it. Memory is taken as the
// queue grows, up to its limit, and kept. T is default-constructible and movable; a popped place is reset to T{}.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "stack/base/assert.hpp"

namespace stack {

template <typename T>
class Ring {
 public:
  explicit Ring(std::size_t limit) : limit_(limit) { CHECK(limit > 0); }

  std::size_t size() const { return size_; }
  std::size_t limit() const { return limit_; }
  bool empty() const { return size_ == 0; }
  bool is_full() const { return size_ == limit_; }

  // False: full; `value` is untouched.
  bool push(T&& value) {
    if (is_full()) return false;
    if (size_ == slots_.size()) grow();
    slots_[index(size_)] = std::move(value);
    ++size_;
    return true;
  }
  T pop() {
    CHECK(!empty());
    T value = std::exchange(slots_[first_], T{});
    first_ = index(1);
    --size_;
    return value;
  }
  T& front() {
    CHECK(!empty());
    return slots_[first_];
  }

 private:
  std::size_t index(std::size_t i) const {
    const std::size_t at = first_ + i;
    return at < slots_.size() ? at : at - slots_.size();
  }
  void grow() {
    std::vector<T> larger(std::min(limit_, std::max<std::size_t>(8, 2 * slots_.size())));
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move(slots_[index(i)]);
    slots_ = std::move(larger);
    first_ = 0;
  }
  std::size_t limit_;
  std::vector<T> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace stack
