#include "src/app/output/capture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "src/app/output/pcapng_file.hpp"

namespace app::output {
namespace {

using testing::HasSubstr;

std::vector<std::byte> tcp_frame(std::size_t payload) {
  std::vector<std::byte> frame(14 + 20 + 20 + payload);
  frame[12] = std::byte{0x08};
  frame[14] = std::byte{0x45};
  frame[14 + 20 + 12] = std::byte{0x50};
  return frame;
}

class CaptureFile : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("wfptap-capture-" + std::to_string(getpid()) + GetParam());
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string path_;
};

TEST_P(CaptureFile, IsReadBackByLibpcap) {
  std::string error;
  std::int64_t now = 0;
  auto capture = Capture::open(
      path_, {LinkType::Ethernet, "wfp0"}, [&] { return now; }, error);
  ASSERT_TRUE(capture) << error;
  capture->start();
  const auto small = tcp_frame(10), large = tcp_frame(14'480);
  const auto turn = stack::Instant::from_ns(1);  // both are seen in one
  now = 1'700'000'000'123'456'789;
  capture->frame(stack::Direction::Inbound, small, 0, turn);
  now = 1'700'000'002'000'000'001;
  capture->frame(stack::Direction::Outbound, large, 1448, turn);
  capture->close();
  EXPECT_EQ(capture->error(), "");

  char why[PCAP_ERRBUF_SIZE];
  auto* reader = pcap_open_offline_with_tstamp_precision(path_.c_str(), PCAP_TSTAMP_PRECISION_NANO, why);
  ASSERT_NE(reader, nullptr) << why;
  EXPECT_EQ(pcap_datalink(reader), DLT_EN10MB);
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  ASSERT_EQ(pcap_next_ex(reader, &header, &bytes), 1);
  EXPECT_EQ(header->caplen, small.size());
  EXPECT_EQ(header->ts.tv_sec, 1'700'000'000);
  EXPECT_EQ(header->ts.tv_usec, 123'456'789);
  ASSERT_EQ(pcap_next_ex(reader, &header, &bytes), 1);
  EXPECT_EQ(header->caplen, large.size());
  EXPECT_EQ(header->len, large.size());
  EXPECT_EQ(header->ts.tv_usec, 1);
  EXPECT_TRUE(std::equal(large.begin(), large.end(), reinterpret_cast<const std::byte*>(bytes)));
  EXPECT_EQ(pcap_next_ex(reader, &header, &bytes), PCAP_ERROR_BREAK);
  pcap_close(reader);
}

// A process that is killed closes nothing.
TEST_P(CaptureFile, HoldsEveryFrameAsSoonAsNothingWaits) {
  std::string error;
  auto capture = Capture::open(
      path_, {LinkType::Ethernet, "wfp0"}, [] { return 0; }, error);
  ASSERT_TRUE(capture) << error;
  capture->start();
  for (int i = 0; i < 7; ++i) capture->frame(stack::Direction::Inbound, tcp_frame(10), 0, {});
  for (int i = 0; i < 1000 && queues_behind != 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{5});
  EXPECT_EQ(queues_behind, 0u);
  char why[PCAP_ERRBUF_SIZE];
  auto* reader = pcap_open_offline(path_.c_str(), why);
  ASSERT_NE(reader, nullptr) << why;
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  for (int i = 0; i < 7; ++i) EXPECT_EQ(pcap_next_ex(reader, &header, &bytes), 1) << i;
  pcap_close(reader);
}

INSTANTIATE_TEST_SUITE_P(Formats, CaptureFile, testing::Values(".pcap", ".pcapng"));

TEST(Capture, LargeSegmentsAreMarked) {
  CapturedFrame frame{0, true, 1448, tcp_frame(14'481)};
  EXPECT_EQ(large_segment_comment(frame, LinkType::Ethernet), "large segment: 11 x 1448 bytes");
  frame.bytes = tcp_frame(1448);
  EXPECT_EQ(large_segment_comment(frame, LinkType::Ethernet), "");
  frame.segment_size = 0;
  EXPECT_EQ(large_segment_comment(frame, LinkType::Ethernet), "");
  frame = {0, true, 100, {}};
  for (std::size_t size : {0u, 1u, 13u, 14u, 33u, 53u}) {  // never reads behind a short frame
    frame.bytes.assign(size, std::byte{0xff});
    EXPECT_EQ(large_segment_comment(frame, LinkType::Ethernet), "");
  }
}

// Section 4.2 of the pcapng draft: an Interface Description Block with if_name, 2, padded to 32 bits.
TEST(Capture, ThePcapngInterfaceHasItsName) {
  const auto path = std::filesystem::temp_directory_path() / ("wfptap-name-" + std::to_string(getpid()) + ".pcapng");
  std::string error;
  auto capture = Capture::open(
      path, {LinkType::Ethernet, "wfp12"}, [] { return 0; }, error);
  ASSERT_TRUE(capture) << error;
  capture->start();
  capture->close();
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_NE(bytes.str().find(std::string("\x02\x00\x05\x00wfp12\x00\x00\x00", 12)), std::string::npos);
  std::filesystem::remove(path);
}

TEST(Capture, FailuresAreSaid) {
  std::string error;
  EXPECT_FALSE(Capture::open(
      "/nonexistent/x.pcap", {LinkType::RawIp, "wfp0"}, [] { return 0; }, error));
  EXPECT_THAT(error, HasSubstr("No such file"));
  auto full = Capture::open(
      "/dev/full", {LinkType::RawIp, "wfp0"}, [] { return 0; }, error);
  if (!full) return;  // libpcap noticed already
  full->start();
  const auto frame = tcp_frame(1400);
  for (int i = 0; i < 5000; ++i) full->frame(stack::Direction::Inbound, frame, 0, {});
  full->close();
  EXPECT_THAT(full->error(), HasSubstr("No space left"));
  EXPECT_GT(full->lost_count(), 0u);
  EXPECT_EQ(queues_behind, 0u) << "a file that failed is not waited for";
}

}  // namespace
}  // namespace app::output
