// Frames in and out, the same tests for both kinds of FrameIo.
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/unit/tap/frame_io_fixture.hpp"

namespace tap::test {
namespace {

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

TYPED_TEST(FrameIoConformance, ReportsComeInTheOrderOfTheFrames) {
  int first = 0, second = 0, third = 0;
  ASSERT_TRUE(this->submit("good", &first));
  ASSERT_TRUE(this->submit("x", &second, {.checksum = ChecksumState::Needed, .checksum_start = 30}));
  ASSERT_TRUE(this->submit("good", &third));
  const auto done = this->io_->flush();
  ASSERT_EQ(done.size(), 3u);
  EXPECT_EQ(done[0].cookie, &first);
  EXPECT_EQ(done[1].cookie, &second);
  EXPECT_EQ(done[2].cookie, &third);
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

// As a TUN before Linux 6.4: a descriptor that refuses RWF_NOWAIT.
TEST(FrameIo, FallsBackWhereTheDeviceTakesNoNowait) {
  const FileDescriptor fd{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
  const auto made = make_frame_io({.fd = fd.get()});
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ((*made)->engine().substr(0, 5), "epoll");
  if (probe_io_uring().available) {
    EXPECT_NE((*made)->engine().find("Linux 6.4"), std::string_view::npos) << (*made)->engine();
  }
}

TEST(FrameIo, EveryResultHasWords) {
  for (int i = 0; i <= static_cast<int>(TransmitResult::Failed); ++i)
    EXPECT_NE(describe(static_cast<TransmitResult>(i)), "unknown") << i;
}

}  // namespace
}  // namespace tap::test
