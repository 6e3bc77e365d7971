// The program's own thread while the stack runs: it loads and unloads drivers and changes filters, which may take
// time, and waits for descriptors. Others hand it tasks; run() is called by one thread.
#pragma once

#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>

#include "tap/file_descriptor.hpp"

namespace app {

class MainLoop {
 public:
  static constexpr std::size_t kMaxTasks = 256;

  MainLoop();

  // Calls `ready` when the descriptor is readable or hung up. One descriptor; before run().
  void watch(int fd, std::function<void()> ready);
  void run();  // until end()
  void end();  // any thread; tasks that have not run are dropped

  // Any thread. False: too many wait, or the loop has ended.
  bool post(std::function<void()> task);
  // Runs it there and waits for the result; empty when it did not run. Not on the loop's thread.
  template <typename F>
  auto call(F f) -> std::optional<std::invoke_result_t<F>> {
    using R = std::invoke_result_t<F>;
    auto task = std::make_shared<std::packaged_task<R()>>(std::move(f));
    auto result = task->get_future();
    if (!post([task] { (*task)(); })) return std::nullopt;
    task.reset();
    try {
      return result.get();
    } catch (const std::future_error&) {  // the loop ended first
      return std::nullopt;
    }
  }

 private:
  void wake();
  void run_tasks();

  tap::FileDescriptor wake_;
  int watched_ = -1;
  std::function<void()> ready_;
  std::mutex mutex_;  // guards the rest
  std::deque<std::function<void()>> tasks_;
  bool ended_ = false;
};

}  // namespace app
