// SipHash-2-4 (Aumasson, Bernstein 2012) with a 128-bit key: hash tables that outsiders fill, sequence numbers (RFC
// 6528), SYN cookies and fragment identifiers.
#pragma once

#include <array>
#include <cstdint>

#include "stack/base/bytes.hpp"

namespace stack {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

std::uint64_t siphash(const SipKey& key, Bytes data);

}  // namespace stack
