#include "stack/wire/tcp_options.hpp"

#include <algorithm>

namespace stack::wire {
namespace {

constexpr std::uint8_t kEnd = 0, kNop = 1, kMss = 2, kWindowScale = 3, kSackPermitted = 4, kSack = 5, kTimestamps = 8;
constexpr std::size_t kMssSize = 4, kWindowScaleSize = 3, kSackPermittedSize = 2, kTimestampsSize = 10;
constexpr std::size_t kSackBlockSize = 8;

bool parse_sack(Bytes option, TcpOptions& into) {
  const std::size_t size = option.size() - 2;
  if (size == 0 || size % kSackBlockSize != 0) return false;
  into.sack_count = 0;
  for (std::size_t at = 2; at < option.size() && into.sack_count < TcpOptions::kMaxSackBlocks; at += kSackBlockSize)
    into.sack_storage[into.sack_count++] = {Seq{load_be32(option, at)}, Seq{load_be32(option, at + 4)}};
  return true;
}

// One option, kind and length included. False: its length is not one that this kind has.
bool parse_one(Bytes option, TcpOptions& into) {
  switch (load_u8(option, 0)) {
    case kMss:
      if (option.size() != kMssSize) return false;
      into.mss = load_be16(option, 2);
      return true;
    case kWindowScale:
      if (option.size() != kWindowScaleSize) return false;
      into.window_scale = load_u8(option, 2);
      return true;
    case kSackPermitted:
      if (option.size() != kSackPermittedSize) return false;
      into.sack_permitted = true;
      return true;
    case kSack:
      return parse_sack(option, into);
    case kTimestamps:
      if (option.size() != kTimestampsSize) return false;
      into.timestamps = Timestamps{load_be32(option, 2), load_be32(option, 6)};
      return true;
    default:
      return true;
  }
}

// Writes options one behind the other.
class Writer {
 public:
  explicit Writer(MutableBytes into) : into_(into) {}
  void u8(std::uint8_t value) { store_u8(into_, at_++, value); }
  void u16(std::uint16_t value) { store_be16(into_, at_, value), at_ += 2; }
  void u32(std::uint32_t value) { store_be32(into_, at_, value), at_ += 4; }
  void nops(std::size_t count) {
    while (count-- > 0) u8(kNop);
  }
  std::size_t at() const { return at_; }

 private:
  MutableBytes into_;
  std::size_t at_ = 0;
};

constexpr std::size_t round_up4(std::size_t size) { return (size + 3) / 4 * 4; }

}  // namespace

TcpOptions TcpOptions::parse(Bytes options) {
  TcpOptions parsed;
  std::size_t at = 0;
  while (at < options.size()) {
    const std::uint8_t kind = load_u8(options, at);
    if (kind == kEnd) break;
    if (kind == kNop) {
      ++at;
      continue;
    }
    const std::size_t left = options.size() - at;
    const std::size_t size = left < 2 ? 0 : load_u8(options, at + 1);
    if (size < 2 || size > left || !parse_one(options.subspan(at, size), parsed)) {
      parsed.malformed = true;
      break;
    }
    at += size;
  }
  return parsed;
}

bool TcpOptions::add_sack_block(SackBlock block) {
  if (sack_count == kMaxSackBlocks) return false;
  const std::size_t more = sack_count == 0 ? 4 + kSackBlockSize : kSackBlockSize;
  if (size() + more > kMaxSize) return false;
  sack_storage[sack_count++] = block;
  return true;
}

std::size_t TcpOptions::size() const {
  std::size_t size = 0;
  if (mss) size += kMssSize;
  if (timestamps || sack_permitted) size += timestamps ? 12 : 4;  // SACK-permitted takes the place of two NOPs
  if (window_scale) size += 1 + kWindowScaleSize;
  if (sack_count > 0) size += 4 + sack_count * kSackBlockSize;
  return size;
}

void TcpOptions::emit(MutableBytes into) const {
  DCHECK(into.size() >= size());
  Writer out{into};
  if (mss) {
    out.u8(kMss), out.u8(kMssSize), out.u16(*mss);
  }
  if (!sack_permitted && timestamps) out.nops(2);
  if (sack_permitted) {
    if (!timestamps) out.nops(2);
    out.u8(kSackPermitted), out.u8(kSackPermittedSize);
  }
  if (timestamps) {
    out.u8(kTimestamps), out.u8(kTimestampsSize), out.u32(timestamps->value), out.u32(timestamps->echo);
  }
  if (window_scale) {
    out.nops(1);
    out.u8(kWindowScale), out.u8(kWindowScaleSize), out.u8(*window_scale);
  }
  if (sack_count > 0) {
    out.nops(2);
    out.u8(kSack), out.u8(static_cast<std::uint8_t>(2 + sack_count * kSackBlockSize));
    for (const SackBlock& block : sack_blocks()) out.u32(block.left.value()), out.u32(block.right.value());
  }
  DCHECK(out.at() == size() && out.at() == round_up4(out.at()));
}

bool TcpOptions::operator==(const TcpOptions& other) const {
  return mss == other.mss && window_scale == other.window_scale && sack_permitted == other.sack_permitted &&
         timestamps == other.timestamps && std::ranges::equal(sack_blocks(), other.sack_blocks());
}

}  // namespace stack::wire
