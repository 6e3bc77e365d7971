#include "src/app/services/pattern.hpp"

#include <algorithm>

namespace app::services {
namespace {
constexpr std::size_t kCountingPeriod = 251;
constexpr std::size_t kCountingBlock = kCountingPeriod * 1024;  // a few of the largest segments
constexpr std::size_t kPrinting = 95;                           // characters from ' ' to '~'
constexpr std::size_t kLineText = 72;
constexpr std::size_t kLine = kLineText + 2;
constexpr std::size_t kCharacterBlock = kLine * kPrinting * 16;
}  // namespace

Pattern::Pattern(std::size_t size) : block_(stack::make_buffer(size)), size_(size) {}

Pattern Pattern::counting() {
  Pattern pattern{kCountingBlock};
  const auto bytes = pattern.block_.bytes();
  for (std::size_t i = 0; i < kCountingBlock; ++i) bytes[i] = static_cast<std::byte>(i % kCountingPeriod);
  return pattern;
}

Pattern Pattern::characters() {
  Pattern pattern{kCharacterBlock};
  const auto bytes = pattern.block_.bytes();
  for (std::size_t line = 0; line < kCharacterBlock / kLine; ++line) {
    for (std::size_t i = 0; i < kLineText; ++i)
      bytes[line * kLine + i] = static_cast<std::byte>(' ' + (line + i) % kPrinting);
    bytes[line * kLine + kLineText] = std::byte{'\r'};
    bytes[line * kLine + kLineText + 1] = std::byte{'\n'};
  }
  return pattern;
}

std::size_t Pattern::run(std::uint64_t position, std::uint64_t wanted) const {
  return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size_ - offset(position)));
}

stack::Bytes Pattern::bytes(std::uint64_t position, std::uint64_t wanted) const {
  return stack::Bytes{block_.bytes()}.subspan(offset(position), run(position, wanted));
}

}  // namespace app::services
