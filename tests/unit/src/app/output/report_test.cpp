#include "src/app/output/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace app::output {
namespace {

using testing::HasSubstr;

Report sample() {
  Report report;
  report.drivers.push_back({"passthrough", "drivers/passthrough.so", true, true, {}, {}, "e3b0"});
  report.layers["FWPS_LAYER_INBOUND_TRANSPORT_V4"] = {10, 4, 6, 5};
  report.injections = {5, 4, 1, 0};
  report.injections_by_direction["inbound"] = {5, 4, 1, 0};
  report.pends_started = report.pends_completed = 2;
  report.packets_received = 11;
  report.packets_sent = 12;
  report.packets_dropped["bad_checksum"] = 3;
  report.objects_alive = {{"clone", 0}, {"mdl", 2}};
  const SourceFrame inlined{"clone_it", "/src/leak.c", 41, "/drivers/leak.so", 0x1234, true};
  const SourceFrame caller{"classify", "/src/leak.c", 60, "/drivers/leak.so", 0x1234, false};
  const SourceFrame bare{"", "", 0, "/drivers/leak.so", 0x99, false};
  report.violations.push_back({.rule = "clone-leak",
                               .message = "a clone was \xff not freed",
                               .driver = "passthrough",
                               .callout = "callout 256 (filter 7) at INBOUND_TRANSPORT_V4",
                               .packet = "IP a > b",
                               .count = 2,
                               .stack = {inlined, caller},
                               .origins = {{"acquired", 3, {bare}}}});
  report.violation_count = 2;
  report.run = {"0.1.0", 42, {"test", "--seed", "42"}};
  report.command = {"curl", "-s"};
  report.command_ran = true;
  report.command_code = 7;
  report.exit = {ExitReason::Command, 7};
  return report;
}

TEST(Report, HasExactlyTheDocumentedKeys) {
  const auto json = nlohmann::json::parse(to_json(sample()));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_THAT(keys, testing::UnorderedElementsAre("run", "drivers", "layers", "injections", "memory", "pended",
                                                  "packets", "objects", "violations", "notes", "command", "exit"));
  EXPECT_EQ(json["run"], nlohmann::json({{"version", "0.1.0"}, {"seed", 42}, {"options", {"test", "--seed", "42"}}}));
  EXPECT_EQ(json["drivers"][0]["sha256"], "e3b0");
  EXPECT_EQ(json["layers"]["FWPS_LAYER_INBOUND_TRANSPORT_V4"],
            nlohmann::json({{"classified", 10}, {"permitted", 4}, {"blocked", 6}, {"absorbed", 5}}));
  EXPECT_EQ(json["injections"]["accepted"], 5);
  EXPECT_EQ(json["injections"]["inbound"]["failed"], 1);
  EXPECT_EQ(json["pended"], nlohmann::json({{"started", 2}, {"completed", 2}}));
  EXPECT_EQ(json["packets"]["dropped"]["bad_checksum"], 3);
  EXPECT_EQ(json["packets"]["absorbed_never_reinjected"], 0);
  EXPECT_EQ(json["objects"], nlohmann::json({{"mdl", 2}}));
  EXPECT_EQ(json["violations"][0]["rule"], "clone-leak");
  EXPECT_EQ(json["command"]["exit_code"], 7);
  EXPECT_EQ(json["exit"], nlohmann::json({{"reason", "command"}, {"code", 7}}));
}

TEST(Report, APlaceIsSixFields) {
  const auto violation = nlohmann::json::parse(to_json(sample()))["violations"][0];
  EXPECT_EQ(violation["place"], nlohmann::json({{"function", "clone_it"},
                                                {"file", "/src/leak.c"},
                                                {"line", 41},
                                                {"image", "/drivers/leak.so"},
                                                {"offset", "0x1234"},
                                                {"inlined", true}}));
  EXPECT_EQ(violation["stack"][0], violation["place"]);
  EXPECT_EQ(violation["stack"][1]["function"], "classify");
  EXPECT_EQ(violation["callout"], "callout 256 (filter 7) at INBOUND_TRANSPORT_V4");
  EXPECT_EQ(violation["origins"][0]["what"], "acquired");
  EXPECT_EQ(violation["origins"][0]["count"], 3);
  EXPECT_TRUE(violation["origins"][0]["stack"][0]["function"].is_null());
  EXPECT_TRUE(violation["origins"][0]["stack"][0]["line"].is_null());
}

TEST(Report, TextHasThePlacesAndOneHintWhenALineIsUnknown) {
  auto report = sample();
  report.violations.push_back(report.violations[0]);
  const auto text = to_text(report);
  EXPECT_THAT(text, HasSubstr("  at clone_it (/src/leak.c:41) inlined\n  from classify (/src/leak.c:60)\n"
                              "  acquired 3 times at leak.so+0x99\n"
                              "  in callout 256 (filter 7) at INBOUND_TRANSPORT_V4\n  packet: IP a > b\n"));
  const auto hint = text.find(kDebugHint);
  EXPECT_NE(hint, std::string::npos);
  EXPECT_EQ(text.find(kDebugHint, hint + 1), std::string::npos);
  for (auto& violation : report.violations) violation.origins.clear();
  EXPECT_EQ(to_text(report).find(kDebugHint), std::string::npos);
}

TEST(Report, ALayerThatIsNeverAskedIsMarked) {
  auto report = sample();
  report.layers["FWPS_LAYER_STREAM_V4"] = {.is_asked = false};
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["layers"]["FWPS_LAYER_STREAM_V4"]["classified"], 0);
  EXPECT_EQ(json["layers"]["FWPS_LAYER_STREAM_V4"]["asked"], false);
  EXPECT_FALSE(json["layers"]["FWPS_LAYER_INBOUND_TRANSPORT_V4"].contains("asked"));
  EXPECT_THAT(to_text(report), HasSubstr("this layer is never asked"));
}

