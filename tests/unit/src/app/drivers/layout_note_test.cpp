#include "src/app/drivers/layout_note.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "nt/layout_version.h"
#include "src/app/drivers/driver_file.hpp"
#include "src/app/process/program_path.hpp"

namespace app {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The driver that ships, built of several C sources, and changed copies of it.
class LayoutNotes : public testing::Test {
 protected:
  LayoutNotes() : copy_(fs::temp_directory_path() / ("wfptap-layout-" + std::to_string(getpid()) + ".so")) {
    std::stringstream text;
    text << std::ifstream(driver(), std::ios::binary).rdbuf();
    bytes_ = text.str();
    name_ = bytes_.find(std::string_view("wfptap\0\0", 8));
  }
  ~LayoutNotes() override { fs::remove(copy_); }

  static std::string driver() {
    return (program_path().parent_path() / "../drivers/passthrough.so").lexically_normal();
  }
  std::string write_copy() {
    std::ofstream(copy_, std::ios::binary) << bytes_;
    return copy_.string();
  }

  fs::path copy_;
  std::string bytes_;
  std::size_t name_ = 0;  // of the note's owner
};

TEST_F(LayoutNotes, ADriverOfSeveralSourcesSaysItOnce) {
  ASSERT_NE(name_, std::string::npos) << driver();
  EXPECT_THAT(layout_versions(driver()).value(), ElementsAre(WFPTAP_LAYOUT_VERSION));
  EXPECT_EQ(explain_layout(driver()), "");
}

TEST_F(LayoutNotes, AnotherLayoutIsRefusedWithWhatToDo) {
  ASSERT_NE(name_, std::string::npos);
  bytes_[name_ + 8] = WFPTAP_LAYOUT_VERSION + 1;
  const auto opened = DriverFile::open({"old", write_copy()});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.why(), AllOf(HasSubstr("built against layout " + std::to_string(WFPTAP_LAYOUT_VERSION + 1)),
                                  HasSubstr("has layout " + std::to_string(WFPTAP_LAYOUT_VERSION)),
                                  HasSubstr("rebuild it with the headers of this wfptap")));
}

TEST_F(LayoutNotes, NoneIsRefusedWithWhatToDo) {
  ASSERT_NE(name_, std::string::npos);
  bytes_[name_] = 'x';
  const auto opened = DriverFile::open({"old", write_copy()});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.why(), AllOf(HasSubstr("does not say which layout"), HasSubstr("rebuild it")));
}

// A file cut or damaged anywhere is read without a fault; what it is worth the dynamic linker says.
TEST_F(LayoutNotes, DamagedFilesAreRead) {
  ASSERT_NE(name_, std::string::npos);
  const std::string whole = bytes_;
  EXPECT_FALSE(layout_versions("/nonexistent.so"));
  for (std::size_t size = 0; size < 2048; size += 7) {
    bytes_ = whole.substr(0, size);
    layout_versions(write_copy());
  }
  for (std::size_t at = 0; at < sizeof(Elf64_Ehdr) + 12 * sizeof(Elf64_Phdr); ++at) {
    bytes_ = whole;
    bytes_[at] = static_cast<char>(0xff);
    layout_versions(write_copy());
  }
  for (std::size_t at = name_ - 12; at < name_ + 12; ++at) {  // the note itself
    bytes_ = whole;
    bytes_[at] = static_cast<char>(0xff);
    const auto versions = layout_versions(write_copy());
    if (versions && at < name_ + 7) {
      EXPECT_THAT(*versions, IsEmpty()) << at - name_;
    }
  }
}

}  // namespace
}  // namespace app
