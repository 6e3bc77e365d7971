// ceiling_peer DEVICE [SPIN_MICROSECONDS]: opens the TAP device and answers on it until it is killed. One thread reads and
// writes by plain calls, spins for a while when nothing comes, and then waits.
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "bench/ceiling/responder.hpp"
#include "tap/device.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kFrameBytes = 66 * 1024, kBatch = 32;
constexpr int kSilenceMilliseconds = 10;

void write_frame(int fd, const tap::VnetHeader& vnet, stack::Bytes headers, stack::Bytes payload) {
  std::array<std::byte, tap::kVnetHeaderSize> front;
  tap::encode(vnet, front);
  const auto part = [](stack::Bytes bytes) { return iovec{const_cast<std::byte*>(bytes.data()), bytes.size()}; };
  const std::array<iovec, 3> parts{part(front), part(headers), part(payload)};
  if (writev(fd, parts.data(), payload.empty() ? 2 : 3) < 0) std::perror("writev");
}

// True when anything came.
bool read_batch(int fd, std::vector<std::byte>& buffer, ceiling::Responder& responder) {
  std::size_t count = 0;
  for (; count < kBatch; ++count) {
    const auto got = read(fd, buffer.data(), buffer.size());
    if (got <= static_cast<ssize_t>(tap::kVnetHeaderSize)) break;
    responder.receive(stack::Bytes{buffer}.first(static_cast<std::size_t>(got)).subspan(tap::kVnetHeaderSize));
  }
  responder.end_of_batch();
  return count > 0;
}

[[noreturn]] void serve(int fd, std::chrono::microseconds spin) {
  const auto responder =
      std::make_unique<ceiling::Responder>([fd](const tap::VnetHeader& vnet, stack::Bytes headers,
                                                stack::Bytes payload) { write_frame(fd, vnet, headers, payload); });
  std::vector<std::byte> buffer(kFrameBytes);
  auto last = Clock::now();
  for (;;) {
    if (read_batch(fd, buffer, *responder)) {
      last = Clock::now();
    } else if (Clock::now() - last > spin) {
      pollfd wait{fd, POLLIN, 0};
      if (poll(&wait, 1, kSilenceMilliseconds) == 0) responder->on_silence();
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: ceiling_peer DEVICE [SPIN_MICROSECONDS]\n");
    return 2;
  }
  auto device = tap::Device::open({.name = arguments[1]});
  if (!device) {
    std::fprintf(stderr, "ceiling_peer: %s\n", device.error().what.c_str());
    return 2;
  }
  serve(device->queue_fd(0), std::chrono::microseconds{count > 2 ? std::atoi(arguments[2]) : 20});
}
