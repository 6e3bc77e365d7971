#include "src/app/output/trace_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "src/app/output/metadata_members.hpp"
#include "src/app/output/trace_file.hpp"

namespace app::output {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// The RST that answers a segment which no connection matches, as the crash dumps show it.
struct AwkwardReset {
  FWPS_INCOMING_METADATA_VALUES0 metadata{};
  shim::TraceRecord record;
  AwkwardReset() {
    metadata.currentMetadataValues = 0x8cc0;
    metadata.flags = 1;
    metadata.reserved = 0xffff9d805f0c2a70;
    metadata.transportHeaderSize = 0x14;
    metadata.compartmentId = 1;
    record.time_ns = 5;
    record.layer_name = "FWPS_LAYER_OUTBOUND_TRANSPORT_V4";
    record.direction = stack::Direction::Outbound;
    record.origin = "tcp.reset";
    record.protocol = 6;
    record.local = {*stack::IpAddress::parse("10.77.0.2"), 4444};
    record.remote = {*stack::IpAddress::parse("10.77.0.1"), 40000};
    record.tcp_flags = 0x14;
    record.length = 20;
    record.metadata = &metadata;
    record.filter_id = 65600;
    record.callout_id = 300;
    record.action = "block";
    record.absorb = true;
    record.injection_state = "none";
  }
};

TEST(TraceFormat, JsonHasEveryFieldOfTheContract) {
  const AwkwardReset reset;
  const auto object = json::parse(format_json(TraceEntry::of(reset.record, 1'700'000'000'000'000'000)));
  EXPECT_EQ(object["time_ns"], 1'700'000'000'000'000'005);
  EXPECT_EQ(object["layer"], "FWPS_LAYER_OUTBOUND_TRANSPORT_V4");
  EXPECT_EQ(object["direction"], "outbound");
  EXPECT_EQ(object["origin"], "tcp.reset");
  EXPECT_EQ(object["protocol"], "tcp");
  EXPECT_EQ(object["local"], "10.77.0.2:4444");
  EXPECT_EQ(object["remote"], "10.77.0.1:40000");
  EXPECT_EQ(object["tcp_flags"], "RA");
  EXPECT_EQ(object["length"], 20);
  EXPECT_EQ(object["filter"], 65600);
  EXPECT_EQ(object["callout"], 300);
  EXPECT_EQ(object["action"], "block");
  EXPECT_EQ(object["flags"], json({"absorb"}));
  EXPECT_EQ(object["injection_state"], "none");
  EXPECT_EQ(object["callouts"], json::array());
}

TEST(TraceFormat, CalloutsThatOnlyLookedOnAreNamedToo) {
  const AwkwardReset reset;
  auto entry = TraceEntry::of(reset.record, 0);
  entry.driver = "block";
  entry.callouts = {{65599, 299, "inspect", "continue"}, {65600, 300, "block", "block"}};
  EXPECT_THAT(format_line(entry), HasSubstr("callout 300 (block); asked 299 continue (inspect)"));
  const auto callouts = json::parse(format_json(entry))["callouts"];
  ASSERT_EQ(callouts.size(), 2u);
  EXPECT_EQ(callouts[0], json({{"callout", 299}, {"filter", 65599}, {"driver", "inspect"}, {"action", "continue"}}));
}

TEST(TraceFormat, IcmpHasTypeAndCodeAndNoPorts) {
  AwkwardReset echo;
  echo.record.protocol = 1;
  echo.record.local.port = 8;  // where the shim puts type and code, as the layers do
  echo.record.remote.port = 0;
  const auto entry = TraceEntry::of(echo.record, 0);
  EXPECT_THAT(format_line(entry), HasSubstr("icmp 10.77.0.2 > 10.77.0.1 type 8 code 0 length"));
  const auto object = json::parse(format_json(entry));
  EXPECT_EQ(object["local"], "10.77.0.2");
  EXPECT_EQ(object["icmp_type"], 8);
  EXPECT_EQ(object["icmp_code"], 0);
  EXPECT_FALSE(json::parse(format_json(TraceEntry::of(AwkwardReset().record, 0))).contains("icmp_type"));
}

TEST(TraceFormat, JsonHasExactlyThePresentMembers) {
  const AwkwardReset reset;
  const auto metadata = json::parse(format_json(TraceEntry::of(reset.record, 0)))["metadata"];
  EXPECT_EQ(metadata, json({{"currentMetadataValues", "0x8cc0"},
                            {"flags", 1},
                            {"reserved", "0xffff9d805f0c2a70"},
                            {"transportHeaderSize", 20},
                            {"compartmentId", 1},
                            {"transportEndpointHandle", "0x0"}}));
}

TEST(TraceFormat, DxShowsEveryMemberWithItsOffset) {
  const AwkwardReset reset;
  const auto text = format_dx(TraceEntry::of(reset.record, 0));
  EXPECT_THAT(text, HasSubstr("[+0x000] currentMetadataValues     : 0x8cc0 [Type: unsigned int]\n"));
  EXPECT_THAT(text, HasSubstr("TRANSPORT_ENDPOINT_HANDLE"));
  EXPECT_THAT(text, HasSubstr("[+0x020] flowHandle                : 0x0 [Type: unsigned __int64]\n"));
  EXPECT_THAT(text, HasSubstr("transportHeaderSize       : 0x14"));
  EXPECT_THAT(text, HasSubstr("[+0x110] reserved1"));
}

TEST(TraceFormat, TheTableCoversTheStructure) {
  std::size_t end = 0;
  for (const auto& member : metadata_members()) {
    EXPECT_GE(member.offset, end) << member.name;
    EXPECT_LT(member.offset - end, 8u) << "a member is missing before " << member.name;
    end = member.offset + member.size;
  }
  EXPECT_EQ(end, sizeof(FWPS_INCOMING_METADATA_VALUES0));
  EXPECT_EQ(metadata_bit_names(0x8cc0),
            "SYSTEM_FLAGS RESERVED TRANSPORT_HEADER_SIZE COMPARTMENT_ID TRANSPORT_ENDPOINT_HANDLE");
}

TEST(TraceFormat, LineReadsFromSenderToReceiver) {
  AwkwardReset reset;
  auto entry = TraceEntry::of(reset.record, 0);
  entry.driver = "passthrough";
  EXPECT_THAT(format_line(entry),
              testing::ContainsRegex(
                  "out FWPS_LAYER_OUTBOUND_TRANSPORT_V4 tcp 10.77.0.2:4444 > 10.77.0.1:40000 .RA. length 20 +"
                  "  tcp.reset +  metadata 0x8cc0 +  block absorb filter 65600 callout 300 "
                  ".passthrough.\n"));
  entry.direction = stack::Direction::Inbound;
  EXPECT_THAT(format_line(entry), HasSubstr("10.77.0.1:40000 > 10.77.0.2:4444"));
}

TEST(TraceFormat, WhatFollowsTheEndpointsStandsInColumns) {
  const AwkwardReset reset;
  auto one = TraceEntry::of(reset.record, 0), other = one;
  other.layer = "FWPS_LAYER_INBOUND_IPPACKET_V4";
  other.origin = "tcp.time_wait";
  other.length = 1448;
  other.metadata = {};
  for (const char* column : {"  tcp.", "  metadata ", "  block"})
    EXPECT_EQ(format_line(one).find(column), format_line(other).find(column)) << column;
}

TEST(TraceFormat, ALineSaysOnceThatAPacketIsInjected) {
  const AwkwardReset reset;
  auto entry = TraceEntry::of(reset.record, 0);
  entry.injection_state = "inherited";
  EXPECT_THAT(format_line(entry), testing::EndsWith("  inherited\n"));
  entry.origin = entry.injection_state = "injected";
  const auto line = format_line(entry);
  EXPECT_EQ(line.find("injected"), line.rfind("injected")) << line;
  EXPECT_NE(line.find("injected"), std::string::npos) << line;
}

TEST(TraceFormat, PointersAreFollowedWhenTheEntryIsMade) {
  AwkwardReset reset;
  std::u16string path = u"\\device\\\u00e4.exe";
  FWP_BYTE_BLOB blob{static_cast<UINT32>((path.size() + 1) * 2), reinterpret_cast<UINT8*>(path.data())};
  reset.metadata.currentMetadataValues |= FWPS_METADATA_FIELD_PROCESS_PATH;
  reset.metadata.processPath = &blob;
  const auto entry = TraceEntry::of(reset.record, 0);
  path.assign(path.size(), u'x');
  EXPECT_EQ(json::parse(format_json(entry))["metadata"]["processPath"], "\\device\\\u00e4.exe");
}

TEST(TraceFormat, DroppedRecordsAreSaid) {
  EXPECT_EQ(json::parse(format_dropped(7, TraceFormat::Json))["dropped"], 7);
  EXPECT_THAT(format_dropped(7, TraceFormat::Line), HasSubstr("7 records were dropped"));
}

TEST(TraceFormat, Utf16) {
  EXPECT_EQ(utf8(u"a\u00e4\u20ac\U0001f600"), "a\u00e4\u20ac\U0001f600");
  const char16_t unpaired[] = {0xd800, u'x', 0xdc00, 0};
  EXPECT_EQ(utf8(unpaired), "\xef\xbf\xbdx\xef\xbf\xbd");
}

TEST(TraceFile, WritesEveryRecord) {
  const auto path = std::filesystem::temp_directory_path() / ("wfptap-trace-" + std::to_string(getpid()));
  std::string error;
  auto file = TraceFile::open(path, error);
  ASSERT_TRUE(file) << error;
  file->start();
  const AwkwardReset reset;
  constexpr int kRecords = 30'000;  // more than the queue holds
  for (int i = 0; i < kRecords; ++i) {
    auto entry = TraceEntry::of(reset.record, 0);
    entry.length = static_cast<std::uint32_t>(i);
    file->write(std::move(entry));
  }
  file->close();
  EXPECT_EQ(file->error(), "");
  std::ifstream lines(path);
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    if (count % 1000 == 0) {
      EXPECT_EQ(json::parse(line)["length"], count);
    }
    ++count;
  }
  EXPECT_EQ(count, kRecords);
  std::filesystem::remove(path);
}

