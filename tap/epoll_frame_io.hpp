// FrameIo by readv, writev and epoll: one system call a frame. Where io_uring is denied. Private to tap/.
#pragma once

#include <sys/epoll.h>

#include "tap/file_descriptor.hpp"
#include "tap/frame_io_base.hpp"

namespace tap {

class EpollFrameIo final : public FrameIoBase {
 public:
  static Result<std::unique_ptr<FrameIo>> make(const FrameIoOptions& options, const std::string& why_not_uring);

  std::string_view engine() const override { return engine_; }

 private:
  using FrameIoBase::FrameIoBase;
  Error open();
  Error control(int operation, int fd, std::uint32_t events, std::uint64_t data);

  void exchange(bool receive) override;
  void look() override {}
  void block(std::chrono::nanoseconds max_wait, bool for_frames) override;
  Error add_watch(std::size_t slot) override;
  void remove_watch(std::size_t slot) override;

  void gather(std::chrono::nanoseconds max_wait);
  int wait(std::span<epoll_event> events, std::chrono::nanoseconds max_wait);

  std::string engine_ = "epoll";
  FileDescriptor epoll_;
  bool has_nanosecond_wait_ = true;  // epoll_pwait2, Linux 5.11
  std::size_t rounds_since_look_ = 0;
};

}  // namespace tap
