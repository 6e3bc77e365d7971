#include "src/app/drivers/driver_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "src/app/drivers/known_symbols.hpp"

namespace app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DriverFiles : public testing::Test {
 protected:
  DriverFiles() : folder_(fs::temp_directory_path() / ("wfptap-drivers-" + std::to_string(getpid()))) {
    fs::create_directories(folder_ / "second");
  }
  ~DriverFiles() override { fs::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& text = "") {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  fs::path folder_;
};

TEST_F(DriverFiles, NamesAreLookedForInOrder) {
  const std::vector<std::string> folders{(folder_ / "first").string(), (folder_ / "second").string()};
  auto found = find_driver("passthrough", folders);
  ASSERT_FALSE(found);
  EXPECT_THAT(found.why(), HasSubstr("no driver is called 'passthrough'"));
  EXPECT_THAT(found.why(), HasSubstr("second"));
  file("second/passthrough.so");
  found = find_driver("passthrough", folders);
  ASSERT_TRUE(found) << found.why();
  EXPECT_EQ(found->name, "passthrough");
  EXPECT_EQ(found->path, (folder_ / "second/passthrough.so").string());
}

TEST_F(DriverFiles, PathsAreTakenAsTheyAre) {
  const auto path = file("mine.so");
  auto found = find_driver(path, {});
  ASSERT_TRUE(found) << found.why();
  EXPECT_EQ(found->name, "mine");
  EXPECT_THAT(find_driver(path + ".missing/x.so", {}).why(), HasSubstr("no such file"));
  EXPECT_THAT(find_driver("missing.so", {}).why(), HasSubstr("no such file"));
  EXPECT_FALSE(find_driver("", {}));
}

TEST_F(DriverFiles, WhatIsNoSharedObjectIsSaid) {
  auto opened = DriverFile::open({"text", file("text.so", "hello")});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.why(), HasSubstr("text.so"));
}

TEST_F(DriverFiles, ALibraryWithoutDriverEntryIsNoDriver) {
  auto opened = DriverFile::open({"m", "libm.so.6"});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.why(), HasSubstr("has no DriverEntry"));
}

TEST(MissingSymbols, DocumentedOnesAreToldFromUnknownOnes) {
  const auto documented = explain_load_error("x.so", "x.so: undefined symbol: FwpsStreamInjectAsync0");
  EXPECT_THAT(documented, HasSubstr("needs FwpsStreamInjectAsync0"));
  EXPECT_THAT(documented, HasSubstr("fwpsk.h"));
  const auto unknown = explain_load_error("x.so", "x.so: undefined symbol: FwpsFrobnicate9 (fatal)");
  EXPECT_THAT(unknown, HasSubstr("needs FwpsFrobnicate9, "));
  EXPECT_THAT(unknown, HasSubstr("check its spelling"));
  EXPECT_THAT(explain_load_error("x.so", "x.so: invalid ELF header"), HasSubstr("invalid ELF header"));
  EXPECT_EQ(explain_load_error("/a/x.so", "/a/x.so: file too short"), "driver /a/x.so: file too short");
}

TEST(MissingSymbols, TheTableIsSorted) {
  for (const char* name : {"AppendTailList", "FwpmFilterAdd0", "KeSetEvent", "NdisGetDataBuffer", "ZwClose"})
    EXPECT_TRUE(find_known_symbol(name)) << name;
  EXPECT_FALSE(find_known_symbol("malloc"));
}

}  // namespace
}  // namespace app
