#include "src/app/daemon/main_loop.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "stack/base/assert.hpp"

namespace app {

MainLoop::MainLoop() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(wake_.get() >= 0); }

void MainLoop::watch(int fd, std::function<void()> ready) {
  watched_ = fd;
  ready_ = std::move(ready);
}

bool MainLoop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || tasks_.size() >= kMaxTasks) return false;
    tasks_.push_back(std::move(task));
  }
  wake();
  return true;
}

void MainLoop::end() {
  std::deque<std::function<void()>> dropped;  // destroyed without the lock: their callers wake up
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    dropped.swap(tasks_);
  }
  wake();
}

void MainLoop::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);  // a full counter wakes just as well
}

void MainLoop::run() {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
    }
    std::array<pollfd, 2> waiting{pollfd{wake_.get(), POLLIN, 0}, pollfd{watched_, POLLIN, 0}};
    if (poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
      run_tasks();
    }
    if (waiting[1].revents != 0) ready_();
  }
}

void MainLoop::run_tasks() {
  for (;;) {
    std::function<void()> task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace app
