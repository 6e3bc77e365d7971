// One suite for both kinds of FrameIo. The far end is a socket that keeps message boundaries, as the device does.
#include "tap/frame_io.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "tap/file_descriptor.hpp"

namespace tap {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kCapacity = kMaxFrameSize + 1;
constexpr auto kLong = 5s;  // long enough to fail a test, never waited for in one that passes

struct Uring {
  static constexpr bool kUse = true;
};
struct Epoll {
  static constexpr bool kUse = false;
};

template <class Kind>
class FrameIoConformance : public testing::Test {
 protected:
  void SetUp() override {
    if (Kind::kUse && !probe_io_uring().available) GTEST_SKIP() << probe_io_uring().why;
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    near_.reset(ends[0]);
    far_.reset(ends[1]);
    make({.fd = near_.get(), .use_io_uring = Kind::kUse});
  }

  void TearDown() override {
    if (!io_) return;
    std::size_t back = 0;
    while (io_->take_back_buffer().data != nullptr) ++back;
    EXPECT_EQ(back + lent_out_, posted_) << "a receive buffer was lost";
  }

  void make(FrameIoOptions options) {
    options.use_io_uring = Kind::kUse;
    auto made = make_frame_io(options);
    ASSERT_TRUE(made) << made.error().what;
    io_ = std::move(*made);
    EXPECT_EQ(io_->engine().substr(0, 5), Kind::kUse ? "io_ur" : "epoll");
  }

  void post(std::size_t count, std::size_t capacity = kCapacity) {
    for (std::size_t i = 0; i < count; ++i) {
      memory_.emplace_back(capacity);
      ASSERT_TRUE(io_->post({memory_.back().data(), capacity, &memory_.back()}));
      ++posted_;
    }
  }

