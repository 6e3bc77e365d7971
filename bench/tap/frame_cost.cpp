// What one frame costs this thread on a real device, in CPU nanoseconds, by engine, batch and size. Reported per
// frame as "Time"; "calls" is system calls per frame.
//   write: frames for another host's MAC, which the kernel drops early: copy, skb, netif_receive_skb.
//   read:  a packet socket fills the device's ring, then only the draining is timed.
// Everything happens in a network namespace that it makes, hence root. The machine's noise is larger than the
// differences between small frames: take medians (--benchmark_repetitions=5), compare ratios.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "tap/device.hpp"
#include "tap/frame_io.hpp"
#include "tap/netlink.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kHeaders = 54;
constexpr std::size_t kSuperFrame = 65226;
constexpr std::size_t kReceiveBuffers = 32;
constexpr std::size_t kBurst = 256;  // below the device's queue of 1000
constexpr std::size_t kCapacity = tap::kMaxFrameSize + 1;

double thread_cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "frame_cost: %s\n", why.c_str());
  std::exit(2);
}

// TCP from 10.78.0.7 to 10.78.0.9, whose Ethernet addresses are nobody's here.
std::vector<std::byte> make_frame(std::size_t length) {
  std::vector<std::byte> frame(length);
  const std::array<unsigned char, kHeaders> headers{2,
                                                    0xaa,
                                                    0,
                                                    0,
                                                    0,
                                                    9,
                                                    2,
                                                    0xbb,
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    8,
                                                    0,
                                                    0x45,
                                                    0,
                                                    static_cast<unsigned char>((length - 14) >> 8),
                                                    static_cast<unsigned char>((length - 14) & 0xff),
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    64,
                                                    6,
                                                    0,
                                                    0,
                                                    10,
                                                    78,
                                                    0,
                                                    7,
                                                    10,
                                                    78,
                                                    0,
                                                    9,
                                                    4,
                                                    0,
                                                    0x14,
                                                    0x51,
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    0,
                                                    0x50,
                                                    0x10};
  std::memcpy(frame.data(), headers.data(), headers.size());
  return frame;
}

tap::VnetHeader header_for(std::size_t length) {
  tap::VnetHeader header{
      .checksum = tap::ChecksumState::Needed, .header_length = kHeaders, .checksum_start = 34, .checksum_offset = 16};
  if (length <= 1514) return header;
  header.gso_type = tap::GsoType::Tcp4;
  header.gso_size = 1448;
  return header;
}

class Bench {
 public:
  Bench(bool use_io_uring, std::size_t batch, std::size_t length) : frame_(make_frame(length)) {
    auto device = tap::Device::open({.name = "bench%d"});
    if (!device) give_up(device.error().what);
    device_.emplace(std::move(*device));
    auto netlink = tap::Netlink::open();
    if (!netlink) give_up(netlink.error().what);
    for (const tap::Error& error :
         {netlink->set_no_automatic_ipv6(device_->ifindex()), netlink->set_up(device_->ifindex(), true),
          netlink->wait_until_usable(device_->ifindex(), 5s)})
      if (error) give_up(error.what);
    auto io =
        tap::make_frame_io({.fd = device_->queue_fd(0), .batch = batch, .spin = 0us, .use_io_uring = use_io_uring});
    if (!io) give_up(io.error().what);
    io_ = std::move(*io);
    for (std::size_t i = 0; i < kReceiveBuffers; ++i) {
      memory_.push_back(std::make_unique<std::byte[]>(kCapacity));
      io_->post({memory_.back().get(), kCapacity, nullptr});
    }
    open_filler();
  }

  tap::FrameIo& io() { return *io_; }

  std::size_t write(std::size_t count) {
    const std::array<iovec, 2> ranges{iovec{frame_.data(), kHeaders},
                                      iovec{frame_.data() + kHeaders, frame_.size() - kHeaders}};
    const tap::VnetHeader header = header_for(frame_.size());
    std::size_t sent = 0;
    while (sent < count) {
      for (std::size_t i = 0; i < tap::kMaxBatch && sent < count; ++i) sent += io_->submit(ranges, header, nullptr);
      for (const tap::Transmitted& done : io_->flush())
        if (done.result != tap::TransmitResult::Sent) give_up(std::string{tap::describe(done.result)});
    }
    return sent;
  }

