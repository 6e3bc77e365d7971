// Endless patterns as shared blocks: a service that sends gigabytes writes the same block over and over, without a
// copy. A block holds a whole number of periods, so that any position can start anywhere in it.
#pragma once

#include <cstdint>

#include "stack/packet/buffer.hpp"

namespace app::services {

class Pattern {
 public:
  // /bytes/N: byte i has the value i modulo 251. 251 is prime, so that lost or repeated segments show.
  static Pattern counting();
  // chargen: the lines of RFC 864, 72 of 95 printing characters, each line one further, CR LF.
  static Pattern characters();

  const stack::BufferRef& block() const { return block_; }
  std::size_t size() const { return size_; }
  std::size_t offset(std::uint64_t position) const { return static_cast<std::size_t>(position % size_); }
  // Bytes from `position` on that lie in one piece, at most `wanted`.
  std::size_t run(std::uint64_t position, std::uint64_t wanted) const;
  stack::Bytes bytes(std::uint64_t position, std::uint64_t wanted) const;

 private:
  explicit Pattern(std::size_t size);
  stack::BufferRef block_;
  std::size_t size_;
};

}  // namespace app::services