  void send_far(const std::string& frame, const VnetHeader& header = {}) {
    std::vector<std::byte> bytes(kVnetHeaderSize + frame.size());
    encode(header, std::span{bytes}.first(kVnetHeaderSize));
    std::memcpy(bytes.data() + kVnetHeaderSize, frame.data(), frame.size());
    ASSERT_EQ(::send(far_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

  std::string receive_far(VnetHeader& header) {
    std::vector<std::byte> bytes(kVnetHeaderSize + kCapacity);
    const ssize_t size = ::recv(far_.get(), bytes.data(), bytes.size(), 0);
    if (size < static_cast<ssize_t>(kVnetHeaderSize)) return "nothing";
    const auto length = static_cast<std::size_t>(size) - kVnetHeaderSize;
    EXPECT_EQ(decode(bytes, length, header), VnetHeaderFault::None);
    return {reinterpret_cast<const char*>(bytes.data()) + kVnetHeaderSize, length};
  }

  // Everything that polls bring until `count` frames are there; each buffer is posted again.
  std::vector<std::string> receive(std::size_t count) {
    std::vector<std::string> frames;
    const auto deadline = std::chrono::steady_clock::now() + kLong;
    while (frames.size() < count && std::chrono::steady_clock::now() < deadline) {
      for (const Received& received : io_->poll(kLong).received) {
        frames.emplace_back(reinterpret_cast<const char*>(received.buffer.data), received.length);
        EXPECT_TRUE(io_->post(received.buffer));
      }
    }
    return frames;
  }

  bool submit(const std::string& frame, void* cookie = nullptr, const VnetHeader& header = {}) {
    sent_.push_back(frame);  // needed until its completion has been reported
    const iovec range{sent_.back().data(), sent_.back().size()};
    return io_->submit(std::span{&range, 1}, header, cookie);
  }

  FileDescriptor near_;
  FileDescriptor far_;
  std::list<std::vector<std::byte>> memory_;
  std::list<std::string> sent_;
  std::size_t posted_ = 0;
  std::size_t lent_out_ = 0;  // delivered and not posted again by the test
  std::unique_ptr<FrameIo> io_;
};

using Kinds = testing::Types<Uring, Epoll>;
TYPED_TEST_SUITE(FrameIoConformance, Kinds);

TYPED_TEST(FrameIoConformance, DeliversFrameWithHeaderAndCookie) {
  this->post(1);
  const VnetHeader header{.gso_type = GsoType::Tcp4,
                          .checksum = ChecksumState::Needed,
                          .header_length = 4,
                          .gso_size = 8,
                          .checksum_start = 2,
                          .checksum_offset = 2};
  this->send_far("twenty bytes of data", header);
  const Completions& done = this->io_->poll(kLong);
  ASSERT_EQ(done.received.size(), 1u);
  const Received& received = done.received[0];
  EXPECT_EQ(received.status, ReceiveStatus::Ok);
  EXPECT_EQ(received.header, header);
  EXPECT_EQ(received.length, 20u);
  EXPECT_EQ(received.buffer.cookie, &this->memory_.front());
  EXPECT_EQ(std::memcmp(received.buffer.data, "twenty bytes of data", 20), 0);
  EXPECT_EQ(this->io_->posted_count(), 0u);
  this->lent_out_ = 1;
}

TYPED_TEST(FrameIoConformance, KeepsOrderThroughGrowingBatches) {
  this->post(16);
  std::size_t sent = 0;
  for (int round = 0; round < 8; ++round) {
    std::vector<std::string> expected;
    for (int i = 0; i < 30; ++i) {
      expected.push_back("frame " + std::to_string(sent++));
      this->send_far(expected.back());
    }
    ASSERT_EQ(this->receive(expected.size()), expected);
  }
  EXPECT_EQ(this->io_->stats().frames_received, 240u);
}

TYPED_TEST(FrameIoConformance, LargestFrameFitsBothWays) {
  this->post(2);
  int room = 1 << 20;
  ASSERT_EQ(::setsockopt(this->near_.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
  ASSERT_EQ(::setsockopt(this->far_.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
  const std::string large(kMaxFrameSize, 'x');
  this->send_far(large);
  EXPECT_EQ(this->receive(1), std::vector{large});
  ASSERT_TRUE(this->submit(large));
  ASSERT_EQ(this->io_->flush().size(), 1u);
  VnetHeader header;
  EXPECT_EQ(this->receive_far(header), large);
}

TYPED_TEST(FrameIoConformance, FrameThatFillsItsBufferIsTruncated) {
  this->post(1, 16);
  this->send_far(std::string(40, 'y'));
  const Completions& done = this->io_->poll(kLong);
  ASSERT_EQ(done.received.size(), 1u);
  EXPECT_EQ(done.received[0].status, ReceiveStatus::Truncated);
  EXPECT_EQ(this->io_->stats().receive_truncated, 1u);
  this->lent_out_ = 1;
}

TYPED_TEST(FrameIoConformance, MalformedHeadersAreReportedWithTheirFault) {
  this->post(2);
  std::array<char, 40> bad{};
  bad[1] = 0x22;
  ASSERT_EQ(::send(this->far_.get(), bad.data(), bad.size(), 0), 40);
  ASSERT_EQ(::send(this->far_.get(), bad.data(), 5, 0), 5);
  std::vector<VnetHeaderFault> faults;
  while (faults.size() < 2) {
    for (const Received& received : this->io_->poll(kLong).received) {
      EXPECT_EQ(received.status, ReceiveStatus::BadVnetHeader);
      faults.push_back(received.fault);
    }
  }
  EXPECT_EQ(faults, (std::vector{VnetHeaderFault::UnknownGsoType, VnetHeaderFault::Truncated}));
  EXPECT_EQ(this->io_->stats().receive_bad_header, 2u);
  this->lent_out_ = 2;
}

TYPED_TEST(FrameIoConformance, WithoutBuffersFramesWaitAndPollDoesNotSpin) {
  this->send_far("early");
  const auto blocked = this->io_->stats().blocked;
  EXPECT_TRUE(this->io_->poll(20ms).received.empty());
  EXPECT_LE(this->io_->stats().blocked, blocked + 1);
  EXPECT_TRUE(this->io_->poll(20ms).received.empty());
  this->post(1);
  EXPECT_EQ(this->receive(1), std::vector<std::string>{"early"});
}

TYPED_TEST(FrameIoConformance, PostedBuffersAreBounded) {
  this->post(kMaxReceiveBuffers, 64);
  EXPECT_FALSE(this->io_->post({this->memory_.front().data(), 64, nullptr}));
}

TYPED_TEST(FrameIoConformance, GathersRangesAndReportsEachCookieOnce) {
  std::string a = "head", b = "er and ", c = "payload";
  const std::array<iovec, 3> ranges{iovec{a.data(), a.size()}, iovec{b.data(), b.size()}, iovec{c.data(), c.size()}};
  const VnetHeader header{.checksum = ChecksumState::Needed, .checksum_start = 1, .checksum_offset = 2};
  std::array<int, 40> cookies{};
  for (int& cookie : cookies) ASSERT_TRUE(this->io_->submit(ranges, header, &cookie));
  const auto done = this->io_->flush();
  ASSERT_EQ(done.size(), cookies.size());
  for (std::size_t i = 0; i < done.size(); ++i) {
    EXPECT_EQ(done[i].cookie, &cookies[i]);
    EXPECT_EQ(done[i].result, TransmitResult::Sent);
    VnetHeader seen;
    EXPECT_EQ(this->receive_far(seen), "header and payload");
    EXPECT_EQ(seen, header);
  }
  EXPECT_TRUE(this->io_->flush().empty());
  EXPECT_TRUE(this->io_->poll(0ns).transmitted.empty());
}

TYPED_TEST(FrameIoConformance, ThousandRangesAreOneFrame) {
  std::string bytes(kMaxTransmitSegments, 'z');
  std::vector<iovec> ranges;
  for (char& byte : bytes) ranges.push_back({&byte, 1});
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(this->io_->submit(ranges, {}, nullptr));
    ASSERT_TRUE(this->submit("small"));
  }
  std::size_t done = this->io_->flush().size();
  EXPECT_EQ(done, 20u);
  VnetHeader header;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(this->receive_far(header), bytes);
    EXPECT_EQ(this->receive_far(header), "small");
  }
  ranges.push_back(ranges.front());
  ASSERT_TRUE(this->io_->submit(ranges, {}, nullptr));
  const auto refused = this->io_->flush();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].result, TransmitResult::BadFrame);
}

TYPED_TEST(FrameIoConformance, BadFramesAreNeverSent) {
  ASSERT_TRUE(this->submit("x", nullptr, {.checksum = ChecksumState::Needed, .checksum_start = 30}));
  ASSERT_TRUE(this->io_->submit({}, {}, nullptr));
  const auto done = this->io_->flush();
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].result, TransmitResult::BadFrame);
  EXPECT_EQ(done[1].result, TransmitResult::BadFrame);
  VnetHeader header;
  EXPECT_EQ(this->receive_far(header), "nothing");
}

TYPED_TEST(FrameIoConformance, FullDeviceIsAPlainResult) {
  const std::string frame(1000, 'f');
  std::size_t sent = 0, would_block = 0;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(this->submit(frame));
    for (const Transmitted& done : this->io_->flush()) {
      sent += done.result == TransmitResult::Sent;
      would_block += done.result == TransmitResult::WouldBlock;
    }
  }
  EXPECT_GT(sent, 0u);
  EXPECT_GT(would_block, 0u);
  EXPECT_EQ(sent + would_block, 1000u);
  EXPECT_EQ(this->io_->stats().frames_sent, sent);
  EXPECT_EQ(this->io_->stats().transmit_failed, would_block);
}

TYPED_TEST(FrameIoConformance, InFlightIsBoundedAndARefusalTakesNothing) {
  std::size_t accepted = 0;
  while (this->submit("frame", &accepted)) ++accepted;
  EXPECT_EQ(accepted, kMaxTransmitInFlight);
  EXPECT_FALSE(this->submit("frame"));
  EXPECT_EQ(this->io_->stats().transmit_refused, 2u);
  EXPECT_EQ(this->io_->flush().size(), accepted);
  EXPECT_TRUE(this->submit("frame"));
}

TYPED_TEST(FrameIoConformance, PollTransmitsAndReceivesInOneGo) {
  this->post(8);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(this->submit("out"));
  this->send_far("in");
  const Completions& done = this->io_->poll(kLong);
  EXPECT_EQ(done.transmitted.size(), 5u);
  EXPECT_EQ(done.received.size(), 1u);
  this->lent_out_ = 1;
}

TYPED_TEST(FrameIoConformance, PeerGoneEndsReception) {
  this->post(2);
  this->far_.reset();
  int error = 0;
  for (int i = 0; i < 3 && error == 0; ++i) error = this->io_->poll(100ms).device_error;
  EXPECT_NE(error, 0);
  // It waits from now on, rather than to report the same again and again. Calls are counted, not time: the kernel
  // interrupts a wait or two while it takes down the rings of tests before this one.
  const auto calls = this->io_->stats().system_calls;
  const auto deadline = std::chrono::steady_clock::now() + 40ms;
  while (std::chrono::steady_clock::now() < deadline) this->io_->poll(20ms);
  EXPECT_LE(this->io_->stats().system_calls, calls + 40);
}

TYPED_TEST(FrameIoConformance, WakeFromAnotherThreadEndsTheWait) {
  this->post(1);
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      this->io_->wake();
      std::this_thread::yield();
    }
  });
  int woken = 0;
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (woken < 2000 && std::chrono::steady_clock::now() < deadline) woken += this->io_->poll(kLong).woken;
  stop = true;
  other.join();
  EXPECT_EQ(woken, 2000);
}

