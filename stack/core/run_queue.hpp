// Tasks for the stack's thread, from any thread, in order. The queue itself is not bounded: those who post are, by
// their own tables, and a task that is lost would be an operation that never completes. A drain is bounded.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "stack/base/executor.hpp"

namespace stack::core {

class RunQueue final : public Executor {
 public:
  // `wake` makes the owner's thread call Stack::poll soon; called on any thread, without a lock held, when the queue
  // has just become non-empty. May be empty for a stack that is polled anyway.
  explicit RunQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  void post(std::function<void()> task) override;  // [any thread]
  bool is_own_thread() const override;             // [any thread]
  bool empty() const;                              // [any thread]

  void set_own_thread();                 // the calling thread runs the stack from now on
  std::size_t drain(std::size_t limit);  // tasks that were run; those they post are run, too, within the limit

 private:
  mutable std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;  // guarded by mutex_
  std::thread::id owner_;                    // likewise
  std::function<void()> wake_;
};

}  // namespace stack::core
