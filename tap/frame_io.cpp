#include "tap/frame_io.hpp"

#include <fcntl.h>

#include <cerrno>

#include "tap/epoll_frame_io.hpp"
#include "tap/uring_frame_io.hpp"

namespace tap {

Result<std::unique_ptr<FrameIo>> make_frame_io(const FrameIoOptions& options) {
  if (options.vnet_header_size != kVnetHeaderSizeShort && options.vnet_header_size != kVnetHeaderSize)
    return make_error(EINVAL, "virtio-net header of " + std::to_string(options.vnet_header_size) + " bytes");
  if (options.fd >= 0) {
    const int flags = ::fcntl(options.fd, F_GETFL);
    if (flags < 0) return make_error(errno, "using descriptor " + std::to_string(options.fd));
    if ((flags & O_NONBLOCK) == 0)
      return make_error(EINVAL, "using descriptor " + std::to_string(options.fd), "it must be non-blocking");
  }
  std::string why_not;
  if (options.use_io_uring) {
    auto made = UringFrameIo::make(options);
    if (made || made.error().code != EOPNOTSUPP) return made;  // that code: denied, or the kernel is too old
    why_not = made.error().what;
  }
  return EpollFrameIo::make(options, why_not);
}

}  // namespace tap
