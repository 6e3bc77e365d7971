#include "stack/base/rng.hpp"

namespace stack {

std::uint64_t SeededRandom::next() {
  std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15);
  z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
  z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
  return z ^ (z >> 31);
}

}  // namespace stack
