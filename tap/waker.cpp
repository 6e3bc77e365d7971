#include "tap/waker.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace tap {

Error Waker::open() {
  fd_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  return fd_ ? Error{} : make_error(errno, "making the eventfd for wake-ups");
}

void Waker::wake() noexcept {
  if (pending_.exchange(true)) return;
  if (!sleeping_.load()) return;
  const std::uint64_t one = 1;
  // Cannot fail but by a full counter, which is readable, too.
  [[maybe_unused]] const ssize_t written = ::write(fd_.get(), &one, sizeof one);
}

bool Waker::begin_sleep() noexcept {
  sleeping_.store(true);
  if (!pending_.load()) return true;
  sleeping_.store(false);
  return false;
}

void Waker::drain() noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(fd_.get(), &count, sizeof count);
}

}  // namespace tap
