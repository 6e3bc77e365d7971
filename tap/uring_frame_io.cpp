#include "tap/uring_frame_io.hpp"

#include <poll.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>

#include "tap/uring_setup.hpp"

namespace tap {
namespace {

using std::chrono::nanoseconds;

constexpr int kMaxAttempts = 1000;  // of one batch, while the kernel says "not now"

// What a completion belongs to: the kind in the top byte, then a slot, and for watches its generation.
enum class Kind : std::uint8_t { Ignore, Read, Write, Device, Waker, Watch };

constexpr std::uint64_t user_data_for(Kind kind, std::size_t slot = 0, std::uint32_t generation = 0) {
  return static_cast<std::uint64_t>(kind) << 56 | static_cast<std::uint64_t>(slot) << 32 | generation;
}
constexpr Kind kind_of(std::uint64_t user_data) { return static_cast<Kind>(user_data >> 56); }
constexpr std::size_t slot_of(std::uint64_t user_data) { return user_data >> 32 & 0xff; }
static_assert(kMaxBatch <= 0x100 && kMaxWatches <= 0x100);

// All of a batch, all watches, and a few more.
static_assert(kUringEntries >= 2 * kMaxBatch + kMaxWatches + 2);

// Whether the device takes a read that must not wait, which is what batches are made of; before Linux 6.4 a TUN does
// not. Asked once, before a buffer is posted: a frame that waits already is lost.
bool takes_nowait(int fd) {
  std::byte nowhere{};
  const iovec range{&nowhere, sizeof nowhere};
  return ::preadv2(fd, &range, 1, -1, RWF_NOWAIT) >= 0 || errno != EOPNOTSUPP;
}

bool is_passing(int code) { return code == -EINTR || code == -EAGAIN || code == -EBUSY; }

}  // namespace

Result<std::unique_ptr<FrameIo>> UringFrameIo::make(const FrameIoOptions& options) {
  std::unique_ptr<UringFrameIo> made{new UringFrameIo(options)};
  if (Error error = made->open()) return error;
  return std::unique_ptr<FrameIo>{std::move(made)};
}

Error UringFrameIo::open() {
  if (Error error = waker_.open()) return error;
  if (fd() >= 0 && !takes_nowait(fd())) return {EOPNOTSUPP, "the device has no use for io_uring before Linux 6.4"};
  const UringProbe probe = set_up_uring(ring_);
  if (!probe.available) return {EOPNOTSUPP, probe.why};
  is_open_ = true;
  engine_ = "io_uring (" + probe.why + ")";
  return {};
}

UringFrameIo::~UringFrameIo() {
  if (!is_open_) return;
  // The ring's end is asynchronous: what it polls must be let go now, or the device outlives us for a moment.
  if (is_enabled_ && device_armed_) disarm(user_data_for(Kind::Device));
  io_uring_queue_exit(&ring_);
}

bool UringFrameIo::ensure_enabled() {
  if (!is_enabled_ && !is_broken_) {
    // Debian 12's liburing declares io_uring_enable_rings() and leaves it out of the library.
    is_enabled_ =
        io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0) == 0;
    is_broken_ = !is_enabled_;
  }
  return !is_broken_;
}

// --- frames ------------------------------------------------------------------------------------------------------

void UringFrameIo::exchange(bool receive) {
  const std::size_t reads = receive ? want() : 0;
  const std::size_t writes = batch().size();
  if (receive && ensure_enabled()) arm_watches();
  if ((reads <= 1 && writes <= 1) || !ensure_enabled()) {
    for (const Pending& frame : batch()) write_one(frame);
    batch_done();
    const std::size_t got = reads > 0 && read_one() ? 1 : 0;
    if (receive && can_receive()) adapt(std::min<std::size_t>(reads, 1), got);
    look();
    return;
  }
  prepare_writes();
  prepare_reads(reads);
  outstanding_ = writes + reads;
  run_batch();
  finish_writes();
  const std::size_t got = finish_reads(reads);
  if (receive && can_receive()) adapt(reads, got);
}

void UringFrameIo::prepare_writes() {
  for (std::size_t i = 0; i < batch().size(); ++i) {
    const Pending& frame = batch()[i];
    io_uring_sqe* sqe = take_sqe();
    io_uring_prep_writev(sqe, fd(), iovecs_of(frame), static_cast<unsigned>(frame.iovec_count), 0);
    sqe->rw_flags = RWF_NOWAIT;
    sqe->user_data = user_data_for(Kind::Write, i);
    write_results_[i] = -EIO;
  }
}

void UringFrameIo::prepare_reads(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    ReadSlot& slot = reads_[i];
    slot.buffer = take_posted();
    slot.ranges = {iovec{slot.header.data(), options_.vnet_header_size},
                   iovec{slot.buffer.data, slot.buffer.capacity}};
    slot.result = -EIO;
    io_uring_sqe* sqe = take_sqe();
    io_uring_prep_readv(sqe, fd(), slot.ranges.data(), static_cast<unsigned>(slot.ranges.size()), 0);
    sqe->rw_flags = RWF_NOWAIT;
    sqe->user_data = user_data_for(Kind::Read, i);
  }
}

// A failure for good leaves the results at EIO, which ends reception: whoever runs this FrameIo then shuts down.
void UringFrameIo::run_batch() {
  for (int attempt = 0; outstanding_ > 0 && attempt < kMaxAttempts; ++attempt) {
    ++stats_.system_calls;
    const int code = io_uring_submit_and_wait(&ring_, static_cast<unsigned>(outstanding_));
    reap();
    if (code < 0 && !is_passing(code)) break;
    if (code < 0) ::sched_yield();
  }
  is_broken_ = outstanding_ > 0;
}

