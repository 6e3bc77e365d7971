#include "src/app/services/http_framing.hpp"

#include <algorithm>

namespace app::services {
namespace {

constexpr char kCr = '\r', kLf = '\n';

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }
bool is_hex(char byte) {
  const char lower = static_cast<char>(byte | 0x20);
  return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'f');
}

}  // namespace

void HttpFraming::on_chunk(std::uint64_t size) {
  chunk_left_ = size;
  part_ = size == 0 ? Part::Trailers : Part::Chunk;
}

stack::Bytes HttpFraming::next(stack::Bytes bytes) {
  switch (part_) {
    case Part::Body:
      return bytes;
    case Part::Chunk: {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, bytes.size()));
      chunk_left_ -= count;
      if (chunk_left_ == 0) part_ = Part::ChunkEnd;
      return bytes.first(count);
    }
    case Part::ChunkEnd:
      return next_end(bytes);
    case Part::Head:
    case Part::ChunkSize:
    case Part::Trailers:
      return next_line(bytes);
  }
  return {};
}

// CR LF and nothing else; one byte at a time, as they may come apart.
stack::Bytes HttpFraming::next_end(stack::Bytes bytes) {
  const char byte = static_cast<char>(bytes[0]);
  if (byte != (after_cr_ ? kLf : kCr)) return {};
  after_cr_ = !after_cr_;
  if (!after_cr_) part_ = Part::ChunkSize;
  return bytes.first(1);
}

stack::Bytes HttpFraming::next_line(stack::Bytes bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char byte = static_cast<char>(bytes[i]);
    if (!accept(byte)) return {};
    if (byte == kLf) return bytes.first(i + 1);
  }
  return bytes;
}

// A line of the head may end with LF alone (RFC 9112 2.2); a size line may not: readers differ on where it ends.
bool HttpFraming::accept(char byte) {
  if (after_cr_ && byte != kLf) return false;
  if (at_line_start_ && folds_ && is_blank(byte)) return false;
  if (part_ == Part::ChunkSize && !accept_size(byte)) return false;
  after_cr_ = byte == kCr;
  at_line_start_ = byte == kLf;
  return true;
}

// chunk-size [ chunk-ext ] CRLF; RFC 9112 7.1.1 allows blanks before the semicolon.
bool HttpFraming::accept_size(char byte) {
  if (byte == kLf) {
    size_line_ = SizeLine::Digits;
    return after_cr_;
  }
  if (byte == kCr) return true;
  switch (size_line_) {
    case SizeLine::Digits:
      if (is_hex(byte)) return true;
      size_line_ = byte == ';' ? SizeLine::Extension : SizeLine::Blanks;
      return byte == ';' || is_blank(byte);
    case SizeLine::Blanks:
      if (byte == ';') size_line_ = SizeLine::Extension;
      return byte == ';' || is_blank(byte);
    case SizeLine::Extension:
      return true;
  }
  return false;
}

}  // namespace app::services
