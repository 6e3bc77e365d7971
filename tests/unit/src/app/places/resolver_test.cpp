// Function, file and line of what really runs: a shared object calls back, and the stack is resolved.
#include "src/app/places/resolver.hpp"

#include <dlfcn.h>
#include <execinfo.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "src/app/places/place_client.hpp"
#include "src/app/places/place_server.hpp"
#include "src/app/process/sanitizer.hpp"

namespace app {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::array<void*, 32> stack;
int depth = 0;
void take_stack() { depth = backtrace(stack.data(), static_cast<int>(stack.size())); }

// A library with its code registered as a driver's would be.
class Sample {
 public:
  explicit Sample(const char* path) : path_(path), handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
    EXPECT_NE(handle_, nullptr) << dlerror();
    const link_map* map = nullptr;
    dlinfo(handle_, RTLD_DI_LINKMAP, &map);
    base_ = map->l_addr;
    wfp::ledger::add_image(path_, base_, base_, base_ + 0x100000);
    reinterpret_cast<void (*)(void (*)())>(dlsym(handle_, "sample_entry"))(take_stack);
    reinterpret_cast<void (*)(int*)>(dlsym(handle_, "sample_lines"))(lines.data());
    places = wfp::ledger::places_of_calls(std::vector<void*>(stack.begin(), stack.begin() + depth));
  }
  ~Sample() {
    wfp::ledger::remove_image(base_);
    dlclose(handle_);
  }
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  std::array<int, 3> lines{};              // of the calls in inner, outer and the entry
  std::vector<wfp::ledger::Place> places;  // of outer, with what is inlined, and of the entry

 private:
  std::string path_;
  void* handle_;
  std::uintptr_t base_ = 0;
};

void expect_frame(const SourceFrame& frame, const char* function, int line, bool inlined) {
  EXPECT_THAT(frame.function, HasSubstr(function));
  EXPECT_THAT(frame.file, EndsWith("/tests/unit/src/app/places/sample.cpp"));
  EXPECT_EQ(frame.file.front(), '/');
  EXPECT_EQ(static_cast<int>(frame.line), line);
  EXPECT_EQ(frame.inlined, inlined);
}

TEST(Resolver, NamesFunctionFileAndLineAndWhatWasInlined) {
  if (has_thread_sanitizer()) GTEST_SKIP() << "what it adds to a function is not inlined as in a driver";
  const Sample sample(SAMPLE_WITH_DEBUG_INFORMATION);
  ASSERT_EQ(sample.places.size(), 2u);
  Resolver resolver;
  const auto inner = resolver.frames_of(sample.places[0].image, sample.places[0].offset);
  ASSERT_EQ(inner.size(), 2u);
  expect_frame(inner[0], "inner", sample.lines[0], true);
  expect_frame(inner[1], "sample::outer(void (*)())", sample.lines[1], false);
  EXPECT_EQ(inner[0].image, SAMPLE_WITH_DEBUG_INFORMATION);
  const auto entry = resolver.frames_of(sample.places[1].image, sample.places[1].offset);
  ASSERT_EQ(entry.size(), 1u);
  expect_frame(entry[0], "sample_entry", sample.lines[2], false);
  EXPECT_FALSE(lacks_debug_information(inner));
  EXPECT_THAT(text_of(entry[0]), HasSubstr("sample.cpp:" + std::to_string(sample.lines[2]) + ")"));
}

TEST(Resolver, WithoutDebugInformationThereAreSymbolImageAndOffset) {
  const Sample sample(SAMPLE_WITHOUT_DEBUG_INFORMATION);
  ASSERT_EQ(sample.places.size(), 2u);
  const auto frames = Resolver{}.frames_of(sample.places[0].image, sample.places[0].offset);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].function, "sample::outer(void (*)())");
  EXPECT_EQ(frames[0].file, "");
  EXPECT_EQ(frames[0].offset, sample.places[0].offset);
  EXPECT_TRUE(lacks_debug_information(frames));
  EXPECT_THAT(text_of(frames[0]), HasSubstr("plain_sample.so+0x"));
}

TEST(Resolver, WhatIsNoImageKeepsItsOffset) {
  Resolver resolver;
  for (const char* image : {"/no/such/file", "/dev/null", "/etc/passwd"}) {
    const auto frames = resolver.frames_of(image, 0x10);
    ASSERT_EQ(frames.size(), 1u) << image;
    EXPECT_EQ(frames[0], (SourceFrame{.image = image, .offset = 0x10}));
  }
  const auto frames = resolver.frames_of(SAMPLE_WITH_DEBUG_INFORMATION, 0x7fffffff);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].file, "");
}

