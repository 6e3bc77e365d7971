#include "src/app/drivers/driver_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "nt/io.h"
#include "src/app/drivers/known_symbols.hpp"
#include "src/app/process/sanitizer.hpp"

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

TEST_F(DriverFiles, WhatIsNoDriverIsCalledByItsKind) {
  const auto why = [](const std::string& path) {
    auto opened = DriverFile::open({"x", path});
    return opened ? std::string("opened") : opened.why();
  };
  std::ifstream whole(OWN_SYMBOLS_c, std::ios::binary);
  const std::string elf{std::istreambuf_iterator<char>(whole), {}};
  ASSERT_GT(elf.size(), 4096u);
  std::string pe(256, '\0');
  pe.replace(0, 2, "MZ"), pe[0x3c] = '\x40', pe.replace(0x40, 6, std::string_view("PE\0\0\x64\x86", 6));
  std::string arm = elf;
  arm[18] = '\xb7';
  std::string object = elf;
  object[16] = 1;
  const std::string folder = (folder_ / "second").string();
  const std::vector<std::pair<std::string, const char*>> cases{
      {folder, "is a folder; give the path of the shared object in it"},
      {file("a.so", "hello\n"), "is a text file and no shared object"},
      {file("a.c", "int x;\n"), "is source; compile it to a shared object first"},
      {file("a.cpp", "int x;\n"), "is source; compile it"},
      {file("a.sys", pe), "compiled for Windows (PE, x64)"},
      {file("empty.so"), "is empty"},
      {file("cut.so", elf.substr(0, elf.size() - 100)), "is cut short: its headers speak of "},
      {file("stub.so", elf.substr(0, 20)), "is cut short: not even its ELF header"},
      {file("arm.so", arm), "was built for ARM64, and wfptap runs drivers for x86-64"},
      {file("a.o", object), "is an object file that is not linked yet"},
      {file("a.a", "!<arch>\nxyz"), "is a library of object files"},
      {file("noise.so", std::string("\x01\x02\x03", 3)), "does not begin with an ELF header"},
      {"/proc/self/exe", "is a program"}};
  for (const auto& [path, expected] : cases) EXPECT_THAT(why(path), HasSubstr(expected)) << path;
  EXPECT_EQ(find_driver(file("b.c"), {})->name, "b") << "found, so that it can be explained";
  EXPECT_TRUE(find_driver(folder, {}));
}

// What a driver calls by the name of one of its functions is that function, whatever libc and libstdc++ have.
TEST_F(DriverFiles, ADriversOwnFunctionsComeFirst) {
  EXPECT_THAT(bound_elsewhere(OWN_SYMBOLS_c), testing::ElementsAre("connect", "error", "send"));
  EXPECT_THAT(bound_elsewhere(OWN_SYMBOLS_cpp), testing::Contains("_Znwm"));
  EXPECT_THAT(bound_elsewhere(OWN_SYMBOLS_cpp), testing::Contains(testing::StartsWith("_ZdlPv")));  // sized or not
  for (const char* path : {OWN_SYMBOLS_c, OWN_SYMBOLS_cpp}) {
    auto opened = DriverFile::open({"own", path});
    if (has_sanitizer()) {
      ASSERT_FALSE(opened);
      EXPECT_THAT(opened.why(), HasSubstr("link it with -Wl,-Bsymbolic"));
      continue;
    }
    ASSERT_TRUE(opened) << opened.why();
    EXPECT_EQ(reinterpret_cast<DRIVER_INITIALIZE*>(opened->entry())(nullptr, nullptr), STATUS_SUCCESS) << path;
  }
}

TEST_F(DriverFiles, WhatCannotBeReadToItsEndIsNotRead) {
  const auto found = find_driver("/dev/zero", {});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.why(), HasSubstr("it is a device"));
}

TEST_F(DriverFiles, ALibraryWithoutDriverEntryIsNoDriver) {
  auto opened = DriverFile::open({"m", "libm.so.6"});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.why(), HasSubstr("has no DriverEntry"));
}

TEST(MissingSymbols, DocumentedOnesAreToldFromUnknownOnes) {
  const auto documented = explain_load_error("x.so", "x.so: undefined symbol: FwpsStreamInjectAsync0");
  EXPECT_THAT(documented, HasSubstr("needs FwpsStreamInjectAsync0 (fwpsk.h)"));
  EXPECT_THAT(documented, HasSubstr("fwpsk.h"));
  const auto unknown = explain_load_error("x.so", "x.so: undefined symbol: FwpsFrobnicate9 (fatal)");
  EXPECT_THAT(unknown, HasSubstr("needs FwpsFrobnicate9, "));
  EXPECT_THAT(unknown, HasSubstr("check spelling and version digit"));
  EXPECT_THAT(explain_load_error("x.so", "x.so: invalid ELF header"), HasSubstr("invalid ELF header"));
  EXPECT_EQ(explain_load_error("/a/x.so", "/a/x.so: file too short"), "driver /a/x.so: file too short");
}

TEST(MissingSymbols, AllAreNamedAtOnce) {
  const auto text = explain_missing("x.so", {"FwpsFrobnicate9", "FwpsStreamInjectAsync0", "KeFrobnicate"});
  EXPECT_THAT(text, HasSubstr("needs FwpsStreamInjectAsync0 (fwpsk.h), which wfptap does not have yet"));
  EXPECT_THAT(text,
              HasSubstr("and it needs FwpsFrobnicate9, KeFrobnicate, which wfptap does not have; no documented"));
}

TEST(MissingSymbols, TheTableIsSorted) {
  for (const char* name : {"AppendTailList", "FwpmFilterAdd0", "KeSetEvent", "NdisGetDataBuffer", "ZwClose"})
    EXPECT_TRUE(find_known_symbol(name)) << name;
  EXPECT_FALSE(find_known_symbol("malloc"));
}

}  // namespace
}  // namespace app