TYPED_TEST(FrameIoConformance, EveryHandoverIsSeen) {  // the waiting side never sleeps through a wake-up
  std::atomic<int> produced{0}, consumed{0};
  constexpr int kRounds = 5000;
  std::thread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      produced = i;
      this->io_->wake();
      while (consumed < i) std::this_thread::yield();
    }
  });
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  while (consumed < kRounds && std::chrono::steady_clock::now() < deadline) {
    this->io_->poll(kLong);
    consumed = produced.load();
  }
  EXPECT_LT(std::chrono::steady_clock::now(), deadline);
  consumed = kRounds;
  other.join();
}

TYPED_TEST(FrameIoConformance, WakeBeforeThePollIsKept) {
  this->io_->wake();
  this->io_->wake();
  EXPECT_TRUE(this->io_->poll(kLong).woken);
  EXPECT_FALSE(this->io_->poll(0ns).woken);
}

TYPED_TEST(FrameIoConformance, WaitsAboutAsLongAsAsked) {
  this->post(1);
  for (const auto wait : {200us, 3000us}) {
    const auto start = std::chrono::steady_clock::now();
    this->io_->poll(wait);
    EXPECT_GE(std::chrono::steady_clock::now() - start, wait - 50us);
  }
}

TYPED_TEST(FrameIoConformance, WatchIsLevelTriggeredUntilUnwatched) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
  const FileDescriptor in{pipe_ends[0]}, out{pipe_ends[1]};
  ASSERT_FALSE(this->io_->watch(in.get(), POLLIN, 77));
  EXPECT_TRUE(this->io_->watch(in.get(), POLLIN, 78)) << "twice";
  EXPECT_TRUE(this->io_->poll(1ms).ready.empty());
  ASSERT_EQ(::write(out.get(), "a", 1), 1);
  for (int i = 0; i < 3; ++i) {  // until it is read
    const Completions& done = this->io_->poll(kLong);
    ASSERT_EQ(done.ready.size(), 1u) << i;
    EXPECT_EQ(done.ready[0].token, 77u);
    EXPECT_EQ(done.ready[0].events, POLLIN);
  }
  char byte;
  ASSERT_EQ(::read(in.get(), &byte, 1), 1);
  this->io_->poll(0ns);  // one report may have been under way
  EXPECT_TRUE(this->io_->poll(1ms).ready.empty());
  ASSERT_EQ(::write(out.get(), "b", 1), 1);
  this->io_->unwatch(in.get());
  EXPECT_TRUE(this->io_->poll(1ms).ready.empty());
  ASSERT_FALSE(this->io_->watch(in.get(), POLLIN, 79));
  ASSERT_EQ(this->io_->poll(kLong).ready.size(), 1u);
}

