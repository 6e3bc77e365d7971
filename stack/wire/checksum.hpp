// The Internet checksum: RFC 1071 sum over any number of spans, RFC 1624 update, the pseudo headers of both families.
//
// Sums are ones' complement sums in host order of the big-endian 16-bit words; the checksum field holds their
// complement. A Checksum may be fed spans of odd length: it remembers on which byte of a word it stands. No state
// beyond that.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/base/address.hpp"
#include "stack/base/bytes.hpp"

namespace stack::wire {

// The folded sum of one span that starts at an even offset. Not complemented.
std::uint16_t sum_of(Bytes bytes);

// Sum of two adjacent ranges; `first_size` is the size of the first one, whose parity turns the second one's bytes.
constexpr std::uint16_t combine_sums(std::uint16_t first, std::size_t first_size, std::uint16_t second) {
  const std::uint32_t turned =
      first_size % 2 == 0 ? second : static_cast<std::uint32_t>((second & 0xffU) << 8 | second >> 8);
  const std::uint32_t sum = first + turned;
  return static_cast<std::uint16_t>((sum & 0xffff) + (sum >> 16));
}

class Checksum {
 public:
  Checksum() = default;
  explicit Checksum(std::uint16_t sum) : sum_(sum) {}

  void add(Bytes bytes) {
    sum_ = combine_sums(sum_, odd_ ? 1 : 0, sum_of(bytes));
    odd_ ^= bytes.size() % 2 != 0;
  }
  // Values at even offsets only: between spans of even size.
  void add_u16(std::uint16_t value) {
    DCHECK(!odd_);
    sum_ = combine_sums(sum_, 0, value);
  }
  void add_u32(std::uint32_t value) {
    add_u16(static_cast<std::uint16_t>(value >> 16));
    add_u16(static_cast<std::uint16_t>(value));
  }

  std::uint16_t sum() const { return sum_; }                                  // folded, not complemented
  std::uint16_t finish() const { return static_cast<std::uint16_t>(~sum_); }  // what the field holds
  bool is_valid() const { return sum_ == 0xffff; }                            // after adding the field, too

 private:
  std::uint16_t sum_ = 0;
  bool odd_ = false;
};

// The checksum field's value for `bytes`, whose own field is zero.
inline std::uint16_t checksum_of(Bytes bytes) { return static_cast<std::uint16_t>(~sum_of(bytes)); }

// RFC 1624 eqn. 3: the field's new value when one 16-bit word under it changes.
constexpr std::uint16_t update_checksum(std::uint16_t field, std::uint16_t old_word, std::uint16_t new_word) {
  std::uint32_t sum = static_cast<std::uint16_t>(~field);
  sum += static_cast<std::uint16_t>(~old_word);
  sum += new_word;
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~((sum & 0xffff) + (sum >> 16)));
}

// RFC 9293 3.1 and RFC 8200 8.1. `length` is the transport header's and its payload's; both addresses have one
// family.
Checksum pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                       std::uint32_t length);

}  // namespace stack::wire
