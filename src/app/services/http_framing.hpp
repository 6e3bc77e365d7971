// Cuts the bytes of an HTTP/1 request into lines, chunks and body, so that http-parser gets them one at a time, and refuses
// what that parser lets pass although two readers could understand it differently (request smuggling): continued header
// lines (RFC 9112 5.2), a CR without its LF (2.2), and chunks whose size line or end is not as in RFC 9112 7.1.
#pragma once

#include <cstdint>

#include "stack/base/bytes.hpp"

namespace app::services {

class HttpFraming {
 public:
  // The front of `bytes` that belongs together: at most one line, or what is left of a chunk. Empty: refused. `bytes` is
  // not empty.
  stack::Bytes next(stack::Bytes bytes);

  // What the parser found in the bytes that next() returned last.
  void on_target() { folds_ = true; }  // from now on a line that begins with a blank continues the one before
  void on_body(bool chunked) { part_ = chunked ? Part::ChunkSize : Part::Body; }
  void on_chunk(std::uint64_t size);  // its size line has ended; 0: the trailer section follows

 private:
  enum class Part : std::uint8_t { Head, Body, ChunkSize, Chunk, ChunkEnd, Trailers };
  enum class SizeLine : std::uint8_t { Digits, Blanks, Extension };

  stack::Bytes next_line(stack::Bytes bytes);
  stack::Bytes next_end(stack::Bytes bytes);
  bool accept(char byte);  // of a line
  bool accept_size(char byte);

  Part part_ = Part::Head;
  SizeLine size_line_ = SizeLine::Digits;
  std::uint64_t chunk_left_ = 0;
  bool folds_ = false;
  bool at_line_start_ = true;
  bool after_cr_ = false;
};

}  // namespace app::services