  // Puts `count` frames into the device's ring.
  std::size_t fill(std::size_t count) {
    std::array<std::byte, tap::kVnetHeaderSizeShort> header;
    tap::encode(header_for(frame_.size()), header);
    std::array<iovec, 2> ranges{iovec{header.data(), header.size()}, iovec{frame_.data(), frame_.size()}};
    msghdr message{};
    message.msg_iov = ranges.data();
    message.msg_iovlen = ranges.size();
    std::size_t filled = 0;
    while (filled<count&& ::sendmsg(filler_.get(), &message, 0)> 0) ++filled;
    return filled;
  }

  std::size_t drain(std::size_t count) {
    std::size_t got = 0;
    for (int idle = 0; got < count && idle < 3;) {
      const tap::Completions& done = io_->poll(0ns);
      idle = done.received.empty() ? idle + 1 : 0;
      got += done.received.size();
      for (const tap::Received& received : done.received) io_->post(received.buffer);
    }
    return got;
  }

 private:
  void open_filler() {
    filler_.reset(::socket(AF_PACKET, SOCK_RAW, 0));
    const int one = 1, room = 1 << 28;
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(device_->ifindex());
    if (::setsockopt(filler_.get(), SOL_PACKET, PACKET_VNET_HDR, &one, sizeof one) != 0 ||
        ::setsockopt(filler_.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one) != 0 ||
        ::setsockopt(filler_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0 ||
        ::bind(filler_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      give_up(std::string{"packet socket: "} + std::strerror(errno));
  }

  std::vector<std::byte> frame_;
  std::optional<tap::Device> device_;
  std::vector<std::unique_ptr<std::byte[]>> memory_;
  std::unique_ptr<tap::FrameIo> io_;
  tap::FileDescriptor filler_;
};

// One iteration is a burst; the time of each is given by hand, as CPU time of one frame.
template <class Round>
void measure(benchmark::State& state, Round round) {
  const bool use_io_uring = state.range(0) != 0;
  Bench bench(use_io_uring, static_cast<std::size_t>(state.range(1)), static_cast<std::size_t>(state.range(2)));
  round(bench);
  std::uint64_t frames = 0, calls = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto [count, seconds, used] = round(bench);
    if (count == 0) return state.SkipWithError("no frame came through");
    frames += count;
    calls += used;
    state.SetIterationTime(seconds / static_cast<double>(count));
  }
  state.counters["calls"] = static_cast<double>(calls) / static_cast<double>(frames);
}

struct Spent {
  std::size_t frames;
  double seconds;
  std::uint64_t calls;
};

template <class Work>
Spent timed(Bench& bench, Work work) {
  const std::uint64_t calls = bench.io().stats().system_calls;
  const double start = thread_cpu_seconds();
  const std::size_t frames = work();
  return {frames, thread_cpu_seconds() - start, bench.io().stats().system_calls - calls};
}

std::size_t burst_of(const benchmark::State& state) { return state.range(2) > 1514 ? 64 : kBurst; }

void write_frames(benchmark::State& state) {
  measure(state,
          [burst = burst_of(state)](Bench& bench) { return timed(bench, [&] { return bench.write(burst); }); });
}

void read_frames(benchmark::State& state) {
  measure(state, [burst = burst_of(state)](Bench& bench) {
    const std::size_t filled = bench.fill(burst);
    return timed(bench, [&] { return bench.drain(filled); });
  });
}

void arguments(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"io_uring", "batch", "bytes"})->UseManualTime()->Iterations(300)->Unit(benchmark::kNanosecond);
  for (const int bytes : {64, 1514, static_cast<int>(kSuperFrame)})
    for (const auto& [uring, batch] : {std::pair{0, 32}, {1, 1}, {1, 8}, {1, 32}}) bench->Args({uring, batch, bytes});
}
BENCHMARK(write_frames)->Apply(arguments);
BENCHMARK(read_frames)->Apply(arguments);

}  // namespace

int main(int argc, char** argv) {
  if (::unshare(CLONE_NEWNET) != 0) give_up("a network namespace of one's own needs root");
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