TYPED_TEST(FrameIoConformance, WatchIsSeenWhileFramesFlow) {
  this->post(4);
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC), 0);
  const FileDescriptor in{pipe_ends[0]}, out{pipe_ends[1]};
  ASSERT_FALSE(this->io_->watch(in.get(), POLLIN, 5));
  ASSERT_EQ(::write(out.get(), "a", 1), 1);
  bool seen = false;
  for (int i = 0; i < 100 && !seen; ++i) {
    this->send_far("busy");
    const Completions& done = this->io_->poll(kLong);
    seen = !done.ready.empty();
    for (const Received& received : done.received) this->io_->post(received.buffer);
  }
  EXPECT_TRUE(seen);
}

TYPED_TEST(FrameIoConformance, WatchesAreBounded) {
  std::vector<FileDescriptor> fds;
  for (std::size_t i = 0; i < kMaxWatches; ++i) {
    fds.emplace_back(::dup(this->far_.get()));
    ASSERT_FALSE(this->io_->watch(fds.back().get(), POLLIN, i));
  }
  this->io_->poll(0ns);
  EXPECT_EQ(this->io_->watch(this->far_.get(), POLLIN, 99).code, ENOSPC);
  for (const FileDescriptor& fd : fds) this->io_->unwatch(fd.get());
  EXPECT_FALSE(this->io_->watch(this->far_.get(), POLLIN, 99));
}

