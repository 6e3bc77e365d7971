#include "src/node/event_loop.hpp"

#include <algorithm>
#include <utility>

namespace node {

EventLoop::EventLoop(std::unique_ptr<tap::FrameIo> frames) : frames_(std::move(frames)) {}

tap::Result<std::unique_ptr<EventLoop>> EventLoop::create(const tap::FrameIoOptions& options) {
  auto frames = tap::make_frame_io(options);
  if (!frames) return frames.error();
  return std::make_unique<EventLoop>(std::move(*frames));
}

tap::Error EventLoop::watch(int fd, short events, Callback callback) {
  const std::uint64_t token = next_token_;
  if (tap::Error error = frames_->watch(fd, events, token)) return error;
  ++next_token_;
  watches_.push_back({fd, token, std::make_shared<Callback>(std::move(callback))});
  return {};
}

void EventLoop::unwatch(int fd) {
  frames_->unwatch(fd);
  std::erase_if(watches_, [fd](const Watch& watch) { return watch.fd == fd; });
}

const tap::Completions& EventLoop::run_once(stack::Duration until_next_deadline) {
  const tap::Completions& done = frames_->poll(std::max(until_next_deadline, stack::Duration{0}));
  for (const tap::Ready& ready : done.ready) dispatch(ready);
  return done;
}

void EventLoop::dispatch(const tap::Ready& ready) {
  const auto mine = [&ready](const Watch& watch) { return watch.token == ready.token; };
  const auto found = std::find_if(watches_.begin(), watches_.end(), mine);
  if (found == watches_.end()) return;  // a callback before it in this round has unwatched it
  const auto callback = found->callback;
  (*callback)(ready.events);
}

}  // namespace node
