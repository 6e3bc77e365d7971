// A range of a received stream in the memory that holds it: what the receive queue and the queue behind a hole are
// made of. Its bytes lie either in a block of its own, made for it and perhaps with room behind them, or, for a moment,
// in the block that they came in, which is lent. `charge` is what the account was asked for; whoever drops a piece gives
// it back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "stack/packet/packet.hpp"

namespace stack::tcp {

inline constexpr std::size_t kPieceCharge = 32 + kCompactOverhead;  // of each, beside its bytes
inline constexpr std::size_t kLargestPiece = 65'536;                // that is made to be filled further

struct Piece {
  BufferRef block;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::uint32_t spare = 0;  // bytes behind the data that may still be filled; 0 when lent
  std::uint32_t charge = 0;
  bool is_lent = false;

  Bytes bytes() const { return Bytes{block.bytes()}.subspan(offset, size); }
  void drop_front(std::size_t count) {
    offset += static_cast<std::uint32_t>(count);
    size -= static_cast<std::uint32_t>(count);
  }
  // Where the next `count` bytes go, which are data from now on.
  MutableBytes extend(std::size_t count) {
    const MutableBytes into = block.bytes().subspan(offset + size, count);
    size += static_cast<std::uint32_t>(count);
    spare -= static_cast<std::uint32_t>(count);
    return into;
  }
};

// A block for `size` bytes that follow a piece in the stream: who gets many small ones after each other gets larger and
// larger blocks, so that what a stream holds is never far from twice its bytes.
inline std::size_t grown_capacity(std::size_t before, std::size_t size) {
  return std::max(size, std::min(2 * before, kLargestPiece));
}

// Empty, to be extended. Null block: no memory.
inline Piece make_piece(std::size_t capacity) {
  return {.block = make_compact_buffer(capacity),
          .spare = static_cast<std::uint32_t>(capacity),
          .charge = static_cast<std::uint32_t>(capacity + kPieceCharge)};
}

}  // namespace stack::tcp