TEST(Report, RefusedInjectionsAreCounted) {
  auto report = sample();
  EXPECT_THAT(to_text(report), HasSubstr("1 failed\n"));
  report.injections.refused = 2;
  EXPECT_THAT(to_text(report), HasSubstr("1 failed, 2 calls refused\n"));
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["injections"]["refused"], 2);
}

TEST(Report, AnEmptyRunIsAValidReport) {
  Report report;
  report.exit = {ExitReason::Setup, 2};
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_TRUE(json["drivers"].is_array());
  EXPECT_TRUE(json["layers"].is_object());
  EXPECT_TRUE(json["objects"].is_object());
  EXPECT_TRUE(json["command"]["exit_code"].is_null());
}

TEST(Report, TakesWhatOthersCountedAndKeepsWhatItKnowsBetter) {
  Report counted;
  counted.drivers.push_back({"x", "x.so", true, false, "", {}, ""});
  counted.layers["FWPS_LAYER_INBOUND_TRANSPORT_V4"] = {3, 2, 1, 0};
  counted.packets_received = 17;
  Report report;
  report.command = {"true"};
  report.exit = {ExitReason::Fault, kExitFault};
  report.fault = "*** STOP";
  const auto json = nlohmann::json::parse(to_json(report, to_json(counted)));
  EXPECT_EQ(json["drivers"][0]["name"], "x");
  EXPECT_EQ(json["layers"]["FWPS_LAYER_INBOUND_TRANSPORT_V4"]["blocked"], 1);
  EXPECT_EQ(json["packets"]["received"], 17);
  EXPECT_EQ(json["command"]["arguments"][0], "true");
  EXPECT_EQ(json["exit"]["reason"], "fault");
  EXPECT_EQ(json["fault"], "*** STOP");
  for (const char* unknown : {"", "[1]", "{\"drivers\": [1, "}) EXPECT_EQ(to_json(report, unknown), to_json(report));
}

TEST(Report, TextNamesWhatWentWrong) {
  const auto text = to_text(sample());
  EXPECT_THAT(text, HasSubstr("violation clone-leak by passthrough (2 times)"));
  EXPECT_THAT(text, HasSubstr("1 failed"));
  EXPECT_THAT(text, HasSubstr("still alive: 2 mdls"));
  EXPECT_THAT(text, HasSubstr("dropped bad_checksum: 3"));
}

TEST(Report, NotesStandAtTheEndAndSayWhenTheyCount) {
  auto report = sample();
  EXPECT_THAT(to_text(report), testing::Not(HasSubstr("note")));
  report.notes.push_back({.rule = "LAYER-NEVER-ASKED",
                          .message = "nobody asks it",
                          .driver = "block",
                          .callout = "",
                          .packet = "",
                          .count = 1,
                          .stack = {},
                          .origins = {}});
  report.note_count = 1;
  EXPECT_THAT(to_text(report), testing::EndsWith("violations: 2\nnote LAYER-NEVER-ASKED by block: nobody asks it\n"
                                                 "notes: 1\n"));
  report.strict = true;
  EXPECT_THAT(to_text(report), testing::EndsWith("notes: 1, and --strict counts them as violations\n"));
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["notes"][0]["rule"], "LAYER-NEVER-ASKED");
  EXPECT_EQ(json["notes"][0]["driver"], "block");
}

TEST(Report, SaysWhatWasExpectedOfTheCommand) {
  auto report = sample();
  EXPECT_FALSE(nlohmann::json::parse(to_json(report))["command"].contains("expected_code"));
  report.expected_code = 28;
  report.problems.push_back("COMMAND ended with 7, and --expect wanted 28");
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_EQ(json["command"]["expected_code"], 28);
  EXPECT_EQ(json["problems"][0], report.problems[0]);
  EXPECT_THAT(to_text(report), HasSubstr(report.problems[0]));
}

TEST(Report, IsWrittenToItsFile) {
  const auto path = std::filesystem::temp_directory_path() / ("wfptap-report-" + std::to_string(getpid()));
  std::string error;
  {
    const auto report = open_report(path, error);
    ASSERT_TRUE(report) << error;
    EXPECT_TRUE(write_report(sample(), report.get()));
  }
  std::ifstream file(path);
  EXPECT_EQ(nlohmann::json::parse(file)["exit"]["code"], 7);
  std::filesystem::remove(path);
  EXPECT_FALSE(open_report("/nonexistent/report.json", error));
  EXPECT_THAT(error, HasSubstr("No such file"));
}

}  // namespace
}  // namespace app::output
