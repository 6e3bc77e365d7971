#include "src/app/drivers/file_hash.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace app {
namespace {

// FIPS 180-4's examples, as published by NIST.
TEST(FileHash, IsTheSha256OfTheBytes) {
  const auto path = std::filesystem::temp_directory_path() / ("wfptap-hash-" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary) << "abc";
  EXPECT_EQ(sha256_of_file(path), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::ofstream(path, std::ios::binary) << std::string(1'000'000, 'a');
  EXPECT_EQ(sha256_of_file(path), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  std::ofstream(path, std::ios::binary | std::ios::trunc).flush();
  EXPECT_EQ(sha256_of_file(path), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  std::filesystem::remove(path);
}

TEST(FileHash, OfAFileThatCannotBeReadThereIsNone) { EXPECT_EQ(sha256_of_file("/nonexistent/driver.so"), ""); }

}  // namespace
}  // namespace app
