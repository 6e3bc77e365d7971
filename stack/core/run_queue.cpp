#include "stack/core/run_queue.hpp"

namespace stack::core {

void RunQueue::post(std::function<void()> task) {
  bool was_empty = false;
  {
    const std::lock_guard lock{mutex_};
    was_empty = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (was_empty && wake_) wake_();
}

bool RunQueue::is_own_thread() const {
  const std::lock_guard lock{mutex_};
  return owner_ == std::this_thread::get_id();
}

bool RunQueue::empty() const {
  const std::lock_guard lock{mutex_};
  return tasks_.empty();
}

void RunQueue::set_own_thread() {
  const std::lock_guard lock{mutex_};
  owner_ = std::this_thread::get_id();
}

std::size_t RunQueue::drain(std::size_t limit) {
  std::size_t count = 0;
  for (; count < limit; ++count) {
    std::function<void()> task;
    {
      const std::lock_guard lock{mutex_};
      if (tasks_.empty()) break;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  return count;
}

}  // namespace stack::core
