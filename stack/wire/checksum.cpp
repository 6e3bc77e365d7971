#include "stack/wire/checksum.hpp"

#include <cstring>

namespace stack::wire {
namespace {

std::uint64_t add_with_carry(std::uint64_t sum, std::uint64_t word) {
  sum += word;
  return sum + (sum < word ? 1 : 0);
}

std::uint64_t load_native64(const std::byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff'ffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

}  // namespace

// Words are added in the machine's order and turned once at the end, which RFC 1071 section 2(B) allows. Four sums
// run side by side so that their carries do not wait for one another: without offload every payload byte passes here.
std::uint16_t sum_of(Bytes bytes) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t a = 0, b = 0, c = 0, d = 0;
  for (; left >= 32; at += 32, left -= 32) {
    a = add_with_carry(a, load_native64(at));
    b = add_with_carry(b, load_native64(at + 8));
    c = add_with_carry(c, load_native64(at + 16));
    d = add_with_carry(d, load_native64(at + 24));
  }
  for (; left >= 8; at += 8, left -= 8) a = add_with_carry(a, load_native64(at));
  if (left > 0) {
    std::uint64_t tail = 0;
    std::memcpy(&tail, at, left);
    b = add_with_carry(b, tail);
  }
  return __builtin_bswap16(fold(add_with_carry(add_with_carry(a, b), add_with_carry(c, d))));
}

Checksum pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                       std::uint32_t length) {
  DCHECK(source.family() == destination.family());
  Checksum sum;
  sum.add(source.bytes());
  sum.add(destination.bytes());
  sum.add_u32(length);  // the same for IPv4, whose length has 16 bits
  sum.add_u16(protocol);
  return sum;
}

}  // namespace stack::wire
