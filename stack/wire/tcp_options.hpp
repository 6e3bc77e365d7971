// TCP options (RFC 9293 3.2): maximum segment size, window scale and timestamps (RFC 7323), SACK (RFC 2018). Unknown
// options are skipped by their length. An illegal length ends the parsing: what came before it holds, `malformed`
// says that it happened, and the receiver counts it. Values are not judged here (an MSS of 0 is reported as 0).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "stack/base/bytes.hpp"
#include "stack/base/seq.hpp"

namespace stack::wire {

struct SackBlock {
  Seq left;   // first byte of the block
  Seq right;  // the one after its last
  bool operator==(const SackBlock&) const = default;
};

struct Timestamps {
  std::uint32_t value = 0;  // TSval
  std::uint32_t echo = 0;   // TSecr
  bool operator==(const Timestamps&) const = default;
};

struct TcpOptions {
  static constexpr std::size_t kMaxSize = 40;
  static constexpr std::size_t kMaxSackBlocks = 4;

  std::optional<std::uint16_t> mss{};
  std::optional<std::uint8_t> window_scale{};  // the shift as sent; RFC 7323 2.3 says how to treat more than 14
  bool sack_permitted = false;
  std::optional<Timestamps> timestamps{};
  std::array<SackBlock, kMaxSackBlocks> sack_storage{};
  std::uint8_t sack_count = 0;
  bool malformed = false;  // of parse; not emitted

  static TcpOptions parse(Bytes options);

  std::span<const SackBlock> sack_blocks() const { return std::span{sack_storage}.first(sack_count); }
  // Adds a block when another one still fits beside what is set already; false otherwise.
  bool add_sack_block(SackBlock block);

  std::size_t size() const;  // padded to a multiple of four; at most kMaxSize, which a caller's choice must respect
  // Order of emission: MSS, SACK-permitted, timestamps, window scale, SACK blocks; NOPs align what follows.
  void emit(MutableBytes into) const;

  bool operator==(const TcpOptions& other) const;
};

}  // namespace stack::wire
