#include "tap/epoll_frame_io.hpp"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tap {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kDeviceData = ~std::uint64_t{0};
constexpr std::uint64_t kWakerData = kDeviceData - 1;
constexpr int kEventsPerWait = 32;
// While frames keep coming nobody waits, so the watched descriptors are looked at every so many rounds.
constexpr std::size_t kRoundsPerLook = 16;

// The bits of poll(2) and epoll are the same on Linux; only the types differ.
static_assert(EPOLLIN == POLLIN && EPOLLOUT == POLLOUT && EPOLLERR == POLLERR && EPOLLHUP == POLLHUP);

timespec to_timespec(nanoseconds time) {
  constexpr nanoseconds::rep kPerSecond = 1'000'000'000;
  return {.tv_sec = time.count() / kPerSecond, .tv_nsec = time.count() % kPerSecond};
}

int to_milliseconds_up(nanoseconds time) {
  const auto count =
      std::chrono::ceil<std::chrono::milliseconds>(std::min<nanoseconds>(time, std::chrono::hours{24}));
  return static_cast<int>(count.count());
}

}  // namespace

Result<std::unique_ptr<FrameIo>> EpollFrameIo::make(const FrameIoOptions& options, const std::string& why_not_uring) {
  std::unique_ptr<EpollFrameIo> made{new EpollFrameIo(options)};
  if (Error error = made->open()) return error;
  if (!why_not_uring.empty()) made->engine_ += " (" + why_not_uring + ')';
  return std::unique_ptr<FrameIo>{std::move(made)};
}

Error EpollFrameIo::open() {
  if (Error error = waker_.open()) return error;
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) return make_error(errno, "making an epoll descriptor");
  if (Error error = control(EPOLL_CTL_ADD, waker_.fd(), EPOLLIN, kWakerData)) return error;
  if (fd() < 0) return {};
  // Edge-triggered: poll() always reads before it waits, and without a posted buffer nothing would clear a level.
  return control(EPOLL_CTL_ADD, fd(), EPOLLIN | EPOLLET, kDeviceData);
}

Error EpollFrameIo::control(int operation, int fd, std::uint32_t events, std::uint64_t data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  ++stats_.system_calls;
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) != 0)
    return make_error(errno, "watching descriptor " + std::to_string(fd));
  return {};
}

void EpollFrameIo::exchange(bool receive) {
  for (const Pending& frame : batch()) write_one(frame);
  batch_done();
  if (!receive) return;
  const std::size_t asked = want();
  std::size_t got = 0;
  while (got < asked && read_one()) ++got;
  if (can_receive()) adapt(asked, got);
  if (++rounds_since_look_ >= kRoundsPerLook) gather(nanoseconds{0});
}

Error EpollFrameIo::add_watch(std::size_t slot) {
  const Watch& watch = watches_[slot];
  return control(EPOLL_CTL_ADD, watch.fd, static_cast<std::uint32_t>(watch.events), slot);
}

void EpollFrameIo::remove_watch(std::size_t slot) {
  control(EPOLL_CTL_DEL, watches_[slot].fd, 0, 0);  // a failure says that it is gone already
}

void EpollFrameIo::block(nanoseconds max_wait, bool /*for_frames*/) { gather(max_wait); }

void EpollFrameIo::gather(nanoseconds max_wait) {
  rounds_since_look_ = 0;
  std::array<epoll_event, kEventsPerWait> events;
  const int count = wait(std::span{events}, max_wait);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == kDeviceData) continue;  // poll() reads anyway
    if (event.data.u64 == kWakerData) {
      waker_.drain();
      continue;
    }
    report_ready(static_cast<std::size_t>(event.data.u64), static_cast<short>(event.events));
  }
}

int EpollFrameIo::wait(std::span<epoll_event> events, nanoseconds max_wait) {
  const int room = static_cast<int>(events.size());
  ++stats_.system_calls;
  if (has_nanosecond_wait_) {
    const timespec time = to_timespec(max_wait);
    const timespec* limit = max_wait == kWaitForever ? nullptr : &time;
    const int count = ::epoll_pwait2(epoll_.get(), events.data(), room, limit, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    has_nanosecond_wait_ = false;
  }
  const int limit = max_wait == kWaitForever ? -1 : to_milliseconds_up(max_wait);
  return ::epoll_wait(epoll_.get(), events.data(), room, limit);
}

}  // namespace tap
