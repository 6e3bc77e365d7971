// The Internet checksum over bytes that lie in several pieces. Source: RFC 1071.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wfp::inject {

// Adds pieces in the order of the data, of any size; an odd piece is continued by the next one.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes);
  // Ready to be stored, high byte first, with store_be16().
  std::uint16_t finish() const;

 private:
  std::uint64_t sum_ = 0;  // of 16-bit words as the machine reads them
  bool is_odd_ = false;    // so far an odd number of bytes
};

void store_be16(std::byte* at, std::uint16_t value);
std::uint16_t load_be16(const std::byte* at);

}  // namespace wfp::inject
