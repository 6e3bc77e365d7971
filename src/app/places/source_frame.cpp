#include "src/app/places/source_frame.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace app {
namespace {

namespace fs = std::filesystem;

std::string shown_path(const std::string& path) {
  std::error_code ignored;
  const auto below = fs::path(path).lexically_relative(fs::current_path(ignored));
  return below.empty() || *below.begin() == ".." ? path : below.string();
}

}  // namespace

std::string text_of(const SourceFrame& frame) {
  char number[24];
  if (frame.file.empty()) {
    std::snprintf(number, sizeof number, "+0x%llx", static_cast<unsigned long long>(frame.offset));
    const auto where = fs::path(frame.image).filename().string() + number;
    return frame.function.empty() ? where : frame.function + " (" + where + ")";
  }
  std::snprintf(number, sizeof number, ":%u", frame.line);
  return (frame.function.empty() ? "?" : frame.function) + " (" + shown_path(frame.file) + number + ")" +
         (frame.inlined ? " inlined" : "");
}

bool lacks_debug_information(const std::vector<SourceFrame>& frames) {
  return std::ranges::any_of(frames, [](const SourceFrame& frame) { return frame.file.empty(); });
}

}  // namespace app