TEST(Resolver, AFileThatWasReplacedIsReadAgain) {
  namespace fs = std::filesystem;
  const auto copy = fs::temp_directory_path() / ("wfptap-resolver-" + std::to_string(getpid()) + ".so");
  const Sample sample(SAMPLE_WITH_DEBUG_INFORMATION);
  Resolver resolver;
  fs::copy_file(SAMPLE_WITHOUT_DEBUG_INFORMATION, copy, fs::copy_options::overwrite_existing);
  EXPECT_EQ(resolver.frames_of(copy, sample.places[1].offset)[0].file, "");
  fs::remove(copy);
  fs::copy_file(SAMPLE_WITH_DEBUG_INFORMATION, copy);
  EXPECT_NE(resolver.frames_of(copy, sample.places[1].offset)[0].file, "");
  fs::remove(copy);
}

TEST(PlaceLink, AnotherProcessAnswersUntilNobodyAsks) {
  if (has_thread_sanitizer()) GTEST_SKIP() << "what it adds to a function is not inlined as in a driver";
  const Sample sample(SAMPLE_WITH_DEBUG_INFORMATION);
  PlaceClient client(start_place_process());
  const auto frames = client.frames_of(sample.places);
  ASSERT_EQ(frames.size(), 3u);
  expect_frame(frames[0], "inner", sample.lines[0], true);
  expect_frame(frames[2], "sample_entry", sample.lines[2], false);
  EXPECT_EQ(Resolver{}.frames_of(sample.places[0].image, sample.places[0].offset)[0], frames[0]);
}

TEST(PlaceLink, WithoutAnswerThereAreImageAndOffset) {
  tap::FileDescriptor answering, asking;
  ASSERT_TRUE(make_place_pair(answering, asking));
  answering.reset();
  PlaceClient alone(std::move(asking)), none{tap::FileDescriptor{}};
  const wfp::ledger::Place place{"/tmp/a.so", 0x20};
  for (PlaceClient* client : {&alone, &none})
    EXPECT_EQ(client->frames_of(place), (std::vector{SourceFrame{.image = "/tmp/a.so", .offset = 0x20}}));
}

// What the answering side prints of it.
std::string printed(const Sample& sample, char which) {
  tap::FileDescriptor answering, asking;
  EXPECT_TRUE(make_place_pair(answering, asking));
  find_own_image();
  // As in a handler of a fault in `outer`: what is before that frame belongs to the handler.
  auto frames = stack;
  const auto* const first = static_cast<const char*>(stack[1]) - 1;
  frames[1] = const_cast<char*>(first);
  EXPECT_TRUE(send_stack(asking.get(), which, frames.data(), depth, first));
  PlaceServer server;
  server.listen(std::move(answering));
  testing::internal::CaptureStderr();
  server.serve_what_is_there();
  EXPECT_EQ(server.printed().front().line, static_cast<unsigned>(sample.lines[0]));
  return testing::internal::GetCapturedStderr();
}

TEST(PlaceLink, AStackIsPrintedWithTheDriversFramesOrAll) {
  if (has_sanitizer()) GTEST_SKIP() << "a sanitizer's backtrace has frames of its own";
  const Sample sample(SAMPLE_WITH_DEBUG_INFORMATION);
  const auto drivers = printed(sample, kDriversFrames);
  EXPECT_THAT(drivers, HasSubstr("*** stack:\n  00 sample::inner"));
  EXPECT_THAT(drivers, HasSubstr("  01 sample::outer(void (*)()) ("));
  EXPECT_THAT(drivers, HasSubstr("  02 sample_entry ("));
  EXPECT_THAT(drivers, Not(HasSubstr("  03 ")));
  EXPECT_THAT(printed(sample, kAllFrames), HasSubstr("  03 "));
}

TEST(PlaceLink, NobodyIsToldAStackWhenNobodyIsThere) {
  tap::FileDescriptor answering, asking;
  ASSERT_TRUE(make_place_pair(answering, asking));
  answering.reset();
  void* const frames[] = {nullptr};
  EXPECT_FALSE(send_stack(asking.get(), kAllFrames, frames, 1, nullptr));
  EXPECT_FALSE(send_stack(-1, kAllFrames, frames, 1, nullptr));
}

}  // namespace
}  // namespace app
