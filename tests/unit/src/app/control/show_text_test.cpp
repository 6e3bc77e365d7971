#include "src/app/control/show_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace app::control {
namespace {

using testing::HasSubstr;

TEST(ShowText, TablesHaveHeadingsAndAlignedColumns) {
  const Json result{
      {"layers",
       {{{"layer", "INBOUND_TRANSPORT_V4"}, {"asked", true}, {"filters", 2}, {"classified", 12345}, {"blocked", 1}},
        {{"layer", "X"}, {"filters", 0}, {"classified", 1}, {"blocked", 0}}}}};
  const auto text = show_text("layers", result);
  EXPECT_THAT(text, HasSubstr("layer                 asked  filters  classified  permitted  blocked  absorbed\n"));
  EXPECT_THAT(text, HasSubstr("X                     -      0        1           -          0        -\n"));
}

TEST(ShowText, EmptyTablesSaySo) {
  EXPECT_EQ(show_text("drivers", {{"drivers", Json::array()}}), "No driver is loaded.\n");
}

TEST(ShowText, EveryTopicHasATable) {
  for (const char* topic : {"flows", "endpoints", "layers", "callouts", "filters", "drivers", "objects", "netevents"})
    EXPECT_NE(show_text(topic, {{topic, Json::array()}}), "") << topic;
}

TEST(ShowText, OtherResultsAreNamesAndValues) {
  const auto text = show_text("status", {{"device", "wfp0"},
                                         {"io_uring", true},
                                         {"services", {{{"name", "http"}}}},
                                         {"packets", {{"received", 7}}},
                                         {"notes", Json::array()}});
  EXPECT_EQ(text, "device: wfp0\nio uring: yes\nservices:\n  name: http\npackets:\n  received: 7\nnotes: none\n");
}

}  // namespace
}  // namespace app::control
