// What both kinds of FrameIo share: the posted buffers, the batch of frames to transmit, the completions, the order
// of one poll(). Private to tap/.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "tap/frame_io.hpp"
#include "tap/waker.hpp"

namespace tap {

class FrameIoBase : public FrameIo {
 public:
  explicit FrameIoBase(const FrameIoOptions& options);

  bool post(const ReceiveBuffer& buffer) final;
  ReceiveBuffer take_back_buffer() final;
  std::size_t posted_count() const final { return posted_.size(); }
  bool submit(std::span<const iovec> ranges, const VnetHeader& header, void* cookie) final;
  std::span<const Transmitted> flush() final;
  const Completions& poll(std::chrono::nanoseconds max_wait) final;
  void wake() noexcept final { waker_.wake(); }
  Error watch(int fd, short events, std::uint64_t token) final;
  void unwatch(int fd) final;
  const FrameIoStats& stats() const final { return stats_; }

 protected:
  struct Watch {
    int fd = -1;  // -1: the slot is free
    short events = 0;
    std::uint64_t token = 0;
    std::uint32_t generation = 0;  // of the slot; tells a late event of its previous use
    bool armed = false;
  };
  // One frame of the batch: its ranges in iovecs_, the virtio-net header first.
  struct Pending {
    std::size_t first_iovec = 0;
    std::size_t iovec_count = 0;
    std::size_t length = 0;  // with the virtio-net header
    void* cookie = nullptr;
  };
  using HeaderBytes = std::array<std::byte, kVnetHeaderSize>;

  // Transmits the batch and reads frames, as many as want() says, without waiting.
  virtual void exchange(bool receive) = 0;
  // Looks, without waiting and at next to no cost, whether waiting is pointless; called while spinning.
  virtual void look() = 0;
  // Waits for a frame (if `for_frames`), a watch or the eventfd.
  virtual void block(std::chrono::nanoseconds max_wait, bool for_frames) = 0;
  virtual Error add_watch(std::size_t slot) = 0;
  virtual void remove_watch(std::size_t slot) = 0;

  int fd() const { return options_.fd; }
  bool can_receive() const { return fd() >= 0 && device_error_ == 0; }
  // How many reads the next round tries: doubles while all of them find a frame, halves when fewer than half do. At 1
  // the read is a plain system call, and one lucky one is no reason to change that.
  std::size_t want() const;
  void adapt(std::size_t asked, std::size_t got);

  const std::vector<Pending>& batch() const { return batch_; }
  iovec* iovecs_of(const Pending& frame) { return iovecs_.data() + frame.first_iovec; }
  void batch_done();
  void complete_transmit(const Pending& frame, std::ptrdiff_t result);  // bytes, or a negative errno

  ReceiveBuffer take_posted();
  void return_posted(const ReceiveBuffer& buffer) { posted_.push_back(buffer); }
  // `result` of a read: bytes or a negative errno. True: a frame came. The buffer is delivered or posted again.
  bool complete_receive(const ReceiveBuffer& buffer, const HeaderBytes& header, std::ptrdiff_t result);
  // One non-blocking read by a plain system call.
  bool read_one();
  void write_one(const Pending& frame);

  void report_ready(std::size_t slot, short events);

  FrameIoOptions options_;
  Waker waker_;
  FrameIoStats stats_;
  std::array<Watch, kMaxWatches> watches_{};

 private:
  bool has_news() const;
  void spin(std::chrono::nanoseconds max_wait);
  std::span<const Transmitted> report_transmitted();
  bool make_room(std::size_t iovec_count);

  std::vector<ReceiveBuffer> posted_;
  std::vector<Pending> batch_;
  std::vector<iovec> iovecs_;
  std::array<HeaderBytes, kMaxBatch> transmit_headers_{};

  std::vector<Received> received_;
  std::vector<Transmitted> transmitted_;           // not reported yet
  std::vector<Transmitted> reported_transmitted_;  // handed out by the last report
  std::vector<Ready> ready_;
  Completions completions_;
  int device_error_ = 0;
  std::size_t want_ = 1;
  bool lucky_ = false;
  // The last round that brought frames is not a sleep ago: the next may come soon. A round that did not sleep because
  // there was something else to do (a wake-up, a deadline that is due) says nothing about frames.
  bool active_ = false;
};

}  // namespace tap
