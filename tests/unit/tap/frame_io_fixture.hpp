// What the tests of both kinds of FrameIo share. The far end is a socket that keeps message boundaries, as the device
// does.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstring>
#include <list>
#include <string>
#include <vector>

#include "tap/file_descriptor.hpp"
#include "tap/frame_io.hpp"

namespace tap::test {

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

}  // namespace tap::test
