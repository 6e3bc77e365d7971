#include "stack/base/hash.hpp"

#include <bit>

namespace stack {
namespace {

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
    v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
    v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t siphash(const SipKey& key, Bytes data) {
  SipState s{key.k0 ^ 0x736f'6d65'7073'6575, key.k1 ^ 0x646f'7261'6e64'6f6d, key.k0 ^ 0x6c79'6765'6e65'7261,
             key.k1 ^ 0x7465'6462'7974'6573};
  std::size_t at = 0;
  for (; at + 8 <= data.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, data.data() + at, 8);  // little-endian, as the algorithm defines
    s.absorb(word);
  }
  std::uint64_t last = std::uint64_t{data.size()} << 56;
  for (std::size_t i = 0; at + i < data.size(); ++i) last |= std::to_integer<std::uint64_t>(data[at + i]) << (8 * i);
  s.absorb(last);
  s.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace stack
