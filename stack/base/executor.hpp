// Post a task to the thread that runs a stack. post() is safe from any thread and wakes that thread; tasks run in
// order, after the packet in hand has been processed. Implemented by stack/core's run queue.
#pragma once

#include <functional>

namespace stack {

class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> task) = 0;
  virtual bool is_own_thread() const = 0;
};

}  // namespace stack