// A process that is killed closes nothing.
TEST(TraceFile, HoldsWholeLinesAsSoonAsNothingWaits) {
  const auto path =
      (std::filesystem::temp_directory_path() / ("wfptap-trace-whole-" + std::to_string(getpid()))).string();
  std::string error;
  auto file = TraceFile::open(path, error);
  ASSERT_TRUE(file) << error;
  file->start();
  const AwkwardReset reset;
  for (int i = 0; i < 33; ++i) file->write(TraceEntry::of(reset.record, 0));
  for (int i = 0; i < 1000 && queues_behind != 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds{5});
  EXPECT_EQ(queues_behind, 0u);
  std::ifstream lines(path);
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) EXPECT_TRUE(json::accept(line)) << line;
  EXPECT_EQ(count, 33);
  std::filesystem::remove(path);
}

TEST(TraceFile, SaysWhatItCouldNotWrite) {
  std::string error;
  EXPECT_FALSE(TraceFile::open("/nonexistent/trace", error));
  EXPECT_THAT(error, HasSubstr("No such file"));
  auto full = TraceFile::open("/dev/full", error);
  ASSERT_TRUE(full) << error;
  full->start();
  const AwkwardReset reset;
  for (int i = 0; i < 10'000; ++i) full->write(TraceEntry::of(reset.record, 0));
  full->close();
  EXPECT_THAT(full->error(), HasSubstr("No space left"));
}

}  // namespace
}  // namespace app::output
