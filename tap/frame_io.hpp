// Moves frames between one queue of a device and memory, and waits for whatever the thread waits for: frames, a
// wake-up from another thread, readiness of other descriptors, a deadline. One FrameIo belongs to one thread, the
// first one to call poll() or flush(); only wake() may be called from elsewhere. It may be made on another thread.
//
// Nothing is ever left in the kernel's hands between two calls: a receive buffer is either posted here or delivered,
// a transmitted frame's memory is needed until its completion has been reported, which flush() or poll() does. So it
// can be destroyed at any time.
//
// Two implementations pass the same tests: io_uring (many requests in one system call) and readv/writev with epoll.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "tap/error.hpp"
#include "tap/offload.hpp"

namespace tap {

// The largest frame: 65,535 bytes of IP behind an Ethernet header with a VLAN tag. A buffer that holds one more byte
// never sees a truncated frame.
inline constexpr std::size_t kMaxFrameSize = 65535 + 18;

inline constexpr std::size_t kMaxBatch = 32;               // requests in one system call
inline constexpr std::size_t kMaxReceiveBuffers = 64;      // posted at once; 8 to 32 of 64 KB measure best
inline constexpr std::size_t kMaxTransmitInFlight = 256;   // submitted and not yet reported
inline constexpr std::size_t kMaxTransmitSegments = 1000;  // memory ranges of one frame (the kernel's limit is 1024)
inline constexpr std::size_t kMaxWatches = 64;             // descriptors besides the device's

// Memory for one received frame. Posting lends it; the delivery, or take_back_buffer(), returns it.
struct ReceiveBuffer {
  std::byte* data = nullptr;
  std::size_t capacity = 0;
  void* cookie = nullptr;
};

enum class ReceiveStatus : std::uint8_t { Ok, Truncated, BadVnetHeader };

struct Received {
  ReceiveBuffer buffer;    // the frame starts at buffer.data
  std::size_t length = 0;  // of the frame, without the virtio-net header
  VnetHeader header{};     // of a frame that is Ok
  ReceiveStatus status = ReceiveStatus::Ok;
  VnetHeaderFault fault = VnetHeaderFault::None;
};

enum class TransmitResult : std::uint8_t {
  Sent,
  WouldBlock,  // the device's queue is full
  NoBuffers,   // the kernel is out of memory
  LinkDown,
  BadFrame,  // the kernel, or check() of the header, refused it
  DeviceGone,
  Failed,
};
std::string_view describe(TransmitResult result);

struct Transmitted {
  void* cookie = nullptr;
  TransmitResult result = TransmitResult::Sent;
};

// A watched descriptor is readable, writable, ... (`events` as in poll(2)).
struct Ready {
  std::uint64_t token = 0;
  short events = 0;
};

// What one poll() brought. The spans are valid until the next poll() or flush().
struct Completions {
  std::span<const Received> received;
  std::span<const Transmitted> transmitted;
  std::span<const Ready> ready;
  bool woken = false;
  // errno of the read that ended reception for good, such as EBADFD when the device was deleted.
  int device_error = 0;
};

struct FrameIoStats {
  std::uint64_t frames_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t receive_truncated = 0;
  std::uint64_t receive_bad_header = 0;
  std::uint64_t receive_starved = 0;   // rounds with fewer buffers posted than reads wanted
  std::uint64_t transmit_refused = 0;  // submit() returned false
  std::uint64_t transmit_failed = 0;   // completed with anything but Sent
  std::uint64_t system_calls = 0;
  std::uint64_t blocked = 0;  // waits in the kernel
};

struct FrameIoOptions {
  int fd = -1;  // the queue, non-blocking, not owned; -1: no device, only waiting
  std::size_t vnet_header_size = kVnetHeaderSize;
  std::size_t batch = kMaxBatch;  // 1 to kMaxBatch
  // How long to look for the next frame before blocking, and only while frames flow: about what a wake-up costs. Less
  // catches nothing and still burns the time.
  std::chrono::microseconds spin{20};
  bool use_io_uring = true;  // false: readv/writev and epoll, whatever the probe says
};

inline constexpr std::chrono::nanoseconds kWaitForever = std::chrono::nanoseconds::max();

class FrameIo {
 public:
  virtual ~FrameIo() = default;

  // For the log: "io_uring" with the flags in use, or "epoll", with the reason where io_uring was wanted and denied.
  virtual std::string_view engine() const = 0;

  // Lends a buffer; false: kMaxReceiveBuffers are posted already. The buffer posted last is filled first: it is warm.
  virtual bool post(const ReceiveBuffer& buffer) = 0;
  // Takes back one posted buffer, for shutting down; one with null data: there is none.
  virtual ReceiveBuffer take_back_buffer() = 0;
  virtual std::size_t posted_count() const = 0;

  // Queues one frame, gathered from `ranges`, which are copied; the memory they name is not. False: as many are in
  // flight as there may be, or there is no device; nothing was taken, the caller counts it.
  virtual bool submit(std::span<const iovec> ranges, const VnetHeader& header, void* cookie) = 0;
  // Hands everything queued to the kernel and reports what has completed since the last report.
  virtual std::span<const Transmitted> flush() = 0;

  // Flushes, receives, and if nothing has come spins, then waits up to `max_wait` (0: not at all). May come back
  // early with nothing.
  virtual const Completions& poll(std::chrono::nanoseconds max_wait) = 0;

  // Makes the current or the next poll() return with `woken`. Any thread; wake-ups before that poll() count as one.
  virtual void wake() noexcept = 0;

  // Reports `token` from poll() while one of `events` (POLLIN, POLLOUT) holds: level-triggered. One watch per
  // descriptor. unwatch() before closing it.
  virtual Error watch(int fd, short events, std::uint64_t token) = 0;
  virtual void unwatch(int fd) = 0;

  virtual const FrameIoStats& stats() const = 0;
};

// Whether this kernel, as configured, lets this process use io_uring as it is used here; if not, why not and what to
// do.
struct UringProbe {
  bool available = false;
  std::string why;  // when available: the set-up flags that the kernel took
};
UringProbe probe_io_uring();

// io_uring where the options and the probe allow it, else epoll.
Result<std::unique_ptr<FrameIo>> make_frame_io(const FrameIoOptions& options);

}  // namespace tap