TYPED_TEST(FrameIoConformance, WithoutADeviceItOnlyWaits) {
  this->make({.fd = -1});
  EXPECT_FALSE(this->submit("frame"));
  EXPECT_TRUE(this->io_->poll(1ms).received.empty());
  this->io_->wake();
  EXPECT_TRUE(this->io_->poll(kWaitForever).woken);
}

TYPED_TEST(FrameIoConformance, ShortVnetHeader) {
  this->make({.fd = this->near_.get(), .vnet_header_size = kVnetHeaderSizeShort});
  ASSERT_TRUE(this->submit("abc"));
  ASSERT_EQ(this->io_->flush().size(), 1u);
  std::array<char, 64> bytes;
  EXPECT_EQ(::recv(this->far_.get(), bytes.data(), bytes.size(), 0), 13);
}

TEST(FrameIo, RefusesDescriptorsItCannotUse) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  const FileDescriptor in{pipe_ends[0]}, out{pipe_ends[1]};
  const auto blocking = make_frame_io({.fd = in.get()});
  ASSERT_FALSE(blocking);
  EXPECT_NE(blocking.error().what.find("non-blocking"), std::string::npos);
  EXPECT_EQ(make_frame_io({.fd = 9999}).error().code, EBADF);
  EXPECT_FALSE(make_frame_io({.fd = -1, .vnet_header_size = 11}));
}

TEST(FrameIo, EveryResultHasWords) {
  for (int i = 0; i <= static_cast<int>(TransmitResult::Failed); ++i)
    EXPECT_NE(describe(static_cast<TransmitResult>(i)), "unknown") << i;
}

}  // namespace
}  // namespace tap
