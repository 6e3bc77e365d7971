#include "tap/frame_io_base.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace tap {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::size_t kIovecArena = 4 * (kMaxTransmitSegments + 1);
constexpr std::size_t kFirstBatch = 4;  // reads, after plain system calls have found two frames in a row

TransmitResult to_transmit_result(int code) {
  switch (code) {
    case EAGAIN:
      return TransmitResult::WouldBlock;
    case ENOBUFS:
    case ENOMEM:
      return TransmitResult::NoBuffers;
    case EIO:
    case ENETDOWN:
      return TransmitResult::LinkDown;
    case EINVAL:
    case EMSGSIZE:
      return TransmitResult::BadFrame;
    case EBADFD:
    case EBADF:
    case ENODEV:
    case EPIPE:
      return TransmitResult::DeviceGone;
    default:
      return TransmitResult::Failed;
  }
}

}  // namespace

std::string_view describe(TransmitResult result) {
  switch (result) {
    case TransmitResult::Sent:
      return "sent";
    case TransmitResult::WouldBlock:
      return "device queue full";
    case TransmitResult::NoBuffers:
      return "kernel out of memory";
    case TransmitResult::LinkDown:
      return "link down";
    case TransmitResult::BadFrame:
      return "malformed frame";
    case TransmitResult::DeviceGone:
      return "device gone";
    case TransmitResult::Failed:
      return "failed";
  }
  return "unknown";
}

FrameIoBase::FrameIoBase(const FrameIoOptions& options) : options_(options) {
  options_.batch = std::clamp<std::size_t>(options_.batch, 1, kMaxBatch);
  posted_.reserve(kMaxReceiveBuffers);
  batch_.reserve(kMaxBatch);
  iovecs_.reserve(kIovecArena);
  received_.reserve(kMaxBatch);
  transmitted_.reserve(kMaxTransmitInFlight);
  reported_transmitted_.reserve(kMaxTransmitInFlight);
  ready_.reserve(kMaxWatches);
}

// --- receive -----------------------------------------------------------------------------------------------------

bool FrameIoBase::post(const ReceiveBuffer& buffer) {
  if (posted_.size() == kMaxReceiveBuffers || buffer.data == nullptr || buffer.capacity == 0) return false;
  posted_.push_back(buffer);
  return true;
}

ReceiveBuffer FrameIoBase::take_back_buffer() { return posted_.empty() ? ReceiveBuffer{} : take_posted(); }

ReceiveBuffer FrameIoBase::take_posted() {
  const ReceiveBuffer buffer = posted_.back();
  posted_.pop_back();
  return buffer;
}

std::size_t FrameIoBase::want() const { return can_receive() ? std::min(want_, posted_.size()) : 0; }

void FrameIoBase::adapt(std::size_t asked, std::size_t got) {
  if (asked < want_) ++stats_.receive_starved;
  if (asked == 0) return;
  if (asked == 1 && want_ == 1) {
    if (got == 1 && lucky_) want_ = std::min(kFirstBatch, options_.batch);
    lucky_ = got == 1 && !lucky_;
  } else if (got == asked) {
    want_ = std::min(want_ * 2, options_.batch);
  } else if (got * 2 < asked) {
    want_ = std::max<std::size_t>(want_ / 2, 1);
  }
}

bool FrameIoBase::complete_receive(const ReceiveBuffer& buffer, const HeaderBytes& header, std::ptrdiff_t result) {
  if (result <= 0) {
    return_posted(buffer);
    const int code = static_cast<int>(-result);
    if (result == 0) device_error_ = EPIPE;  // the end of file; no device says that, a socket in a test does
    if (code != 0 && code != EAGAIN && code != EINTR) device_error_ = code;
    return false;
  }
  Received received{.buffer = buffer};
  const auto size = static_cast<std::size_t>(result);
  if (size < options_.vnet_header_size) {
    received.fault = VnetHeaderFault::Truncated;
  } else {
    received.length = size - options_.vnet_header_size;
    received.fault = decode(std::span{header}.first(options_.vnet_header_size), received.length, received.header);
  }
  // The device cuts a frame silently, so that one which fills its buffer must be taken for a cut one.
  if (received.length >= buffer.capacity) {
    received.status = ReceiveStatus::Truncated;
    ++stats_.receive_truncated;
  } else if (received.fault != VnetHeaderFault::None) {
    received.status = ReceiveStatus::BadVnetHeader;
    ++stats_.receive_bad_header;
  }
  ++stats_.frames_received;
  stats_.bytes_received += received.length;
  received_.push_back(received);
  return true;
}

bool FrameIoBase::read_one() {
  const ReceiveBuffer buffer = take_posted();
  HeaderBytes header;
  const std::array<iovec, 2> ranges{iovec{header.data(), options_.vnet_header_size},
                                    iovec{buffer.data, buffer.capacity}};
  ++stats_.system_calls;
  const ssize_t result = ::readv(fd(), ranges.data(), static_cast<int>(ranges.size()));
  return complete_receive(buffer, header, result < 0 ? -errno : result);
}

// --- transmit ----------------------------------------------------------------------------------------------------

bool FrameIoBase::make_room(std::size_t iovec_count) {
  if (fd() < 0 || batch_.size() + transmitted_.size() >= kMaxTransmitInFlight) return false;
  if (batch_.size() == options_.batch || iovecs_.size() + iovec_count > kIovecArena) exchange(false);
  return batch_.size() < options_.batch;
}

