#include "src/node/outside.hpp"

#include <sys/random.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "stack/base/assert.hpp"

namespace node {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

constexpr std::int64_t kHundredNanoseconds = 100;
constexpr std::uint64_t kUnixEpoch = 116'444'736'000'000'000;  // 1970-01-01 in units of 100 ns since 1601-01-01

}  // namespace

wfp::kernel::Instant MachineClock::now() const { return wfp::kernel::Instant{read_clock(CLOCK_MONOTONIC)}; }

std::uint64_t MachineClock::system_time() const {
  return kUnixEpoch + static_cast<std::uint64_t>(read_clock(CLOCK_REALTIME) / kHundredNanoseconds);
}

stack::Instant to_stack_time(wfp::kernel::Instant instant) { return stack::Instant::from_ns(instant.count()); }

std::uint64_t KernelRandom::next() {
  if (left_ == 0) {
    ssize_t got = 0;
    do {
      got = getrandom(buffer_.data(), sizeof buffer_, 0);
    } while (got < 0 && errno == EINTR);
    CHECK(got ==
          static_cast<ssize_t>(sizeof buffer_));  // up to 256 bytes never fail; 512 once the pool is initialised
    left_ = buffer_.size();
  }
  return std::exchange(buffer_[--left_], 0);
}

}  // namespace node