void UringFrameIo::finish_writes() {
  for (std::size_t i = 0; i < batch().size(); ++i) complete_transmit(batch()[i], write_results_[i]);
  batch_done();
}

std::size_t UringFrameIo::finish_reads(std::size_t count) {
  std::size_t got = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (complete_receive(reads_[i].buffer, reads_[i].header, reads_[i].result)) ++got;
  return got;
}

// --- waiting -----------------------------------------------------------------------------------------------------

// The ring has room for a batch and every watch at once, so that only a kernel that refuses to take them can fill it.
io_uring_sqe* UringFrameIo::take_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  for (int attempt = 0; sqe == nullptr && attempt < kMaxAttempts; ++attempt) {
    submit_and_look();
    sqe = io_uring_get_sqe(&ring_);
  }
  return sqe != nullptr ? sqe : discarded_.get();
}

void UringFrameIo::arm(int fd, short events, std::uint64_t user_data) {
  io_uring_sqe* sqe = take_sqe();
  io_uring_prep_poll_add(sqe, fd, static_cast<unsigned>(events));
  sqe->user_data = user_data;
}

void UringFrameIo::disarm(std::uint64_t user_data) {
  io_uring_sqe* sqe = take_sqe();
  io_uring_prep_poll_remove(sqe, user_data);
  sqe->user_data = user_data_for(Kind::Ignore);
  submit_and_look();
}

void UringFrameIo::arm_watches() {
  if (!some_watch_unarmed_) return;
  some_watch_unarmed_ = false;
  for (std::size_t slot = 0; slot < watches_.size(); ++slot) {
    Watch& watch = watches_[slot];
    if (watch.fd < 0 || watch.armed) continue;
    watch.armed = true;
    arm(watch.fd, watch.events, user_data_for(Kind::Watch, slot, watch.generation));
  }
}

Error UringFrameIo::add_watch(std::size_t /*slot*/) {
  some_watch_unarmed_ = true;  // by the thread that polls, see ensure_enabled()
  return {};
}

void UringFrameIo::remove_watch(std::size_t slot) {
  Watch& watch = watches_[slot];
  if (!std::exchange(watch.armed, false)) return;
  if (ensure_enabled()) disarm(user_data_for(Kind::Watch, slot, watch.generation));
}

bool UringFrameIo::has_task_work() const {
  const unsigned flags = __atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED);
  return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

void UringFrameIo::look() {
  if (is_broken_) return;
  if (io_uring_sq_ready(&ring_) > 0 || has_task_work()) {
    submit_and_look();
  } else if (io_uring_cq_ready(&ring_) > 0) {
    reap();
  }
}

void UringFrameIo::submit_and_look() {
  if (!ensure_enabled()) return;
  ++stats_.system_calls;
  io_uring_submit_and_get_events(&ring_);  // what it could not take stays in the queue
  reap();
}

void UringFrameIo::block_without_ring(nanoseconds max_wait) {
  constexpr nanoseconds kMost = std::chrono::milliseconds{10};  // nobody looks at the watches now
  pollfd waker{.fd = waker_.fd(), .events = POLLIN, .revents = 0};
  const auto limit = std::chrono::ceil<std::chrono::milliseconds>(std::min(max_wait, kMost));
  if (::poll(&waker, 1, static_cast<int>(limit.count())) > 0) waker_.drain();
}

void UringFrameIo::block(nanoseconds max_wait, bool for_frames) {
  if (!ensure_enabled()) return block_without_ring(max_wait);
  arm_watches();
  if (max_wait <= nanoseconds{0}) return submit_and_look();
  if (!std::exchange(waker_armed_, true)) arm(waker_.fd(), POLLIN, user_data_for(Kind::Waker));
  if (for_frames && !std::exchange(device_armed_, true)) arm(fd(), POLLIN, user_data_for(Kind::Device));
  constexpr nanoseconds::rep kPerSecond = 1'000'000'000;
  __kernel_timespec time{.tv_sec = max_wait.count() / kPerSecond, .tv_nsec = max_wait.count() % kPerSecond};
  io_uring_cqe* first = nullptr;
  ++stats_.system_calls;
  io_uring_submit_and_wait_timeout(&ring_, &first, 1, max_wait == kWaitForever ? nullptr : &time, nullptr);
  reap();
}

void UringFrameIo::reap() {
  io_uring_cqe* cqe = nullptr;
  unsigned head = 0;
  unsigned count = 0;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    ++count;
    on_completion(cqe->user_data, cqe->res);
  }
  io_uring_cq_advance(&ring_, count);
}

void UringFrameIo::on_completion(std::uint64_t user_data, int result) {
  const std::size_t slot = slot_of(user_data);
  switch (kind_of(user_data)) {
    case Kind::Ignore:
      return;
    case Kind::Read:
      reads_[slot].result = result;
      --outstanding_;
      return;
    case Kind::Write:
      write_results_[slot] = result;
      --outstanding_;
      return;
    case Kind::Device:
      device_armed_ = false;
      return;  // poll() reads anyway
    case Kind::Waker:
      waker_armed_ = false;
      waker_.drain();
      return;
    case Kind::Watch:
      return on_watch(user_data, result);
  }
}

void UringFrameIo::on_watch(std::uint64_t user_data, int result) {
  Watch& watch = watches_[slot_of(user_data)];
  const auto generation = static_cast<std::uint32_t>(user_data);
  if (watch.fd < 0 || watch.generation != generation) return;  // unwatched meanwhile
  watch.armed = false;
  some_watch_unarmed_ = true;
  report_ready(slot_of(user_data), result > 0 ? static_cast<short>(result) : static_cast<short>(POLLNVAL));
}

}  // namespace tap