bool FrameIoBase::submit(std::span<const iovec> ranges, const VnetHeader& header, void* cookie) {
  if (!make_room(ranges.size() + 1)) {
    ++stats_.transmit_refused;
    return false;
  }
  std::size_t length = 0;
  for (const iovec& range : ranges) length += range.iov_len;
  if (ranges.size() > kMaxTransmitSegments || length == 0 || check(header, length) != VnetHeaderFault::None) {
    if (!batch_.empty()) exchange(false);  // reports come in the order of the frames
    ++stats_.transmit_failed;
    transmitted_.push_back({cookie, TransmitResult::BadFrame});
    return true;
  }
  HeaderBytes& bytes = transmit_headers_[batch_.size()];
  encode(header, std::span{bytes}.first(options_.vnet_header_size));
  batch_.push_back({iovecs_.size(), ranges.size() + 1, length + options_.vnet_header_size, cookie});
  iovecs_.push_back({bytes.data(), options_.vnet_header_size});
  iovecs_.insert(iovecs_.end(), ranges.begin(), ranges.end());
  return true;
}

void FrameIoBase::write_one(const Pending& frame) {
  ++stats_.system_calls;
  const ssize_t result = ::writev(fd(), iovecs_of(frame), static_cast<int>(frame.iovec_count));
  complete_transmit(frame, result < 0 ? -errno : result);
}

void FrameIoBase::complete_transmit(const Pending& frame, std::ptrdiff_t result) {
  auto outcome = TransmitResult::Sent;
  if (result < 0)
    outcome = to_transmit_result(static_cast<int>(-result));
  else if (static_cast<std::size_t>(result) != frame.length)
    outcome = TransmitResult::Failed;
  if (outcome == TransmitResult::Sent) {
    ++stats_.frames_sent;
    stats_.bytes_sent += frame.length - options_.vnet_header_size;
  } else {
    ++stats_.transmit_failed;
  }
  transmitted_.push_back({frame.cookie, outcome});
}

void FrameIoBase::batch_done() {
  batch_.clear();
  iovecs_.clear();
}

std::span<const Transmitted> FrameIoBase::report_transmitted() {
  reported_transmitted_.clear();
  reported_transmitted_.swap(transmitted_);
  return reported_transmitted_;
}

std::span<const Transmitted> FrameIoBase::flush() {
  if (!batch_.empty()) exchange(false);
  return report_transmitted();
}

// --- waiting -----------------------------------------------------------------------------------------------------

bool FrameIoBase::has_news() const {
  return !received_.empty() || !transmitted_.empty() || !ready_.empty() || waker_.is_pending() ||
         device_error_ != completions_.device_error;
}

const Completions& FrameIoBase::poll(nanoseconds max_wait) {
  received_.clear();
  ready_.clear();
  exchange(true);
  bool has_slept = false;
  if (!has_news() && max_wait <= nanoseconds{0}) {
    block(nanoseconds{0}, false);  // the watched descriptors deserve a look
  } else if (!has_news()) {
    if (active_) spin(max_wait);
    if (!has_news() && waker_.begin_sleep()) {
      ++stats_.blocked;
      has_slept = true;
      block(max_wait, can_receive() && !posted_.empty());
      waker_.end_sleep();
      exchange(true);
    }
  }
  active_ = !received_.empty() || (active_ && !has_slept);
  completions_.received = received_;
  completions_.transmitted = report_transmitted();
  completions_.ready = ready_;
  completions_.woken = waker_.take();
  completions_.device_error = device_error_;
  return completions_;
}

void FrameIoBase::spin(nanoseconds max_wait) {
  const auto deadline = steady_clock::now() + std::min<nanoseconds>(options_.spin, max_wait);
  while (!has_news() && steady_clock::now() < deadline) {
    look();
    if (want() > 0) read_one();
  }
}

Error FrameIoBase::watch(int fd, short events, std::uint64_t token) {
  const auto named = [fd](const Watch& watch) { return watch.fd == fd; };
  if (fd < 0 || std::any_of(watches_.begin(), watches_.end(), named))
    return make_error(EEXIST, "watching descriptor " + std::to_string(fd), "it is not open, or watched already");
  for (std::size_t slot = 0; slot < watches_.size(); ++slot) {
    Watch& watch = watches_[slot];
    if (watch.fd >= 0) continue;
    watch = {fd, events, token, watch.generation + 1, false};
    if (Error error = add_watch(slot)) {
      watch.fd = -1;
      return error;
    }
    return {};
  }
  return make_error(ENOSPC, "watching descriptor " + std::to_string(fd), "too many are watched");
}

void FrameIoBase::unwatch(int fd) {
  for (std::size_t slot = 0; fd >= 0 && slot < watches_.size(); ++slot) {
    if (watches_[slot].fd != fd) continue;
    remove_watch(slot);
    watches_[slot].fd = -1;
  }
}

void FrameIoBase::report_ready(std::size_t slot, short events) {
  const auto same = [token = watches_[slot].token](const Ready& ready) { return ready.token == token; };
  if (const auto seen = std::find_if(ready_.begin(), ready_.end(), same); seen != ready_.end())
    seen->events = events;
  else
    ready_.push_back({watches_[slot].token, events});
}

}  // namespace tap
