// A frame in words: function, file and line where there is debug information; always the image and the offset in it.
// An inlined function is a frame of its own, before the one that it was inlined into. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct SourceFrame {
  std::string function{};  // demangled; empty: unknown
  std::string file{};      // absolute; empty: no debug information
  unsigned line = 0;       // 0: unknown
  std::string image{};
  std::uint64_t offset = 0;
  bool inlined = false;

  bool operator==(const SourceFrame&) const = default;
};

// "leak (mydriver.c:41)"; without debug information "leak (mydriver.so+0x1234)". Files below the working directory are
// named from there.
std::string text_of(const SourceFrame& frame);

// Some frame would have a line if its image had been compiled with debug information.
bool lacks_debug_information(const std::vector<SourceFrame>& frames);
inline constexpr const char* kDebugHint =
    "hint: compile the driver with -g, and messages about it name function, file and line";

}  // namespace app
