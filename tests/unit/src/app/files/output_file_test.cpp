// Files in folders that others can write. The others are made up by giving away what root has made.
#include "src/app/files/output_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace app::files {
namespace {

using testing::HasSubstr;

constexpr uid_t kOther = 12345, kThird = 12346;

class OutputFile : public testing::Test {
 protected:
  void SetUp() override {
    root_ = (std::filesystem::temp_directory_path() / "wfptap-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    if (geteuid() != 0 || !has_power_over_others()) GTEST_SKIP() << "only root can make others' files";
    make_folder("theirs", kOther, 0755);
    make_folder("shared", 0, 01777);
    make_folder("ours", 0, 0755);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string at(const std::string& path) const { return root_ + "/" + path; }
  void make_folder(const std::string& path, uid_t owner, mode_t mode) {
    ASSERT_EQ(mkdir(at(path).c_str(), 0700), 0);
    ASSERT_EQ(chmod(at(path).c_str(), mode), 0);
    ASSERT_EQ(chown(at(path).c_str(), owner, owner), 0);
  }
  void make_file(const std::string& path, uid_t owner) {
    std::ofstream(at(path)) << "precious";
    ASSERT_EQ(chown(at(path).c_str(), owner, owner), 0);
  }
  void make_link(const std::string& path, const std::string& target, uid_t owner) {
    ASSERT_EQ(symlink(target.c_str(), at(path).c_str()), 0);
    ASSERT_EQ(lchown(at(path).c_str(), owner, owner), 0);
  }
  std::string content(const std::string& path) const {
    std::ostringstream text;
    text << std::ifstream(at(path)).rdbuf();
    return text.str();
  }
  // What went wrong; empty: it was opened.
  std::string open(const std::string& path, mode_t mode = kPrivate) const {
    auto file = open_output_file(path.front() == '/' || path == "-" ? path : at(path), mode);
    return file ? "" : file.why();
  }
  mode_t mode_of(const std::string& path) const {
    struct stat facts {};
    return stat(at(path).c_str(), &facts) == 0 ? facts.st_mode & 0777 : 0;
  }
  std::string root_;
};

TEST_F(OutputFile, IsMadePrivateAndAnExistingOneIsEmptied) {
  EXPECT_EQ(open("ours/new"), "");
  EXPECT_EQ(mode_of("ours/new"), 0600u);
  make_file("ours/old", 0);
  EXPECT_EQ(open("ours/old"), "");
  EXPECT_EQ(content("ours/old"), "");
}

TEST_F(OutputFile, AnothersLinkIsNotFollowed) {
  make_file("ours/precious", 0);
  make_link("theirs/file", at("ours/precious"), kOther);
  make_link("shared/file", at("ours/precious"), kOther);
  make_link("theirs/folder", at("ours"), kOther);
  make_link("theirs/up", "../ours", kOther);
  for (const auto* path :
       {"theirs/file", "shared/file", "theirs/folder/precious", "theirs/up/precious", "theirs/up/new"})
    EXPECT_THAT(open(path), HasSubstr("symbolic link of")) << path;
  EXPECT_EQ(content("ours/precious"), "precious");
  EXPECT_FALSE(std::filesystem::exists(at("ours/new")));
}

TEST_F(OutputFile, AnothersLinkToAFolderOfTheSameUserHarmsNobody) {
  make_folder("theirs_too", kOther, 0755);
  make_link("theirs/folder", at("theirs_too"), kOther);
  EXPECT_EQ(open("theirs/folder/new"), "");
  make_folder("third", kThird, 0755);
  make_link("theirs/third", at("third"), kOther);
  make_link("third/back", at("theirs"), kThird);
  EXPECT_THAT(open("theirs/third/back/new"), HasSubstr("symbolic link of")) << "two users' links";
}

TEST_F(OutputFile, OurLinksAndRootsAreFollowed) {
  make_link("shared/link", at("ours/behind"), 0);
  EXPECT_EQ(open("shared/link"), "");
  EXPECT_TRUE(std::filesystem::exists(at("ours/behind")));
  make_link("ours/loop", "loop", 0);
  EXPECT_THAT(open("ours/loop"), HasSubstr("Too many levels"));
}

TEST_F(OutputFile, AnothersFileInASharedFolderIsNotWritten) {
  make_file("shared/trap", kOther);
  make_file("shared/mine", 0);
  make_file("theirs/own", kOther);
  EXPECT_THAT(open("shared/trap"), HasSubstr("another user"));
  EXPECT_EQ(content("shared/trap"), "precious");
  EXPECT_EQ(open("shared/mine"), "");
  EXPECT_EQ(open("theirs/own"), "")
      << "in the folder of its owner, who may read there what is named to be written there";
}

TEST_F(OutputFile, ASecondNameOfOurFileIsNotWritten) {
  make_file("ours/precious", 0);
  std::filesystem::create_hard_link(at("ours/precious"), at("theirs/name"));
  EXPECT_THAT(open("theirs/name"), HasSubstr("second name"));
  EXPECT_EQ(content("ours/precious"), "precious");
}

TEST_F(OutputFile, PipesAndDescriptorsOfTheCallerWork) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(open("/dev/fd/" + std::to_string(ends[1])), "");
  EXPECT_EQ(open("/proc/self/fd/" + std::to_string(ends[1])), "");
  EXPECT_EQ(open("/dev/null"), "");
  EXPECT_EQ(open("-"), "");
  close(ends[0]);
  close(ends[1]);
}

TEST_F(OutputFile, WhatIsWrongWithAPathIsSaid) {
  EXPECT_THAT(open("nowhere/file"), HasSubstr("No such file"));
  EXPECT_THAT(open("ours"), HasSubstr("Is a directory"));
  EXPECT_THAT(open("ours/"), HasSubstr("Is a directory"));
  EXPECT_THAT(open("ours/.."), HasSubstr("Is a directory"));
  make_file("ours/file", 0);
  EXPECT_THAT(open("ours/file/below"), HasSubstr("Not a directory"));
  EXPECT_FALSE(open_output_file("", kPrivate));
}

TEST_F(OutputFile, ARelativePathBeginsHere) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(at("ours"));
  EXPECT_TRUE(open_output_file("plain", kPrivate));
  EXPECT_TRUE(open_output_file("../shared/plain", kPrivate));
  std::filesystem::current_path(before);
  EXPECT_TRUE(std::filesystem::exists(at("ours/plain")));
  EXPECT_TRUE(std::filesystem::exists(at("shared/plain")));
}

}  // namespace
}  // namespace app::files
