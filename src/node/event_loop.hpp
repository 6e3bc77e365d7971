// What a processor's thread waits for, in one place: frames of its queue, a wake-up from another thread, readiness of
// other descriptors (the control socket), the stack's next deadline. Timers are not its business: it is told how long
// it may wait. Runs no stack and no driver; its owner does, with what run_once() returned.
//
// One thread, the first that calls run_once(), uses it; only wake() may be called from others. Descriptors stay their
// owners': unwatch() before closing one. On io_uring everything waits in the ring, else in epoll (tap/frame_io.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "stack/base/time.hpp"
#include "tap/frame_io.hpp"

namespace node {

class EventLoop {
 public:
  // `events`: of poll(2), those that hold. It may watch and unwatch, itself included, but not call run_once().
  using Callback = std::function<void(short events)>;

  explicit EventLoop(std::unique_ptr<tap::FrameIo> frames);
  // Without a device when options.fd is -1.
  static tap::Result<std::unique_ptr<EventLoop>> create(const tap::FrameIoOptions& options);

  // Post receive buffers, submit and flush frames here; poll() is run_once()'s.
  tap::FrameIo& frames() { return *frames_; }

  // Calls back from run_once() while one of `events` (POLLIN, POLLOUT) holds. At most tap::kMaxWatches descriptors.
  tap::Error watch(int fd, short events, Callback callback);
  void unwatch(int fd);

  // One round: sends what was submitted, takes what has arrived, and if nothing is there waits until something is or
  // the time is over (0 or less: does not wait). Then the callbacks. The frames are returned, valid until the next
  // round.
  const tap::Completions& run_once(stack::Duration until_next_deadline);

  // Makes run_once() return, now or the next time. Any thread.
  void wake() noexcept { frames_->wake(); }

 private:
  struct Watch {
    int fd;
    std::uint64_t token;
    std::shared_ptr<Callback> callback;  // shared: it may unwatch itself while it runs
  };
  void dispatch(const tap::Ready& ready);

  std::unique_ptr<tap::FrameIo> frames_;
  std::vector<Watch> watches_;
  std::uint64_t next_token_ = 1;  // never reused, so that a late event finds nobody
};

}  // namespace node
