// FrameIo by io_uring: a batch of writes and reads in one system call, and a plain call where only one is due, which
// is cheaper. Every read and write is RWF_NOWAIT, hence complete when the call returns: a read that may wait would
// arm a poll each, and one frame would wake them all. Waiting is one-shot polls, armed just before: level-triggered,
// and without cost while frames flow. What a batch gains depends on what a system call costs on the machine at
// hand, and can be nothing; bench/tap/frame_cost compares. Private to tap/.
#pragma once

#include <liburing.h>

#include "tap/frame_io_base.hpp"

namespace tap {

class UringFrameIo final : public FrameIoBase {
 public:
  static Result<std::unique_ptr<FrameIo>> make(const FrameIoOptions& options);
  ~UringFrameIo() override;

  std::string_view engine() const override { return engine_; }

 private:
  struct ReadSlot {
    ReceiveBuffer buffer;
    HeaderBytes header;
    std::array<iovec, 2> ranges;
    int result = 0;
  };

  using FrameIoBase::FrameIoBase;
  Error open();
  bool ensure_enabled();
  void block_without_ring(std::chrono::nanoseconds max_wait);

  void exchange(bool receive) override;
  void look() override;
  void block(std::chrono::nanoseconds max_wait, bool for_frames) override;
  Error add_watch(std::size_t slot) override;
  void remove_watch(std::size_t slot) override;

  void prepare_writes();
  void prepare_reads(std::size_t count);
  void finish_writes();
  std::size_t finish_reads(std::size_t count);
  void run_batch();
  io_uring_sqe* take_sqe();
  void arm(int fd, short events, std::uint64_t user_data);
  void disarm(std::uint64_t user_data);
  void arm_watches();
  void submit_and_look();
  void reap();
  void on_completion(std::uint64_t user_data, int result);
  void on_watch(std::uint64_t user_data, int result);
  bool has_task_work() const;

  io_uring ring_{};
  bool is_open_ = false;
  bool is_broken_ = false;   // the kernel refuses to go on: plain calls only, and reception has ended
  bool is_enabled_ = false;  // it is the enabling thread's from then on
  std::string engine_;
  std::array<ReadSlot, kMaxBatch> reads_{};
  std::array<int, kMaxBatch> write_results_{};
  std::unique_ptr<io_uring_sqe> discarded_{new io_uring_sqe{}};  // for requests that a broken ring cannot take
  std::size_t outstanding_ = 0;                                  // reads and writes of the batch without a result
  bool device_armed_ = false;
  bool waker_armed_ = false;
  bool some_watch_unarmed_ = false;
};

}  // namespace tap
